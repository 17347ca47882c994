package expr

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"

	"github.com/tidemark-io/tidemark/schema"
)

// Error is a fault in an expression's text.
type Error struct {
	Line, Column int // from 1, in characters, within the expression
	Msg          string
	Hint         string // what to do; may be empty
}

// Error is the fault in one line: "line 1, column 3: what (hint)".
func (e *Error) Error() string {
	msg := fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Msg)
	if e.Hint != "" {
		msg += " (" + e.Hint + ")"
	}
	return msg
}

// celErrors turns what CEL found into Errors in words of ours.
func celErrors(src string, issues *cel.Issues, env Env) error {
	var out []error
	lastLine := 0
	for _, issue := range issues.Errors() {
		e := &Error{Line: max(issue.Location.Line(), 1), Column: max(issue.Location.Column(), 0) + 1}
		e.Msg, e.Hint = explain(issue.Message, env)
		if m := undeclared.FindStringSubmatch(issue.Message); m != nil {
			e.Column = nameColumn(src, e.Line, e.Column, m[1])
		}
		if strings.HasPrefix(issue.Message, "Syntax error") {
			if e.Line == lastLine {
				continue // follows from the one before
			}
			lastLine = e.Line
		}
		out = append(out, e)
	}
	return errors.Join(out...)
}

// nameColumn is where a name begins: for an unknown function or path CEL points
// at the parenthesis or dot in it.
func nameColumn(src string, line, column int, name string) int {
	lines := strings.Split(src, "\n")
	if line > len(lines) {
		return column
	}
	text, word := []rune(lines[line-1]), []rune(name)
	for start := max(column-1-len(word), 0); start < column-1; start++ {
		if start+len(word) <= len(text) && string(text[start:start+len(word)]) == name {
			return start + 1
		}
	}
	return column
}

var (
	undeclared = regexp.MustCompile(`^undeclared reference to '([^']*)'`)
	noOverload = regexp.MustCompile(`^found no matching overload for '([^']*)' applied to '(.*)'$`)
	selection  = regexp.MustCompile(`^type '(.*)' does not support field selection`)
	expecting  = regexp.MustCompile(` expecting .*$`)
	wrapper    = regexp.MustCompile(`wrapper\((\w+)\)`)
)

// explain rewrites a message of CEL and adds what to do.
func explain(msg string, env Env) (string, string) {
	if m := undeclared.FindStringSubmatch(msg); m != nil {
		return explainName(m[1], env)
	}
	if m := noOverload.FindStringSubmatch(msg); m != nil {
		return explainOverload(m[1], typeName(m[2]))
	}
	if m := selection.FindStringSubmatch(msg); m != nil {
		return typeName(m[1]) + " has no fields", ""
	}
	if text, ok := strings.CutPrefix(msg, "Syntax error: "); ok {
		text = expecting.ReplaceAllString(text, "")
		text = strings.ReplaceAll(text, "mismatched input '<EOF>'", "the expression ends too early")
		text = strings.ReplaceAll(text, "mismatched input", "unexpected")
		text = strings.ReplaceAll(text, "extraneous input", "unexpected")
		text = strings.ReplaceAll(text, "token recognition error at:", "not understood:")
		if reservedWord(text) {
			return text, standAlone
		}
		return text, ""
	}
	if reservedWord(msg) {
		return msg, standAlone
	}
	return typeName(msg), ""
}

const standAlone = "a field whose name is a word of the language can only stand alone"

// reservedWord reports whether a syntax error is about a word that could have
// been a field's name.
func reservedWord(text string) bool {
	return strings.HasPrefix(text, "reserved identifier") || text == "unexpected 'in'"
}

// functions of CEL that people may have meant; operators and types aside.
var functions = []string{"bool", "bytes", "contains", "double", "duration", "endsWith", "getDate", "getDayOfMonth",
	"getDayOfWeek", "getDayOfYear", "getFullYear", "getHours", "getMilliseconds", "getMinutes", "getMonth", "getSeconds",
	"int", "matches", "size", "startsWith", "string", "timestamp"}

func explainName(name string, env Env) (string, string) {
	switch name {
	case "has", "all", "exists", "exists_one", "map", "filter":
		return fmt.Sprintf("%s() is not available", name), "an expression sees single values, no lists or maps"
	case "now":
		return "there is no clock", "use the event's own times"
	}
	if t, ok := env.typeOf(name); ok {
		return fmt.Sprintf("%q is %s, which expressions cannot use", name, t), recordHint(name, t)
	}
	if meant := schema.Suggest(name, env.shownNames()); meant != "" {
		return fmt.Sprintf("unknown name %q", name), fmt.Sprintf("did you mean %q?", meant)
	}
	if meant := schema.Suggest(name, functions); meant != "" {
		return fmt.Sprintf("unknown name %q", name), fmt.Sprintf("did you mean %s()?", meant)
	}
	return fmt.Sprintf("unknown name %q", name), knownNames(env)
}

func recordHint(name string, t schema.Type) string {
	if t.Avro == "record" {
		return fmt.Sprintf("name a field in it: %s.x", name)
	}
	if t.Decimal() {
		return fmt.Sprintf("write double(%s), the nearest double", name)
	}
	return ""
}

// shownNames are the names that people can write.
func (e Env) shownNames() []string {
	return slices.DeleteFunc(e.names(), func(name string) bool { return strings.HasPrefix(name, doubleName) })
}

func knownNames(env Env) string {
	names := env.shownNames()
	const shown = 12
	if len(names) > shown {
		return fmt.Sprintf("known are %s and %d more", strings.Join(names[:shown], ", "), len(names)-shown)
	}
	return "known are " + strings.Join(names, ", ")
}

func explainOverload(op, args string) (string, string) {
	msg := fmt.Sprintf("%s does not take %s", operatorName(op), args)
	types := strings.Split(strings.Trim(args, "()"), ", ")
	has := func(want string) bool {
		return slices.ContainsFunc(types, func(t string) bool { return strings.TrimPrefix(t, "nullable ") == want })
	}
	switch {
	case op == "_?_:_":
		return msg, "a condition is bool, and both branches have one type"
	case has("null"):
		return msg, "the field is never null"
	case has("int") && has("double"):
		return msg, "write double(x) for the int, or a number with a point, as 1.0"
	case has("uint"):
		return msg, "write int(x)"
	case has("timestamp") && (has("int") || has("double")):
		return msg, "write duration('60s') for a span of time, timestamp('2013-01-05T00:00:00Z') for an instant"
	case has("timestamp") && has("string"):
		return msg, "write timestamp('2013-01-05T00:00:00Z')"
	case has("string") && len(types) == 2:
		return msg, "write string(x), or the number without quotes"
	}
	return msg, ""
}

// operatorName shows `_+_` as `+`, `-_` as `-`, `_?_:_` as `?:`.
func operatorName(op string) string {
	if op == "@in" {
		return "in"
	}
	if strings.Contains(op, "_") && !strings.ContainsAny(op, "abcdefghijklmnopqrstuvwxyz") {
		return strings.ReplaceAll(op, "_", "")
	}
	return op
}

// typeName shows CEL's types as this project calls them.
func typeName(s string) string {
	s = wrapper.ReplaceAllString(s, "nullable $1")
	s = strings.ReplaceAll(s, "null_type", "null")
	return strings.ReplaceAll(s, "google.protobuf.", "")
}

func clip(s string) string {
	const most = 120
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "..."
}
