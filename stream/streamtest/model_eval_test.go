package streamtest

import (
	"cmp"
	"errors"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// errEval is an expression that comes to nothing: it says why only for whoever debugs.
var errEval = errors.New("no value")

// eval is what the expression means over a row: nil is null; values are bool, int64, float64, string, time.Time.
func (e *metaExpr) eval(row map[string]any) (any, error) {
	switch e.op {
	case "field":
		if stamp, ok := row[e.name].(oracleStamp); ok {
			return stamp.at(), nil
		}
		return row[e.name], nil
	case "lit":
		return e.lit, nil
	case "let":
		return e.kids[0].eval(row)
	case "&&", "||":
		return e.evalLogic(row)
	case "?:":
		c, err := e.kids[0].eval(row)
		if err != nil || c == nil {
			return nil, errEval
		}
		if c.(bool) {
			return e.kids[1].eval(row)
		}
		return e.kids[2].eval(row)
	}
	args := make([]any, len(e.kids))
	for i, k := range e.kids {
		var err error
		if args[i], err = k.eval(row); err != nil {
			return nil, err
		}
		if args[i] == nil && !e.takesNull() {
			if nan, ok := args[0].(float64); ok && i == 1 && math.IsNaN(nan) && strings.Contains("<=>=", e.op) {
				return false, nil // CEL looks for a NaN on the left first
			}
			return nil, errEval
		}
	}
	return e.apply(args)
}

func (e *metaExpr) takesNull() bool {
	return slices.Contains([]string{"==", "!=", "isnull", "notnull", "in"}, e.op)
}

// evalLogic: whoever decides decides, whatever the other comes to.
func (e *metaExpr) evalLogic(row map[string]any) (any, error) {
	deciding, bad := e.op == "||", false
	for _, k := range e.kids {
		v, err := k.eval(row)
		if err != nil || v == nil {
			bad = true
		} else if v.(bool) == deciding {
			return deciding, nil
		}
	}
	if bad {
		return nil, errEval
	}
	return !deciding, nil
}

func (e *metaExpr) apply(args []any) (any, error) {
	switch e.op {
	case "isnull":
		return args[0] == nil, nil
	case "notnull":
		return args[0] != nil, nil
	case "==":
		return equalValues(args[0], args[1]), nil
	case "!=":
		return !equalValues(args[0], args[1]), nil
	case "in":
		return slices.ContainsFunc(e.list, func(v any) bool { return equalValues(args[0], v) }), nil
	case "!":
		return !args[0].(bool), nil
	case "<", "<=", ">", ">=":
		return ordered(e.op, args[0], args[1]), nil
	case "startsWith":
		return strings.HasPrefix(args[0].(string), args[1].(string)), nil
	case "size":
		return int64(utf8.RuneCountInString(args[0].(string))), nil
	case "double":
		return float64(args[0].(int64)), nil
	case "string":
		return strconv.FormatInt(args[0].(int64), 10), nil
	case "int":
		if t, ok := args[0].(time.Time); ok {
			return t.Unix(), nil
		}
		f := args[0].(float64)
		if !(f > math.MinInt64 && f < math.MaxInt64) {
			return nil, errEval
		}
		return int64(f), nil
	}
	if t, ok := args[0].(time.Time); ok {
		return calendar(e.op, t.UTC()), nil
	}
	return arithmetic(e.op, args)
}

func calendar(op string, t time.Time) any {
	return map[string]int64{"getHours": int64(t.Hour()), "getMinutes": int64(t.Minute()), "getDayOfWeek": int64(t.Weekday()),
		"getDayOfMonth": int64(t.Day() - 1), "getMonth": int64(t.Month() - 1), "getFullYear": int64(t.Year())}[op]
}

func equalValues(a, b any) bool {
	if t, ok := a.(time.Time); ok {
		u, ok := b.(time.Time)
		return ok && t.Equal(u)
	}
	return a == b // of floats IEEE's: NaN is equal to nothing
}

func ordered(op string, a, b any) bool {
	var less, same bool
	switch x := a.(type) {
	case bool:
		y := b.(bool)
		less, same = !x && y, x == y
	case string:
		less, same = x < b.(string), x == b.(string)
	case time.Time:
		less, same = x.Before(b.(time.Time)), x.Equal(b.(time.Time))
	case int64:
		if y, ok := b.(int64); ok {
			less, same = cmp.Less(x, y), x == y
			break
		}
		return orderedFloats(op, float64(x), b.(float64))
	case float64:
		if y, ok := b.(int64); ok {
			return orderedFloats(op, x, float64(y))
		}
		return orderedFloats(op, x, b.(float64))
	}
	switch op {
	case "<":
		return less
	case "<=":
		return less || same
	case ">":
		return !less && !same
	}
	return !less
}

func orderedFloats(op string, x, y float64) bool {
	switch op {
	case "<":
		return x < y
	case "<=":
		return x <= y
	case ">":
		return x > y
	}
	return x >= y
}

// arithmetic: of ints by big numbers, what doesn't fit 64 bits is an error.
func arithmetic(op string, args []any) (any, error) {
	switch x := args[0].(type) {
	case string:
		return x + args[1].(string), nil
	case float64:
		if op == "neg" {
			return -x, nil
		}
		y := args[1].(float64)
		switch op {
		case "+":
			return x + y, nil
		case "-":
			return x - y, nil
		case "*":
			return x * y, nil
		}
		return x / y, nil
	}
	x, z := big.NewInt(args[0].(int64)), new(big.Int)
	if op == "neg" {
		z.Neg(x)
		return wordOf(z)
	}
	y := big.NewInt(args[1].(int64))
	switch op {
	case "+":
		z.Add(x, y)
	case "-":
		z.Sub(x, y)
	case "*":
		z.Mul(x, y)
	default:
		if y.Sign() == 0 {
			return nil, errEval
		}
		q, rest := new(big.Int).QuoRem(x, y, z)
		if !q.IsInt64() { // the least number by -1, of which CEL has no remainder either
			return nil, errEval
		}
		if z = q; op == "%" {
			z = rest
		}
	}
	return wordOf(z)
}

func wordOf(z *big.Int) (any, error) {
	if !z.IsInt64() {
		return nil, errEval
	}
	return z.Int64(), nil
}
