package expr

// and is CEL's &&: false as soon as a term is false, wherever it stands, even if
// others fail or are null; else the first failure; else true. or is the same
// with true.
func and(terms []node) reader[bool] { return absorbing(terms, false) }

func or(terms []node) reader[bool] { return absorbing(terms, true) }

// absorbing decides at the first term that gives the deciding value. Three terms
// and more are pairs of the first and the rest.
func absorbing(terms []node, deciding bool) reader[bool] {
	a, aNull := terms[0].bools, terms[0].isNull()
	rest := terms[1]
	if len(terms) > 2 {
		rest = boolNode(absorbing(terms[1:], deciding))
	}
	b, bNull := rest.bools, rest.isNull()
	return func(r *run) (bool, state) {
		x, s := a(r)
		if s != valid {
			return absorb(r, s, aNull, b, deciding)
		}
		if x == deciding {
			return x, valid
		}
		if x, s = b(r); s != valid {
			return false, r.need(s, bNull)
		}
		return x, valid
	}
}

// absorb goes on after a term that is not valid: the other may decide.
func absorb(r *run, s state, isNull *fault, b reader[bool], deciding bool) (bool, state) {
	r.need(s, isNull)
	first := r.fault
	if x, s := b(r); s == valid && x == deciding {
		return x, valid
	}
	return false, r.fail(first)
}

func not(n node) reader[bool] {
	return unary(n, n.bools, func(x bool) (bool, *fault) { return !x, nil })
}

// choose is c ? a : b. Null is a possible branch.
func choose(c, a, b node) (node, bool) {
	k := a.kind
	if k == kindNull {
		k = b.kind
	}
	if c.kind != kindBool || k == kindNull || a.kind != k && a.kind != kindNull || b.kind != k && b.kind != kindNull {
		return node{}, false
	}
	n := node{kind: k, zoned: a.zoned || b.zoned}
	switch k {
	case kindBool:
		n.bools = branch(c, a.bools, b.bools)
	case kindInt, kindSpan:
		n.ints = branch(c, a.ints, b.ints)
	case kindDouble:
		n.floats = branch(c, a.floats, b.floats)
	case kindString, kindBytes:
		n.texts = branch(c, a.texts, b.texts)
	case kindTime:
		n.times = branch(c, a.times, b.times)
	}
	return n, true
}

// branch takes nil for a branch that is null.
func branch[T any](nc node, a, b reader[T]) reader[T] {
	c, isNull := nc.bools, nc.isNull()
	if a == nil {
		a = noValue[T]
	}
	if b == nil {
		b = noValue[T]
	}
	return func(r *run) (zero T, _ state) {
		x, s := c(r)
		if s != valid {
			return zero, r.need(s, isNull)
		}
		if x {
			return a(r)
		}
		return b(r)
	}
}

func noValue[T any](*run) (zero T, _ state) { return zero, null }
