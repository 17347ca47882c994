package expr

import (
	"bytes"

	"github.com/tidemark-io/tidemark/schema"
)

// equality builds == (and != if negated): null equals null and nothing else.
func equality(a, b node, negated bool) (node, bool) {
	if a.constant || a.kind == kindNull {
		a, b = b, a
	}
	if b.kind == kindNull {
		return boolNode(nullTest(a.state(), negated)), true
	}
	if a.kind != b.kind {
		return node{}, false
	}
	switch a.kind {
	case kindBool:
		return boolNode(equal(a.bools, b.bools, negated)), true
	case kindInt, kindSpan:
		if b.constant {
			return boolNode(equalInt(a, b, negated)), true
		}
		return boolNode(equal(a.ints, b.ints, negated)), true
	case kindDouble:
		return boolNode(equal(a.floats, b.floats, negated)), true
	case kindString, kindBytes:
		if b.constant {
			return boolNode(equalText(a, b, negated)), true
		}
		return boolNode(equalBy(a.texts, b.texts, bytes.Equal, negated)), true
	case kindTime:
		return boolNode(equal(a.times, b.times, negated)), true
	}
	return node{}, false
}

func nullTest(read func(*run) state, negated bool) reader[bool] {
	return func(r *run) (bool, state) {
		s := read(r)
		if s == failed {
			return false, failed
		}
		return (s == null) != negated, valid
	}
}

func equal[T comparable](a, b reader[T], negated bool) reader[bool] {
	return equalBy(a, b, func(x, y T) bool { return x == y }, negated)
}

func equalBy[T any](a, b reader[T], same func(x, y T) bool, negated bool) reader[bool] {
	return func(r *run) (bool, state) {
		x, sx := a(r)
		if sx == failed {
			return false, failed
		}
		y, sy := b(r)
		if sy == failed {
			return false, failed
		}
		return (sx == sy && (sx == null || same(x, y))) != negated, valid
	}
}

// equalInt compares with a constant, a field without another call.
func equalInt(a, b node, negated bool) reader[bool] {
	c, s := b.ints(&run{})
	if s != valid {
		return equal(a.ints, b.ints, negated)
	}
	if a.direct {
		slot := a.slot
		return func(r *run) (bool, state) {
			v := &r.row[slot]
			return (v.Kind == schema.KindInt && int64(v.Num) == c) != negated, valid
		}
	}
	read := a.ints
	return func(r *run) (bool, state) {
		x, s := read(r)
		if s == failed {
			return false, failed
		}
		return (s == valid && x == c) != negated, valid
	}
}

func equalText(a, b node, negated bool) reader[bool] {
	constant, s := b.texts(&run{})
	if s != valid {
		return equalBy(a.texts, b.texts, bytes.Equal, negated)
	}
	c := string(constant)
	if a.direct {
		slot := a.slot
		return func(r *run) (bool, state) {
			v := &r.row[slot]
			return (v.Kind != schema.KindNull && string(v.Bytes) == c) != negated, valid
		}
	}
	read := a.texts
	return func(r *run) (bool, state) {
		x, s := read(r)
		if s == failed {
			return false, failed
		}
		return (s == valid && string(x) == c) != negated, valid
	}
}
