package aggregates

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/big"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/window"
)

// decimalSum is sum(x) and mean(x) of decimals. The sum is exact: a decimal of the same scale with 38 digits (or the
// argument's own number of digits, if that is more), null when it has more or when there was no value. The mean is the
// exact quotient, rounded once to the nearest double.
//
// State: the number of values and the total of the unscaled numbers, 3 bytes and more as the total grows; 1 byte if
// a number was longer than any decimal of the argument's type. sum and mean of one argument share it. Merging adds.
type decimalSum struct {
	mean  bool
	typ   schema.Type // of the result
	scale int
	limit *big.Int // 10 to the result's precision
	width int      // bytes of the longest value
}

// precisionMax bounds the digits of an argument: far above what any format can hold.
const (
	precisionMax    = 1_000
	precisionCommon = 38 // what Parquet, Arrow and most databases can hold
)

func (d *decimalSum) Cell() string { return fmt.Sprintf("decimal_sum/1 bytes=%d", d.width) }

func (d *decimalSum) New() window.Accumulator { return &decimals{width: d.width} }

func (d *decimalSum) Result() schema.Type { return d.typ }

func (d *decimalSum) Value(a window.Accumulator, scratch []byte) (schema.Value, error) {
	c, ok := a.(*decimals)
	switch {
	case !ok:
		return schema.Value{}, fmt.Errorf("sum or mean of decimals of a %T", a)
	case c.n == 0 || c.beyond:
		return schema.NullValue(), nil
	}
	total := c.total.big()
	if d.mean {
		den := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(d.scale)), nil)
		return schema.FloatValue(quotient(total, den.Mul(den, new(big.Int).SetUint64(c.n)))), nil
	}
	if total.CmpAbs(d.limit) >= 0 {
		return schema.NullValue(), nil
	}
	return schema.BytesValue(c.total.appendBytes(scratch[:0])), nil
}

// decimals is a number of values and their exact total.
type decimals struct {
	width  int
	n      uint64
	beyond bool // a value was too long: there is no total
	total  integer
}

func (c *decimals) Add(v schema.Value, _ window.Order) error {
	if err := (form{kind: schema.KindBytes}).check(v); err != nil {
		return err
	}
	switch b := trimmed(v.Bytes); {
	case c.beyond:
	case len(b) > c.width:
		*c = decimals{width: c.width, beyond: true}
	default:
		c.n++
		c.total.addBytes(b)
	}
	return nil
}

func (c *decimals) Merge(other window.Accumulator) error {
	o, ok := other.(*decimals)
	switch {
	case !ok || o.width != c.width:
		return mismatch(c, other)
	case c.beyond:
	case o.beyond:
		*c = decimals{width: c.width, beyond: true}
	default:
		c.n += o.n
		c.total.merge(&o.total)
	}
	return nil
}

func (c *decimals) Append(dst []byte) []byte {
	if c.beyond {
		return append(dst, 1)
	}
	dst = binary.AppendUvarint(append(dst, 0), c.n)
	if c.n == 0 {
		return dst
	}
	return c.total.append(dst)
}

func (c *decimals) Decode(src []byte) error {
	*c = decimals{width: c.width}
	r := reader{src: src}
	switch flag := r.byte(); flag {
	case 0:
		if c.n = r.uvarint(math.MaxUint64); c.n > 0 {
			c.total.read(&r, uint64(c.width)+8)
		}
	case 1:
		c.beyond = true
	default:
		r.fail("flags %#x", flag)
	}
	return r.end()
}

func (c *decimals) Bytes() int64 { return 48 + c.total.bytes() }

// decimalSumOf defines sum or mean.
func decimalSumOf(name string, mean bool) window.Definition {
	return window.Definition{
		Name: name, Params: "(number)",
		New: func(in schema.Type, _ []window.Literal) (window.Aggregate, error) {
			switch {
			case in.Kind == schema.KindInt || in.Kind == schema.KindFloat:
				return nil, fmt.Errorf("%s of %v is one of the engine's own functions", name, in)
			case !in.Decimal():
				return nil, fmt.Errorf("%s of %v: it needs a number", name, in)
			case in.Precision < 1 || in.Precision > precisionMax || in.Scale < 0 || in.Scale > in.Precision:
				return nil, fmt.Errorf("%s of a decimal with precision %d and scale %d: from 1 to %d digits, of which the scale is a part",
					name, in.Precision, in.Scale, precisionMax)
			}
			d := &decimalSum{mean: mean, typ: typeNullableDouble, scale: in.Scale}
			precision := max(in.Precision, precisionCommon)
			d.limit = new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(precision)), nil)
			d.width = d.limit.BitLen()/8 + 1
			if !mean {
				d.typ = nullable(in)
				d.typ.Precision = precision
			}
			return d, nil
		},
	}
}
