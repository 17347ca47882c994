package expr

import (
	"math"

	"cel.dev/cel-go/common/operators"
)

const (
	opAdd      = operators.Add
	opSubtract = operators.Subtract
	opMultiply = operators.Multiply
	opDivide   = operators.Divide
	opModulo   = operators.Modulo
	opNegate   = operators.Negate
)

// unary applies a function that wants a value.
func unary[A, R any](na node, a reader[A], f func(A) (R, *fault)) reader[R] {
	isNull := na.isNull()
	return func(r *run) (out R, _ state) {
		x, s := a(r)
		if s != valid {
			return out, r.need(s, isNull)
		}
		out, fault := f(x)
		if fault != nil {
			return out, r.fail(fault)
		}
		return out, valid
	}
}

// binary applies a function that wants two values.
func binary[A, B, R any](na, nb node, a reader[A], b reader[B], f func(A, B) (R, *fault)) reader[R] {
	aNull, bNull := na.isNull(), nb.isNull()
	return func(r *run) (out R, _ state) {
		x, s := a(r)
		if s != valid {
			return out, r.need(s, aNull)
		}
		y, s := b(r)
		if s != valid {
			return out, r.need(s, bNull)
		}
		out, fault := f(x, y)
		if fault != nil {
			return out, r.fail(fault)
		}
		return out, valid
	}
}

// arithmetic builds + - * / % and unary - of numbers, and + of texts.
func arithmetic(op string, args []node) (node, bool) {
	a := args[0]
	if len(args) == 1 {
		switch {
		case op == opNegate && a.kind == kindInt:
			return intNode(unary(a, a.ints, negate)), true
		case op == opNegate && a.kind == kindDouble:
			return doubleNode(unary(a, a.floats, func(x float64) (float64, *fault) { return -x, nil })), true
		}
		return node{}, false
	}
	b := args[1]
	if len(args) != 2 || a.kind != b.kind {
		return node{}, false
	}
	switch a.kind {
	case kindInt:
		if f, ok := intOps[op]; ok {
			return intNode(binary(a, b, a.ints, b.ints, f)), true
		}
	case kindDouble:
		if f, ok := doubleOps[op]; ok {
			return doubleNode(binary(a, b, a.floats, b.floats, f)), true
		}
	case kindString, kindBytes:
		if op == opAdd {
			return textNode(a.kind, concat(a, b)), true
		}
	}
	return node{}, false
}

var intOps = map[string]func(x, y int64) (int64, *fault){
	opAdd: add, opSubtract: subtract, opMultiply: multiply, opDivide: divide, opModulo: modulo,
}

var doubleOps = map[string]func(x, y float64) (float64, *fault){
	opAdd:      func(x, y float64) (float64, *fault) { return x + y, nil },
	opSubtract: func(x, y float64) (float64, *fault) { return x - y, nil },
	opMultiply: func(x, y float64) (float64, *fault) { return x * y, nil },
	opDivide:   func(x, y float64) (float64, *fault) { return x / y, nil },
}

func add(x, y int64) (int64, *fault) {
	z := x + y
	if (z < x) != (y < 0) {
		return 0, faultOverflow
	}
	return z, nil
}

func subtract(x, y int64) (int64, *fault) {
	z := x - y
	if (z > x) != (y < 0) {
		return 0, faultOverflow
	}
	return z, nil
}

func multiply(x, y int64) (int64, *fault) {
	if x == 0 || y == 0 {
		return 0, nil
	}
	z := x * y
	if z/y != x || x == -1 && y == math.MinInt64 || y == -1 && x == math.MinInt64 {
		return 0, faultOverflow
	}
	return z, nil
}

func divide(x, y int64) (int64, *fault) {
	if y == 0 {
		return 0, faultDivision
	}
	if x == math.MinInt64 && y == -1 {
		return 0, faultOverflow
	}
	return x / y, nil
}

func modulo(x, y int64) (int64, *fault) {
	if y == 0 {
		return 0, faultModulus
	}
	if x == math.MinInt64 && y == -1 {
		return 0, faultOverflow
	}
	return x % y, nil
}

func negate(x int64) (int64, *fault) {
	if x == math.MinInt64 {
		return 0, faultOverflow
	}
	return -x, nil
}
