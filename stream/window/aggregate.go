package window

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"github.com/tidemark-io/tidemark/schema"
)

// Order places an event among the events of a window, for aggregates that ask which came first: by event time, then
// by identity. It is a function of the event, not of where it lay in the log.
type Order struct {
	Time int64    // event time, ms since the epoch, UTC
	ID   [16]byte // identity of the event
}

// Compare is -1, 0 or +1 as o is before, the same as, or after p.
func (o Order) Compare(p Order) int {
	switch {
	case o.Time < p.Time:
		return -1
	case o.Time > p.Time:
		return 1
	}
	return bytes.Compare(o.ID[:], p.ID[:])
}

// Accumulator is what an aggregate keeps of one group of one window. Whatever it keeps must be a function of the
// multiset of what was added (law L1): not of the order, of how it was split over accumulators that were then merged,
// or of how often it was written down and read again. Package windowtest checks that.
//
// An Accumulator is used by one goroutine at a time.
type Accumulator interface {
	// Add adds the value of one event. v is of the aggregate's argument type and never null; v.Bytes is valid during
	// the call only. An error stops the task: it is for what can't be, not for values that the aggregate can't take.
	Add(v schema.Value, at Order) error
	// Merge adds all that was added to other, which is of the same Aggregate and unchanged afterwards; the receiver
	// keeps nothing of it.
	Merge(other Accumulator) error
	// Append appends the canonical bytes: equal multisets give equal bytes. Their length is theirs to tell: Decode is
	// given exactly what Append wrote.
	Append(dst []byte) []byte
	// Decode sets the accumulator, whatever it held, to what Append wrote as src. It fails, without a panic and
	// without memory out of proportion, on bytes that Append never writes; the accumulator is then of no use. It
	// keeps nothing of src.
	Decode(src []byte) error
	// Bytes is the memory held, give or take a third. The engine asks after each Add and Merge, so it must be cheap.
	Bytes() int64
}

// Aggregate is one aggregate function with its parameters, for arguments of one type. Its methods are safe for
// concurrent use. Null arguments are skipped before it: the value of a group with nothing but nulls is Value of a
// new Accumulator.
type Aggregate interface {
	// Cell names the accumulator and the parameters that decide its bytes, with a version, as in
	// "ddsketch/1 alpha=0.01 bins=2048". Aggregates of one argument with equal cells share an accumulator, and it is
	// part of the layout's hash and of the pipeline's fingerprint: it changes when the bytes or the results do.
	Cell() string
	// New is the accumulator of nothing.
	New() Accumulator
	// Result is the type of Value.
	Result() schema.Type
	// Value is what the accumulator comes to; a function of its canonical bytes that leaves it as it is. Bytes of the
	// value may lie in the array of scratch, or in the accumulator: they are valid until either is used again.
	Value(a Accumulator, scratch []byte) (schema.Value, error)
}

// Ordered is implemented by an Aggregate whose accumulators look at the Order that Add is given, as first and last do.
// For such an aggregate every event has an identity, its place if the source declares none; for others the Order may
// be zero.
type Ordered interface {
	Ordered() bool
}

// LiteralKind is the kind of a Literal.
type LiteralKind uint8

// The kinds of literals.
const (
	LiteralInt   LiteralKind = 1
	LiteralFloat LiteralKind = 2
	LiteralText  LiteralKind = 3
	LiteralBool  LiteralKind = 4
	LiteralList  LiteralKind = 5
)

// Literal is a parameter of a call as the pipeline file has it: the 0.95 of quantile(delay, 0.95).
type Literal struct {
	Kind  LiteralKind
	Int   int64
	Float float64
	Text  string
	Bool  bool
	List  []Literal
}

// Number is the literal as a double, if it is a number.
func (l Literal) Number() (float64, bool) {
	switch l.Kind {
	case LiteralInt:
		return float64(l.Int), true
	case LiteralFloat:
		return l.Float, true
	}
	return 0, false
}

// String is the literal as one would write it.
func (l Literal) String() string {
	switch l.Kind {
	case LiteralInt:
		return strconv.FormatInt(l.Int, 10)
	case LiteralFloat:
		return strconv.FormatFloat(l.Float, 'g', -1, 64)
	case LiteralText:
		return strconv.Quote(l.Text)
	case LiteralBool:
		return strconv.FormatBool(l.Bool)
	case LiteralList:
		parts := make([]string, len(l.List))
		for i, e := range l.List {
			parts[i] = e.String()
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	return fmt.Sprintf("literal %d", l.Kind)
}

// Definition is an aggregate function by name, as a pipeline file calls it: name(argument, literals...).
type Definition struct {
	Name   string
	Params string // for messages: "(value, quantile)"
	Min    int    // fewest literals after the argument
	Max    int    // most literals after the argument
	// New makes the aggregate for an argument type and Min to Max literals. The argument's own Nullable is of no
	// meaning to it. The error says what to write instead.
	New func(in schema.Type, params []Literal) (Aggregate, error)
}
