package reconcile

import (
	"bytes"
	"math"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/window"
)

// How the values of windows are put together to one total.
const (
	methodSum      = "sum"
	methodMean     = "mean weighted by events"
	methodLeast    = "least"
	methodGreatest = "greatest"
)

func methodOf(f window.Func) string {
	switch f {
	case window.Mean:
		return methodMean
	case window.Min:
		return methodLeast
	case window.Max:
		return methodGreatest
	}
	return methodSum
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
		method := methodOf(t.aggs[i].Func)
		if p.after != nil {
			t.after[i].add(method, p.after.row.Values[i], float64(p.after.counts[i]))
		}
		if !p.before.exists() {
			continue
		}
		weight := float64(p.before.row.Events)
		if p.after != nil && p.after.counts[i] > 0 {
			weight *= float64(p.after.counts[i]) / float64(p.after.row.Events)
		}
		t.before[i].add(method, p.before.row.Values[i], weight)
	}
}

// of gives the totals for a plan.
func (t *totals) of(output string) []Total {
	out := make([]Total, len(t.aggs))
	for i, a := range t.aggs {
		method := methodOf(a.Func)
		b, f := t.before[i].value(method), t.after[i].value(method)
		out[i] = Total{Output: output, Aggregate: a.Name, Func: a.Func.String(), Method: method, Before: b, After: f, Delta: minus(f, b)}
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
}

func (a *accumulated) add(method string, v schema.Value, weight float64) {
	if v.IsNull() {
		return
	}
	first := !a.any
	a.any = true
	switch method {
	case methodMean:
		a.isFloat = true
		a.addFloat(v.Float() * weight)
		a.weight += weight
	case methodLeast:
		if first || compareValues(v, a.extreme) < 0 {
			a.extreme = numberOf(v).v
		}
	case methodGreatest:
		if first || compareValues(v, a.extreme) > 0 {
			a.extreme = numberOf(v).v
		}
	default:
		a.addSum(v)
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

func (a *accumulated) value(method string) Number {
	switch {
	case !a.any:
		return Number{}
	case method == methodLeast || method == methodGreatest:
		return Number{a.extreme}
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

func compareValues(a, b schema.Value) int {
	switch a.Kind {
	case schema.KindInt, schema.KindBool:
		switch x, y := a.Int(), b.Int(); {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	case schema.KindFloat:
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
	af, aOK := a.Float()
	bf, bOK := b.Float()
	if !aOK || !bOK {
		return Number{}
	}
	return floatNumber(af - bf)
}
