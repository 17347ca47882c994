package expr

import (
	"math"

	"github.com/tidemark-io/tidemark/schema"
)

// state says what a reader gave.
type state uint8

const (
	valid  state = iota
	null         // the value is null, the reader's first result is zero
	failed       // run.fault says why
)

// run is what the readers of one Eval, its lets included, share: the event in
// hand.
type run struct {
	row   []schema.Value
	event uint64 // counts events, so that a let knows whether its value is of this one
	fault *fault // why the last reader failed
	text  []byte // strings and bytes made for this event
}

// fail notes why.
func (r *run) fail(f *fault) state {
	r.fault = f
	return failed
}

// need is the state of an operation that got s, not valid, for an operand.
func (r *run) need(s state, isNull *fault) state {
	if s == null {
		r.fault = isNull
	}
	return failed
}

// reader computes a value of an expression for the event in hand.
type reader[T any] func(*run) (T, state)

// kind is the CEL type of a node, as far as it is compiled.
type kind uint8

const (
	kindNull kind = iota
	kindBool
	kindInt
	kindDouble
	kindString
	kindBytes
	kindTime
	kindSpan // CEL's duration, in nanoseconds
)

var kindNames = [...]string{"null", "bool", "int", "double", "string", "bytes", "timestamp", "duration"}

func (k kind) String() string { return kindNames[k] }

// node is a compiled expression: the one reader that its kind says.
type node struct {
	kind   kind
	bools  reader[bool]
	ints   reader[int64] // of int and duration
	floats reader[float64]
	texts  reader[[]byte] // of string and bytes
	times  reader[instant]

	name     string // the field or let that it is, else empty
	direct   bool   // it is run.row[slot], of kind int, double, string or bytes
	slot     int
	constant bool
	zoned    bool // a timestamp whose text may have had an offset: string() shows it
}

func boolNode(r reader[bool]) node      { return node{kind: kindBool, bools: r} }
func intNode(r reader[int64]) node      { return node{kind: kindInt, ints: r} }
func doubleNode(r reader[float64]) node { return node{kind: kindDouble, floats: r} }
func timeNode(r reader[instant]) node   { return node{kind: kindTime, times: r} }
func spanNode(r reader[int64]) node     { return node{kind: kindSpan, ints: r} }

// textNode is a string or bytes.
func textNode(k kind, r reader[[]byte]) node { return node{kind: k, texts: r} }

// isNull is the fault of an operation that cannot take n's null.
func (n node) isNull() *fault { return nullFault(n.name) }

// state evaluates n for its state alone.
func (n node) state() func(*run) state {
	if n.direct {
		slot := n.slot
		return func(r *run) state {
			if r.row[slot].Kind == schema.KindNull {
				return null
			}
			return valid
		}
	}
	switch n.kind {
	case kindBool:
		return stateOf(n.bools)
	case kindInt, kindSpan:
		return stateOf(n.ints)
	case kindDouble:
		return stateOf(n.floats)
	case kindString, kindBytes:
		return stateOf(n.texts)
	case kindTime:
		return stateOf(n.times)
	}
	return func(*run) state { return null }
}

func stateOf[T any](read reader[T]) func(*run) state {
	return func(r *run) state {
		_, s := read(r)
		return s
	}
}

// storable reports whether n can be a Value.
func (n *node) storable() bool { return n.kind != kindNull && n.kind != kindSpan }

// store evaluates n into a Value, a timestamp in the given unit. What is not
// valid is null there. (A Value is too large to be handed from closure to
// closure, and so is it to be assigned as a whole.)
func (n *node) store(r *run, out *schema.Value, perSecond int64) (s state) {
	out.Kind, out.Num, out.Bytes = schema.KindNull, 0, nil
	switch n.kind {
	case kindBool:
		var x bool
		if x, s = n.bools(r); s == valid {
			out.Kind = schema.KindBool
			if x {
				out.Num = 1
			}
		}
	case kindInt:
		var x int64
		if x, s = n.ints(r); s == valid {
			out.Kind, out.Num = schema.KindInt, uint64(x)
		}
	case kindDouble:
		var x float64
		if x, s = n.floats(r); s == valid {
			out.Kind, out.Num = schema.KindFloat, math.Float64bits(x)
			if x != x {
				out.Num = schema.CanonicalNaN
			}
		}
	case kindString, kindBytes:
		var x []byte
		if x, s = n.texts(r); s == valid {
			out.Kind, out.Bytes = schema.KindString, x
			if n.kind == kindBytes {
				out.Kind = schema.KindBytes
			}
		}
	case kindTime:
		var x instant
		if x, s = n.times(r); s == valid {
			v, ok := x.in(perSecond)
			if !ok {
				return r.fail(faultNanos)
			}
			out.Kind, out.Num = schema.KindInt, uint64(v)
		}
	default:
		return null
	}
	return s
}
