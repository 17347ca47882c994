package reconcile

import (
	"bytes"
	"cmp"
	"math"
	"math/big"
	"strings"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/window"
)

// How the values of windows are put together to one total. What has none (top_k, text) has an empty method: a guard on it
// holds whatever changes.
const (
	methodNone     = ""
	methodSum      = "sum"
	methodMean     = "mean weighted by events"
	methodLeast    = "least"
	methodGreatest = "greatest"
	methodTrue     = "windows that are true"
)

func methodOf(a window.Agg) string {
	result := a.Result()
	switch a.Func {
	case window.Mean:
		return methodMean
	case window.Min:
		return methodLeast
	case window.Max:
		return methodGreatest
	case window.Custom:
		return methodOfCustom(cellName(a), result)
	}
	return methodSum
}

// methodOfCustom goes by what an aggregate keeps. Those of the program's own are taken for measures.
func methodOfCustom(cell string, result schema.Type) string {
	switch {
	case result.Raw != "":
		return methodNone
	case cell == "min":
		return methodLeast
	case cell == "max":
		return methodGreatest
	case cell == "truth":
		return methodTrue
	case cell == "hyperloglog", cell == "tally", cell == "distinct", result.Decimal() && cell == "decimal_sum":
		return methodSum
	case result.Timestamp():
		return methodNone
	case result.Kind == schema.KindInt, result.Kind == schema.KindFloat:
		return methodMean
	}
	return methodNone
}

// cellName is what a custom aggregate keeps, without version and parameters.
func cellName(a window.Agg) string {
	name, _, _ := strings.Cut(a.Custom.Cell(), "/")
	return name
}

func funcName(a window.Agg) string {
	if a.Func == window.Custom {
		return cellName(a)
	}
	return a.Func.String()
}

// totals adds up the aggregates of one output over windows, as published and as recomputed.
type totals struct {
	aggs          []window.Agg
	before, after []accumulated
}

func newTotals(aggs []window.Agg) *totals {
	return &totals{aggs: aggs, before: make([]accumulated, len(aggs)), after: make([]accumulated, len(aggs))}
}

// add takes one window. A mean counts as often as it has values: recomputed windows know how many. A published one tells
// its events only; where it equals the recomputed one the number is the same, otherwise it is taken to have the same share of
// values among its events (all of them, where the argument is never null: then the total is exact but for rounding).
func (t *totals) add(p pair) {
	for i := range t.aggs {
		method, typ := methodOf(t.aggs[i]), t.aggs[i].Result()
		if p.after != nil {
			t.after[i].add(method, typ, p.after.row.Values[i], float64(p.after.counts[i]))
		}
		if !p.before.exists() {
			continue
		}
		weight := float64(p.before.row.Events)
		if p.after != nil && p.after.counts[i] > 0 {
			weight *= float64(p.after.counts[i]) / float64(p.after.row.Events)
		}
		t.before[i].add(method, typ, p.before.row.Values[i], weight)
	}
}

// of gives the totals for a plan.
func (t *totals) of(output string) []Total {
	out := make([]Total, len(t.aggs))
	for i, a := range t.aggs {
		method, typ := methodOf(a), a.Result()
		b, f := t.before[i].value(method, typ), t.after[i].value(method, typ)
		out[i] = Total{Output: output, Aggregate: a.Name, Func: funcName(a), Method: method, Before: b, After: f, Delta: minus(f, b)}
	}
	return out
}

// accumulated is one side of one aggregate. Integers stay integers as long as they fit; floats are summed with Neumaier's
// compensation, in the order of the units, so that equal plans print equal totals.
type accumulated struct {
	any     bool
	isFloat bool
	i       int64
	sum, c  float64 // value is sum + c
	weight  float64
	extreme schema.Value
	exact   *big.Int // of decimals, unscaled
}

func (a *accumulated) add(method string, typ schema.Type, v schema.Value, weight float64) {
	if v.IsNull() || method == methodNone {
		return
	}
	first := !a.any
	a.any = true
	switch method {
	case methodMean:
		f := v.Float()
		if v.Kind == schema.KindInt {
			f = float64(v.Int())
		} else if typ.Decimal() {
			f, _ = new(big.Rat).SetFrac(unscaled(v.Bytes), power(typ.Scale)).Float64()
		}
		a.isFloat = true
		a.addFloat(f * weight)
		a.weight += weight
	case methodLeast:
		if first || compareValues(typ, v, a.extreme) < 0 {
			a.extreme = numberOf(v).v
		}
	case methodGreatest:
		if first || compareValues(typ, v, a.extreme) > 0 {
			a.extreme = numberOf(v).v
		}
	case methodTrue:
		a.i += v.Int()
	default:
		if !typ.Decimal() {
			a.addSum(v)
			return
		}
		if a.exact == nil {
			a.exact = new(big.Int)
		}
		a.exact.Add(a.exact, unscaled(v.Bytes))
	}
}

func (a *accumulated) addSum(v schema.Value) {
	if v.Kind == schema.KindInt && !a.isFloat {
		s := a.i + v.Int()
		if (s > a.i) == (v.Int() > 0) {
			a.i = s
			return
		}
		a.isFloat, a.sum = true, float64(a.i)
	}
	f := v.Float()
	if v.Kind == schema.KindInt {
		f = float64(v.Int())
	}
	a.isFloat = true
	a.addFloat(f)
}

func (a *accumulated) addFloat(f float64) {
	s := a.sum + f
	if math.Abs(a.sum) >= math.Abs(f) {
		a.c += (a.sum - s) + f
	} else {
		a.c += (f - s) + a.sum
	}
	a.sum = s
}

func (a *accumulated) value(method string, typ schema.Type) Number {
	switch {
	case !a.any:
		return Number{}
	case a.exact != nil:
		return decimalNumber(a.exact, typ.Scale)
	case method == methodLeast || method == methodGreatest:
		return extremeNumber(a.extreme, typ)
	case method == methodMean:
		return floatNumber(a.total() / a.weight)
	case a.isFloat:
		return floatNumber(a.total())
	}
	return intNumber(a.i)
}

func (a *accumulated) total() float64 {
	if math.IsInf(a.sum, 0) || math.IsNaN(a.sum) {
		return a.sum // the compensation of an infinity is no number
	}
	return a.sum + a.c
}

func compareValues(typ schema.Type, a, b schema.Value) int {
	switch {
	case typ.Decimal():
		return unscaled(a.Bytes).Cmp(unscaled(b.Bytes))
	case a.Kind == schema.KindInt || a.Kind == schema.KindBool:
		return cmp.Compare(a.Int(), b.Int())
	case a.Kind == schema.KindFloat:
		switch x, y := a.Float(), b.Float(); {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	}
	return bytes.Compare(a.Bytes, b.Bytes)
}

// minus is a - b where both are numbers; null otherwise.
func minus(a, b Number) Number {
	ai, aInt := a.Int()
	bi, bInt := b.Int()
	if aInt && bInt {
		if d := ai - bi; (d < ai) == (bi > 0) {
			return intNumber(d)
		}
	}
	if a.class == decimal && b.class == decimal && !a.IsNull() && !b.IsNull() {
		return minusDecimal(a, b)
	}
	af, aOK := a.Float()
	bf, bOK := b.Float()
	if !aOK || !bOK {
		return Number{}
	}
	return floatNumber(af - bf)
}
