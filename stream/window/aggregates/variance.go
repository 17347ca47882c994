package aggregates

import (
	"fmt"
	"math"
	"math/big"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/window"
)

// variance is variance, variance_pop, stddev and stddev_pop of ints or doubles. With the exact sums of the values and
// of their squares,
//
//	(n * sum of squares - (sum)^2) / (n * (n - 1))
//
// is an exact quotient (n * n below, of the population), which is rounded once to the nearest double: after the
// square root for the standard deviations. So nothing cancels, and all four are functions of the multiset (law L1).
//
// A group with fewer than two values (population: none) is null. With a NaN or an infinity among two or more
// (population: one or more) it is NaN. Beyond the greatest double it is +Inf.
//
// State: the number and both sums, about 10 to 60 bytes; each sum of doubles grows to 270 when exponents are far
// apart. The four share it.
type variance struct {
	ints       bool
	population bool
	root       bool
}

// moments is what both accumulators have.
type moments interface {
	window.Accumulator
	// count is the number of values, and whether all of them are finite.
	count() (n uint64, finite bool)
	// spread is n * sum of squares - (sum)^2, as an integer times a power of two; the caller may change it.
	spread() (*big.Int, int)
}

func (v variance) Cell() string {
	if v.ints {
		return "moments/1 int"
	}
	return "moments/1 float"
}

func (v variance) New() window.Accumulator {
	if v.ints {
		return new(intMoments)
	}
	return new(floatMoments)
}

func (v variance) Result() schema.Type { return typeNullableDouble }

func (v variance) Value(a window.Accumulator, _ []byte) (schema.Value, error) {
	m, ok := a.(moments)
	if !ok {
		return schema.Value{}, fmt.Errorf("variance of a %T", a)
	}
	n, finite := m.count()
	switch {
	case n == 0 || n == 1 && !v.population:
		return schema.NullValue(), nil
	case !finite:
		return schema.FloatValue(math.NaN()), nil
	}
	num, exponent := m.spread()
	if num.Sign() < 0 {
		return schema.Value{}, fmt.Errorf("the sums of %d values have a negative variance: the state is corrupt", n)
	}
	below := new(big.Int).SetUint64(n)
	den := new(big.Int).Set(below)
	if !v.population {
		below.Sub(below, big.NewInt(1))
	}
	den.Mul(den, below)
	if exponent >= 0 {
		num.Lsh(num, uint(exponent))
	} else {
		den.Lsh(den, uint(-exponent))
	}
	if v.root {
		return schema.FloatValue(quotientRoot(num, den)), nil
	}
	return schema.FloatValue(quotient(num, den)), nil
}

// varianceOf defines one of the four.
func varianceOf(name string, population, root bool) window.Definition {
	return window.Definition{
		Name: name, Params: "(number)",
		New: func(in schema.Type, _ []window.Literal) (window.Aggregate, error) {
			if err := needNumber(in, name); err != nil {
				return nil, err
			}
			return variance{ints: in.Kind == schema.KindInt, population: population, root: root}, nil
		},
	}
}
