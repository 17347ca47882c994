package aggregates

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/tidemark-io/tidemark/schema"
)

// varianceOracle is the variance in two passes over rationals, and the root of it with 3,000 bits.
func varianceOracle(values []schema.Value, population, root bool) (float64, bool) {
	n := len(values)
	total := new(big.Rat)
	rats := make([]*big.Rat, n)
	for i, v := range values {
		rats[i] = new(big.Rat)
		switch {
		case v.Kind == schema.KindInt:
			rats[i].SetInt64(v.Int())
		case math.IsNaN(v.Float()) || math.IsInf(v.Float(), 0):
			return math.NaN(), n > 1 || population
		default:
			rats[i].SetFloat64(v.Float())
		}
		total.Add(total, rats[i])
	}
	below := int64(n)
	if !population {
		below--
	}
	if below < 1 {
		return 0, false
	}
	mean := total.Quo(total, new(big.Rat).SetInt64(int64(n)))
	sum := new(big.Rat)
	for _, x := range rats {
		d := new(big.Rat).Sub(x, mean)
		sum.Add(sum, d.Mul(d, d))
	}
	sum.Quo(sum, new(big.Rat).SetInt64(below))
	if !root {
		f, _ := sum.Float64()
		return f, true
	}
	f := new(big.Float).SetPrec(3000).SetRat(sum)
	v, _ := f.Sqrt(f).Float64()
	return v, true
}

// All four equal the oracle to the bit.
func TestVarianceIsRoundedOnce(t *testing.T) {
	for _, c := range []struct {
		name string
		in   schema.Type
		draw func(*rand.Rand) schema.Value
	}{
		{"ints", longType, drawInt},
		{"doubles", doubleType, drawFinite},
		{"what isn't finite", doubleType, drawFloat},
		{"around 1e9", doubleType, func(r *rand.Rand) schema.Value { return schema.FloatValue(1e9 + r.Float64()) }},
		{"tiny", doubleType, func(r *rand.Rand) schema.Value { return schema.FloatValue(math.Ldexp(r.Float64(), -1060)) }},
		{"near 2^-480", doubleType, func(r *rand.Rand) schema.Value { return schema.FloatValue(math.Ldexp(r.Float64()+0.5, -480)) }},
		{"near 2^500", doubleType, func(r *rand.Rand) schema.Value { return schema.FloatValue(math.Ldexp(r.Float64()+0.5, 500)) }},
		{"huge", doubleType, func(r *rand.Rand) schema.Value { return schema.FloatValue(math.Ldexp(r.NormFloat64(), 1018)) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := seeded(1)
			for round := range 60 {
				values := draws(r, r.IntN(6)*r.IntN(6), c.draw)
				for i, name := range []string{"variance", "variance_pop", "stddev", "stddev_pop"} {
					want, some := varianceOracle(values, i%2 == 1, i > 1)
					got := valueOf(t, made(t, name, c.in), values)
					if got.IsNull() == some || some && got.Num != schema.FloatValue(want).Num {
						t.Fatalf("round %d, %s of %v is %v, want %v (null %v)", round, name, values, got, want, !some)
					}
				}
			}
		})
	}
}

// Sums of squares beyond 128 bits are exact too.
func TestVarianceOfGreatInts(t *testing.T) {
	values := make([]schema.Value, 40)
	for i := range values {
		values[i] = schema.IntValue(math.MinInt64 + int64(i%7))
	}
	want, _ := varianceOracle(values, false, false)
	if got := valueOf(t, made(t, "variance", longType), values); got.Float() != want {
		t.Errorf("variance is %v, want %v", got, want)
	}
}

// Bytes that say what no values come to are an error of Value, not a number.
func TestVarianceOfImpossibleSums(t *testing.T) {
	agg := made(t, "variance", longType)
	a := agg.New()
	if err := a.Decode([]byte{2, 1, 9, 1, 4}); err != nil { // two values, sum 9, squares 4
		t.Fatal(err)
	}
	if v, err := agg.Value(a, nil); err == nil {
		t.Errorf("the variance is %v", v)
	}
}

func FuzzQuotient(f *testing.F) {
	f.Add([]byte{1}, []byte{3})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1}, []byte{2})
	f.Fuzz(func(t *testing.T, a, b []byte) {
		num, den := new(big.Int).SetBytes(a[:min(len(a), 200)]), new(big.Int).SetBytes(b[:min(len(b), 200)])
		if den.Sign() == 0 {
			return
		}
		want, _ := new(big.Rat).SetFrac(num, den).Float64()
		if got := quotient(num, den); got != want {
			t.Errorf("%v / %v is %v, want %v", num, den, got, want)
		}
		x := new(big.Float).SetPrec(8000).SetRat(new(big.Rat).SetFrac(num, den))
		want, _ = x.Sqrt(x).Float64()
		if got := quotientRoot(num, den); got != want {
			t.Errorf("the root of %v / %v is %v, want %v", num, den, got, want)
		}
	})
}
