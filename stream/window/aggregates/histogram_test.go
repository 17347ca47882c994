package aggregates

import (
	"math"
	"math/big"
	"slices"
	"testing"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/window"
)

// A value counts in the bucket that lies between the right bounds, compared as rationals.
func TestHistogramIsExact(t *testing.T) {
	bounds := []window.Literal{number(-1e18), number(-2.5), whole(0), number(0.5), whole(7), whole(1 << 53), whole(math.MaxInt64)}
	r := seeded(10)
	for _, in := range []schema.Type{longType, doubleType} {
		draw := drawInt
		if in.Kind == schema.KindFloat {
			draw = drawInfinite
		}
		values := draws(r, 3000, draw)
		for _, x := range []float64{-2.5, -0.5, 0, 0.5, 7, 1 << 53} {
			if in.Kind == schema.KindFloat {
				values = append(values, schema.FloatValue(x), schema.FloatValue(math.Nextafter(x, -1e9)))
			} else {
				values = append(values, schema.IntValue(int64(x)), schema.IntValue(int64(x)-1))
			}
		}
		want := make([]int64, len(bounds)+1)
		for _, v := range values {
			want[bucketOracle(bounds, v)]++
		}
		agg := made(t, "histogram", in, list(bounds...))
		var got []int64
		for _, n := range avroValue(t, agg, valueOf(t, agg, values)).([]any) {
			got = append(got, n.(int64))
		}
		if !slices.Equal(got, want) {
			t.Errorf("histogram of %v is %v, want %v", in, got, want)
		}
	}
}

func bucketOracle(bounds []window.Literal, v schema.Value) int {
	if v.Kind == schema.KindFloat && math.IsInf(v.Float(), 0) {
		return map[bool]int{true: len(bounds), false: 0}[v.Float() > 0]
	}
	x := new(big.Rat).SetInt64(v.Int())
	if v.Kind == schema.KindFloat {
		x.SetFloat64(v.Float())
	}
	n := 0
	for _, l := range bounds {
		b := new(big.Rat).SetInt64(l.Int)
		if l.Kind == window.LiteralFloat {
			b.SetFloat64(l.Float)
		} else if v.Kind == schema.KindFloat {
			b.SetFloat64(float64(l.Int)) // a bound of doubles is a double
		}
		if x.Cmp(b) >= 0 {
			n++
		}
	}
	return n
}

// A NaN falls in no bucket; of nothing all are 0.
func TestHistogramOfNaN(t *testing.T) {
	agg := made(t, "histogram", doubleType, list(whole(0)))
	for _, values := range [][]schema.Value{nil, {schema.FloatValue(math.NaN())}} {
		if got := avroValue(t, agg, valueOf(t, agg, values)).([]any); len(got) != 2 || got[0] != int64(0) || got[1] != int64(0) {
			t.Errorf("histogram of %v is %v", values, got)
		}
	}
}
