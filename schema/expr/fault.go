package expr

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/tidemark-io/tidemark/schema"
)

// fault is why an expression fails on an event: a short text that does not
// depend on the event's values, unless a function of the user's wrote it.
type fault struct {
	text  string
	let   string // the let whose fault is cause
	cause *fault
}

// The faults of compiled and interpreted expressions alike.
var (
	faultOverflow  = &fault{text: "integer overflow"}
	faultDivision  = &fault{text: "division by zero"}
	faultModulus   = &fault{text: "modulus by zero"}
	faultTime      = &fault{text: "a timestamp outside the years 1 to 9999"}
	faultNanos     = &fault{text: "a timestamp outside the years 1678 to 2262, which nanoseconds reach"}
	faultUTF8      = &fault{text: "the bytes are no UTF-8"}
	faultNotInt    = notA("int")
	faultNotDouble = notA("double")
	faultNotBool   = notA("bool")
	faultNotTime   = notA("timestamp")
	faultNotSpan   = notA("duration")
	faultOperand   = &fault{text: "an operation on values that it does not take"}
	faultIndex     = &fault{text: "a list has no such index"}
	faultKey       = &fault{text: "a map has no such key"}
	faultNullFinal = &fault{text: "the result is null"}
	faultTooLong   = &fault{text: fmt.Sprintf("the result is too long, at most %d bytes are allowed", MaxResultBytes)}
)

func notA(kind string) *fault {
	return &fault{text: fmt.Sprintf("the string is no %s", kind)}
}

// Error is the text, after the lets that lead to it.
func (f *fault) Error() string {
	if f.cause != nil {
		return "let " + f.let + ": " + f.cause.Error()
	}
	return f.text
}

// nullFault is that of an operation on nulls; the names are of fields or lets
// that are null, if it is known.
func nullFault(names ...string) *fault {
	if len(names) == 0 || names[0] == "" {
		return &fault{text: "null where a value is needed"}
	}
	return &fault{text: fmt.Sprintf("null where a value is needed (null here: %s): write %s != null ? ... : ...", strings.Join(names, ", "), names[0])}
}

// outOfRange is the fault of a timestamp field that CEL can't represent.
func outOfRange(field string) *fault {
	return &fault{text: fmt.Sprintf("%s is a timestamp outside the years 1 to 9999", field)}
}

var conversion = regexp.MustCompile(`^type conversion error from '(\w+)' to '([\w.]+)'$`)

// faultOf is the fault for an error of CEL's evaluator.
func faultOf(err error, nulls []string) *fault {
	var f *fault
	if errors.As(err, &f) {
		return f
	}
	msg := err.Error()
	switch {
	case strings.Contains(msg, "no such overload"):
		if len(nulls) == 0 {
			return faultOperand
		}
		return nullFault(nulls...)
	case strings.HasPrefix(msg, "index out of bounds"):
		return faultIndex
	case strings.HasPrefix(msg, "no such key"):
		return faultKey
	case strings.HasPrefix(msg, "integer overflow"):
		return faultOverflow
	case strings.HasPrefix(msg, "timestamp overflow"):
		return faultTime
	case strings.HasPrefix(msg, "invalid UTF-8 in bytes"):
		return faultUTF8
	case strings.HasPrefix(msg, "invalid RFC 3339 timestamp"):
		return faultNotTime
	}
	if m := conversion.FindStringSubmatch(msg); m != nil {
		return &fault{text: fmt.Sprintf("the %s is no %s", m[1], strings.ToLower(strings.TrimPrefix(m[2], "google.protobuf.")))}
	}
	return &fault{text: msg}
}

// failure is the error of an expression on an event. Its text is made when it
// is asked for.
type failure struct {
	source string
	fault  *fault
}

// Error names the expression and the fault.
func (f *failure) Error() string {
	return fmt.Sprintf("expression %q: %s", clip(f.source), f.fault.Error())
}

// Unwrap gives the fault.
func (f *failure) Unwrap() error { return f.fault }

func (p *Program) recordError(f *fault) error {
	return &schema.RecordError{Reason: schema.ReasonExpression, Err: &failure{source: p.source, fault: f}}
}
