package expr

// and is CEL's &&: false as soon as a term is false, wherever it stands, even if
// others fail or are null; else the first failure; else true. or is the same
// with true.
func and(terms []node) reader[bool] { return absorbing(terms, false) }

func or(terms []node) reader[bool] { return absorbing(terms, true) }

// absorbing decides at the first term that gives the deciding value.
func absorbing(nodes []node, deciding bool) reader[bool] {
	terms, nulls := make([]reader[bool], len(nodes)), make([]*fault, len(nodes))
	for i, n := range nodes {
		terms[i], nulls[i] = n.bools, n.isNull()
	}
	rest := func(r *run, i int, s state) (bool, state) {
		r.need(s, nulls[i])
		first := r.fault
		for _, term := range terms[i+1:] {
			if x, s := term(r); s == valid && x == deciding {
				return deciding, valid
			}
		}
		return false, r.fail(first)
	}
	if len(terms) == 2 {
		a, b := terms[0], terms[1]
		return func(r *run) (bool, state) {
			x, s := a(r)
			if s != valid {
				return rest(r, 0, s)
			}
			if x == deciding {
				return x, valid
			}
			if x, s = b(r); s != valid {
				return rest(r, 1, s)
			}
			return x, valid
		}
	}
	return func(r *run) (bool, state) {
		for i, term := range terms {
			x, s := term(r)
			if s != valid {
				return rest(r, i, s)
			}
			if x == deciding {
				return x, valid
			}
		}
		return !deciding, valid
	}
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
