package aggregates

import (
	"fmt"
	"math"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/window"
)

// quantile is quantile(x, q): a value within 1 % of the one that has q of the others below it, x sorted and counted
// from 0 the one of rank floor(q * (n - 1)). quantile(x, 0) and quantile(x, 1) are the least and the greatest, exactly,
// and no quantile is beyond them: of a single value all are that value.
//
// The 1 % hold for values that lie among the 2,048 bins of the greatest magnitude that have values; a group whose
// values of one sign are within 12 orders of magnitude has no others. Values of a lower bin count as 0, so values of
// wild magnitude take accuracy near zero, never memory. -0 is 0; infinities are the outermost values; below 2^-1022
// a value is within 2^-1022 * 0.02. A NaN makes every quantile NaN, as it does min, max and mean. An int is taken as the
// nearest double.
//
// State (bins): 2 bytes and 16 for the extremes, and 2 to 10 bytes for each bin with values, of at most 2,048. All
// quantiles of one argument share it.
type quantile struct{ q float64 }

func (quantile) Cell() string { return "ddsketch/1 alpha=0.01 bins=2048" }

func (quantile) New() window.Accumulator { return new(sketch) }

func (quantile) Result() schema.Type { return typeNullableDouble }

func (a quantile) Value(acc window.Accumulator, _ []byte) (schema.Value, error) {
	s, ok := acc.(*sketch)
	switch {
	case !ok:
		return schema.Value{}, fmt.Errorf("quantile of a %T", acc)
	case s.nan:
		return schema.FloatValue(math.NaN()), nil
	case s.bins.total == 0:
		return schema.NullValue(), nil
	}
	return schema.FloatValue(s.bins.quantile(a.q)), nil
}

// sketch is the accumulator of quantile. Once it has seen a NaN it holds nothing else.
type sketch struct {
	nan  bool
	bins bins
}

func (s *sketch) Add(v schema.Value, _ window.Order) error {
	x := v.Float()
	switch v.Kind {
	case schema.KindInt:
		x = float64(v.Int())
	case schema.KindFloat:
	default:
		return fmt.Errorf("quantile of a value of kind %v", v.Kind)
	}
	switch {
	case s.nan:
	case x != x:
		*s = sketch{nan: true}
	default:
		s.bins.add(x)
	}
	return nil
}

func (s *sketch) Merge(other window.Accumulator) error {
	o, ok := other.(*sketch)
	switch {
	case !ok:
		return mismatch(s, other)
	case s.nan:
	case o.nan:
		*s = sketch{nan: true}
	default:
		s.bins.merge(&o.bins)
	}
	return nil
}

func (s *sketch) Append(dst []byte) []byte {
	if s.nan {
		return append(dst, 1)
	}
	return s.bins.append(append(dst, 0))
}

func (s *sketch) Decode(src []byte) error {
	*s = sketch{}
	r := reader{src: src}
	switch flag := r.byte(); flag {
	case 0:
		s.bins.read(&r)
	case 1:
		s.nan = true
	default:
		r.fail("flags %#x", flag)
	}
	return r.end()
}

func (s *sketch) Bytes() int64 { return 8 + s.bins.bytes() }

// quantileMade makes quantile(x, q).
func quantileMade(in schema.Type, params []window.Literal) (window.Aggregate, error) {
	if err := needNumber(in, "quantile"); err != nil {
		return nil, err
	}
	q, ok := params[0].Number()
	if !ok || !(q >= 0 && q <= 1) {
		return nil, fmt.Errorf("the quantile is %v: write a number from 0 to 1, as 0.95", params[0])
	}
	return quantile{q}, nil
}
