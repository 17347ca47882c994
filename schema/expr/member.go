package expr

import "bytes"

// listed is how many constants a list may have to be looked through, and not in
// a set.
const listed = 8

// member builds `x in [...]`: equality with any of them. The values of the list
// count all, so that one that fails makes the whole fail.
func member(x node, list []node) (node, bool) {
	if len(list) == 0 {
		return constantBool(false), true // CEL doesn't look at x either
	}
	constant := true
	for _, item := range list {
		if item.kind != x.kind || item.kind == kindNull {
			return node{}, false
		}
		constant = constant && item.constant
	}
	switch x.kind {
	case kindBool:
		return boolNode(among(x.bools, readersOf(list, func(n node) reader[bool] { return n.bools }), func(a, b bool) bool { return a == b })), true
	case kindInt, kindSpan:
		items := readersOf(list, func(n node) reader[int64] { return n.ints })
		if constant {
			return boolNode(inSet(x.ints, items)), true
		}
		return boolNode(among(x.ints, items, func(a, b int64) bool { return a == b })), true
	case kindDouble:
		items := readersOf(list, func(n node) reader[float64] { return n.floats })
		if constant {
			return boolNode(inSet(x.floats, items)), true
		}
		return boolNode(among(x.floats, items, func(a, b float64) bool { return a == b })), true
	case kindString, kindBytes:
		items := readersOf(list, func(n node) reader[[]byte] { return n.texts })
		if constant {
			return boolNode(inTexts(x.texts, items)), true
		}
		return boolNode(among(x.texts, items, bytes.Equal)), true
	case kindTime:
		return boolNode(among(x.times, readersOf(list, func(n node) reader[instant] { return n.times }), func(a, b instant) bool { return a == b })), true
	}
	return node{}, false
}

func readersOf[T any](list []node, of func(node) reader[T]) []reader[T] {
	out := make([]reader[T], len(list))
	for i, n := range list {
		out[i] = of(n)
	}
	return out
}

// among evaluates every item.
func among[T any](x reader[T], items []reader[T], equal func(a, b T) bool) reader[bool] {
	return func(r *run) (bool, state) {
		a, sa := x(r)
		if sa == failed {
			return false, failed
		}
		found := false
		for _, item := range items {
			b, sb := item(r)
			if sb == failed {
				return false, failed
			}
			found = found || sa == sb && (sa == null || equal(a, b))
		}
		return found, valid
	}
}

// inSet looks among constants, which are not null.
func inSet[T comparable](x reader[T], items []reader[T]) reader[bool] {
	values, set := make([]T, len(items)), map[T]bool{}
	for i, item := range items {
		values[i], _ = item(&run{})
		set[values[i]] = true
	}
	if len(values) > listed {
		return func(r *run) (bool, state) {
			a, s := x(r)
			if s == failed {
				return false, failed
			}
			return s == valid && set[a], valid
		}
	}
	return func(r *run) (bool, state) {
		a, s := x(r)
		if s == failed {
			return false, failed
		}
		for _, v := range values {
			if s == valid && a == v {
				return true, valid
			}
		}
		return false, valid
	}
}

func inTexts(x reader[[]byte], items []reader[[]byte]) reader[bool] {
	values, set := make([]string, len(items)), map[string]bool{}
	for i, item := range items {
		text, _ := item(&run{})
		values[i] = string(text)
		set[values[i]] = true
	}
	if len(values) > listed {
		return func(r *run) (bool, state) {
			a, s := x(r)
			if s == failed {
				return false, failed
			}
			return s == valid && set[string(a)], valid
		}
	}
	return func(r *run) (bool, state) {
		a, s := x(r)
		if s == failed {
			return false, failed
		}
		for _, v := range values {
			if s == valid && string(a) == v {
				return true, valid
			}
		}
		return false, valid
	}
}
