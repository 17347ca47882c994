package exact

import (
	"math"
	"math/big"
	"math/rand/v2"
)

// oracle is the exact sum by math/big, with the rules for what isn't finite.
type oracle struct {
	total            *big.Rat
	nan, posInf, neg bool
}

func newOracle(values []float64) *oracle {
	o := &oracle{total: new(big.Rat)}
	for _, x := range values {
		switch {
		case math.IsNaN(x):
			o.nan = true
		case math.IsInf(x, 1):
			o.posInf = true
		case math.IsInf(x, -1):
			o.neg = true
		default:
			o.total.Add(o.total, new(big.Rat).SetFloat64(x))
		}
	}
	return o
}

// mean is total / n rounded once by math/big.
func (o *oracle) mean(n uint64) float64 {
	switch {
	case o.nan || o.posInf && o.neg:
		return math.Float64frombits(nanBits)
	case o.posInf:
		return math.Inf(1)
	case o.neg:
		return math.Inf(-1)
	}
	f, _ := new(big.Rat).Quo(o.total, new(big.Rat).SetInt(new(big.Int).SetUint64(n))).Float64()
	if f == 0 {
		return math.Copysign(0, float64(o.total.Sign())) // rounded towards zero from below it is -0
	}
	return f
}

// A family draws values of one character.
type family struct {
	name string
	draw func(r *rand.Rand) float64
}

func anyBits(r *rand.Rand) float64 { return math.Float64frombits(r.Uint64()) }

func finite(r *rand.Rand) float64 {
	for {
		if f := anyBits(r); !math.IsNaN(f) && !math.IsInf(f, 0) {
			return f
		}
	}
}

func scaled(lo, hi int) func(*rand.Rand) float64 {
	return func(r *rand.Rand) float64 { return math.Ldexp(r.Float64()*2-1, lo+r.IntN(hi-lo+1)) }
}

var families = []family{
	{"integers", func(r *rand.Rand) float64 { return float64(r.IntN(2_000_001) - 1_000_000) }},
	{"cents", func(r *rand.Rand) float64 { return float64(r.IntN(10_000_000)-3_000_000) / 100 }},
	{"unit", func(r *rand.Rand) float64 { return r.Float64() }},
	{"exponents 60", scaled(-30, 30)},
	{"exponents 100", scaled(-50, 50)},
	{"exponents 400", scaled(-200, 200)},
	{"finite", finite},
	{"subnormals", func(r *rand.Rand) float64 {
		return math.Copysign(math.Float64frombits(r.Uint64N(1<<52)), r.Float64()-0.5)
	}},
	{"edges", func(r *rand.Rand) float64 {
		e := []float64{0, math.Copysign(0, -1), 5e-324, -5e-324, math.MaxFloat64, -math.MaxFloat64, 1, -1, 0x1p-1022, 0x1p1023, 0x1p53, 0x1p-53, 1e308}
		return e[r.IntN(len(e))]
	}},
	{"huge, cancelling", func(r *rand.Rand) float64 {
		return math.Copysign(math.MaxFloat64/float64(1+r.IntN(3)), r.Float64()-0.5)
	}},
	{"anything", func(r *rand.Rand) float64 {
		switch r.IntN(200) {
		case 0:
			return math.NaN()
		case 1:
			return math.Inf(1)
		case 2:
			return math.Inf(-1)
		}
		return finite(r)
	}},
}
