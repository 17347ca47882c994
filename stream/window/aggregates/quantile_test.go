package aggregates

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/tidemark-io/tidemark/schema"
)

// Every double lies in its bin, whose middle is within 1 % of it.
func TestBinsCoverAllDoubles(t *testing.T) {
	r := seeded(2)
	check := func(x float64) {
		t.Helper()
		key := binOf(x)
		if x < edge(key) || key < binInf && x >= edge(key+1) {
			t.Fatalf("%v is in bin %d, from %v to %v", x, key, edge(key), edge(key+1))
		}
		if d := math.Abs(middle(key)/x - 1); x >= 0x1p-1022 && x <= math.MaxFloat64 && d > 0.01 {
			t.Fatalf("bin %d of %v has the middle %v, %v away", key, x, middle(key), d)
		}
		if binOf(-x) != -key || middle(-key) != -middle(key) {
			t.Fatalf("%v and %v aren't in bins that mirror each other", x, -x)
		}
	}
	for range 100_000 {
		if x := math.Abs(math.Float64frombits(r.Uint64())); !math.IsNaN(x) && x > 0 {
			check(x)
		}
	}
	for key := int32(1); key < binInf; key++ {
		if lo := edge(key); lo > 0 {
			check(lo)
			check(math.Nextafter(edge(key+1), 0))
		}
	}
	check(math.SmallestNonzeroFloat64)
	check(math.MaxFloat64)
	check(math.Inf(1))
}

// A quantile is within 1 % of the value of its rank, as long as there are bins for all.
func TestQuantileIsWithinOnePercent(t *testing.T) {
	for _, c := range []struct {
		name string
		in   schema.Type
		draw func(*rand.Rand) schema.Value
	}{
		{"delays", longType, func(r *rand.Rand) schema.Value { return schema.IntValue(int64(r.NormFloat64()*r.ExpFloat64()*60) - 5) }},
		{"twelve orders of magnitude", doubleType, func(r *rand.Rand) schema.Value {
			return schema.FloatValue(math.Exp(r.Float64() * 12 * math.Ln10))
		}},
		{"all negative", doubleType, func(r *rand.Rand) schema.Value { return schema.FloatValue(-r.ExpFloat64()) }},
		{"few values and infinities", doubleType, func(r *rand.Rand) schema.Value {
			return schema.FloatValue([]float64{math.Inf(-1), -3, math.Copysign(0, -1), 0, 7, math.Inf(1)}[r.IntN(6)])
		}},
	} {
		r := seeded(3)
		for range 40 {
			values := draws(r, 1+r.IntN(40)*r.IntN(40), c.draw)
			sorted := sortedNumbers(values)
			for _, q := range []float64{0, 0.01, 0.25, 0.5, 0.9, 0.95, 0.99, 1} {
				got := valueOf(t, made(t, "quantile", c.in, number(q)), values).Float()
				want := sorted[int(q*float64(len(sorted)-1))]
				if got != want && !(math.Abs(got-want) <= 0.01*math.Abs(want)) {
					t.Errorf("%s: quantile %v of %d values is %v, want %v", c.name, q, len(values), got, want)
				}
				if (q == 0 || q == 1) && got != want {
					t.Errorf("%s: the outermost of %d values is %v, want %v", c.name, len(values), got, want)
				}
			}
		}
	}
}

func sortedNumbers(values []schema.Value) []float64 {
	out := make([]float64, len(values))
	for i, v := range values {
		out[i] = v.Float()
		if v.Kind == schema.KindInt {
			out[i] = float64(v.Int())
		}
	}
	slices.Sort(out)
	return out
}

// Values of any magnitude take no more than binsMax bins; the lowest count as 0, the others stay within 1 %. The
// oracle counts bins in a map.
func TestQuantileOfWildValuesIsBounded(t *testing.T) {
	r := seeded(4)
	values := draws(r, 20_000, func(r *rand.Rand) schema.Value {
		return schema.FloatValue(math.Ldexp(r.NormFloat64(), r.IntN(1800)-900))
	})
	agg := made(t, "quantile", doubleType, number(0.5))
	a := filled(t, agg, values)
	held := map[int32]int{}
	for _, v := range values {
		held[binOf(v.Float())]++
	}
	var keys []int32
	for key := range held {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b int32) int {
		if below(a, b) {
			return 1
		}
		return -1
	})
	s := a.(*sketch)
	if len(s.bins.keys) != binsMax || len(keys) <= binsMax {
		t.Fatalf("%d bins of %d are held, want %d", len(s.bins.keys), len(keys), binsMax)
	}
	kept := 0
	for _, key := range keys[:binsMax] {
		i := slices.Index(s.bins.keys, key)
		if i < 0 || s.bins.counts[i] != uint64(held[key]) {
			t.Fatalf("bin %d, one of the greatest, is not held with %d values", key, held[key])
		}
		kept += held[key]
	}
	if s.bins.zero != uint64(len(values)-kept) {
		t.Errorf("%d count as 0, want %d", s.bins.zero, len(values)-kept)
	}
	if n := a.Bytes(); n > 40<<10 {
		t.Errorf("the sketch holds %d bytes", n)
	}
	if n := len(a.Append(nil)); n > 10<<10 {
		t.Errorf("the sketch takes %d bytes", n)
	}
	sorted := sortedNumbers(values)
	for _, q := range []float64{0.01, 0.99} { // far from the 0 in the middle
		got := valueIn(t, made(t, "quantile", doubleType, number(q)), a).Float()
		if want := sorted[int(q*float64(len(sorted)-1))]; math.Abs(got/want-1) > 0.01 {
			t.Errorf("quantile %v is %v, want %v", q, got, want)
		}
	}
}

// A NaN makes every quantile NaN, and the state forgets the rest.
func TestQuantileOfNaN(t *testing.T) {
	values := []schema.Value{schema.FloatValue(1), schema.FloatValue(math.NaN()), schema.FloatValue(2)}
	agg := made(t, "quantile", doubleType, number(0.5))
	a := filled(t, agg, values)
	if v := valueIn(t, agg, a); !math.IsNaN(v.Float()) {
		t.Errorf("the quantile is %v", v)
	}
	if b := a.Append(nil); len(b) != 1 {
		t.Errorf("the state is %x", b)
	}
}

// Quantiles of one argument share a sketch.
func TestQuantilesShareACell(t *testing.T) {
	p50, p99 := made(t, "quantile", longType, number(0.5)), made(t, "quantile", longType, number(0.99))
	if p50.Cell() != p99.Cell() {
		t.Errorf("%q and %q", p50.Cell(), p99.Cell())
	}
}
