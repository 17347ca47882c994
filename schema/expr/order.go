package expr

import (
	"bytes"
	"cmp"
	"math"

	"cel.dev/cel-go/common/operators"

	"github.com/tidemark-io/tidemark/schema"
)

// outcomes is a set of results of a comparison.
type outcomes uint8

const (
	less outcomes = 1 << iota
	same
	greater
)

var orders = map[string]outcomes{
	operators.Less: less, operators.LessEquals: less | same,
	operators.Greater: greater, operators.GreaterEquals: greater | same,
}

// flipped are the outcomes with the operands exchanged.
func (o outcomes) flipped() outcomes {
	return o&same | o&less<<2 | o&greater>>2
}

func (o outcomes) has(c int) bool { return o&(1<<(sign(c)+1)) != 0 }

func sign(c int) int { return cmp.Compare(c, 0) }

// order builds <, <=, > and >=, of an int and a double too: as doubles.
func order(op string, args []node) (node, bool) {
	want, ok := orders[op]
	if !ok || len(args) != 2 {
		return node{}, false
	}
	a, b := args[0], args[1]
	switch {
	case a.kind == kindInt && b.kind == kindDouble:
		a = asDouble(a)
	case a.kind == kindDouble && b.kind == kindInt:
		b = asDouble(b)
	}
	if a.kind != b.kind {
		return node{}, false
	}
	if read, ok := orderConstant(a, b, want); ok {
		return boolNode(read), true
	}
	if read, ok := orderConstant(b, a, want.flipped()); ok {
		return boolNode(read), true
	}
	switch a.kind {
	case kindBool:
		return boolNode(orderBy(a, b, a.bools, b.bools, compareBools, want)), true
	case kindInt, kindSpan:
		return boolNode(orderBy(a, b, a.ints, b.ints, cmp.Compare[int64], want)), true
	case kindDouble:
		return boolNode(orderDoubles(a, b, want)), true
	case kindString, kindBytes:
		return boolNode(orderBy(a, b, a.texts, b.texts, bytes.Compare, want)), true
	case kindTime:
		return boolNode(orderBy(a, b, a.times, b.times, instant.compare, want)), true
	}
	return node{}, false
}

func compareBools(x, y bool) int {
	switch {
	case x == y:
		return 0
	case y:
		return -1
	}
	return 1
}

func orderBy[T any](na, nb node, a, b reader[T], compare func(x, y T) int, want outcomes) reader[bool] {
	aNull, bNull := na.isNull(), nb.isNull()
	return func(r *run) (bool, state) {
		x, s := a(r)
		if s != valid {
			return false, r.need(s, aNull)
		}
		y, s := b(r)
		if s != valid {
			return false, r.need(s, bNull)
		}
		return want.has(compare(x, y)), valid
	}
}

// orderDoubles: CEL looks for a NaN on the left before it looks for a null on
// the right, so that NaN < null is false and null < NaN an error.
func orderDoubles(na, nb node, want outcomes) reader[bool] {
	a, b, aNull, bNull := na.floats, nb.floats, na.isNull(), nb.isNull()
	return func(r *run) (bool, state) {
		x, s := a(r)
		if s != valid {
			return false, r.need(s, aNull)
		}
		y, s := b(r)
		if s != valid {
			if s == null && x != x {
				return false, valid
			}
			return false, r.need(s, bNull)
		}
		return x < y && want&less != 0 || x == y && want&same != 0 || x > y && want&greater != 0, valid
	}
}

// asDouble reads an int as the double nearest to it.
func asDouble(n node) node {
	read := n.ints
	d := doubleNode(func(r *run) (float64, state) {
		x, s := read(r)
		return float64(x), s
	})
	d.name, d.constant = n.name, n.constant
	return d
}

// orderConstant compares with a number that is known: x lies in a range. A
// field is read without another call.
func orderConstant(a, b node, want outcomes) (reader[bool], bool) {
	if !b.constant {
		return nil, false
	}
	switch b.kind {
	case kindInt, kindSpan:
		c, s := b.ints(&run{})
		if lo, hi, ok := intRange(c, want); ok && s == valid {
			return withinInts(a, lo, hi), true
		}
	case kindDouble:
		c, s := b.floats(&run{})
		if s == valid && !math.IsNaN(c) {
			lo, hi := doubleRange(c, want)
			return withinDoubles(a, lo, hi), true
		}
	}
	return nil, false
}

// intRange are the numbers that compare with c as wanted; ok is false if there
// are none.
func intRange(c int64, want outcomes) (lo, hi int64, ok bool) {
	lo, hi = math.MinInt64, math.MaxInt64
	switch want {
	case less:
		return lo, c - 1, c != lo
	case less | same:
		return lo, c, true
	case greater:
		return c + 1, hi, c != hi
	}
	return c, hi, true
}

func doubleRange(c float64, want outcomes) (lo, hi float64) {
	lo, hi = math.Inf(-1), math.Inf(1)
	switch want {
	case less:
		if c == lo {
			return 1, 0 // none
		}
		return lo, math.Nextafter(c, lo)
	case less | same:
		return lo, c
	case greater:
		if c == hi {
			return 1, 0
		}
		return math.Nextafter(c, hi), hi
	}
	return c, hi
}

func within[T cmp.Ordered](na node, a reader[T], lo, hi T) reader[bool] {
	isNull := na.isNull()
	return func(r *run) (bool, state) {
		x, s := a(r)
		if s != valid {
			return false, r.need(s, isNull)
		}
		return x >= lo && x <= hi, valid
	}
}

func withinInts(a node, lo, hi int64) reader[bool] {
	if !a.direct {
		return within(a, a.ints, lo, hi)
	}
	slot, isNull := a.slot, a.isNull()
	return func(r *run) (bool, state) {
		v := &r.row[slot]
		if v.Kind != schema.KindInt {
			return false, r.fail(isNull)
		}
		return int64(v.Num) >= lo && int64(v.Num) <= hi, valid
	}
}

func withinDoubles(a node, lo, hi float64) reader[bool] {
	if !a.direct {
		return within(a, a.floats, lo, hi)
	}
	slot, isNull := a.slot, a.isNull()
	return func(r *run) (bool, state) {
		v := &r.row[slot]
		if v.Kind != schema.KindFloat {
			return false, r.fail(isNull)
		}
		x := math.Float64frombits(v.Num)
		return x >= lo && x <= hi, valid
	}
}
