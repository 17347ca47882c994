package aggregates

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/window"
)

// histogram is histogram(x, [b1, ..., bn]): how many values fall below b1, from b1 on and below b2, ..., from bn on. A
// bound belongs to the bucket above it. The bounds are finite and ascending, from 1 to 1,000 of them. Comparisons are
// exact, also of ints with bounds that have a fraction. A NaN falls in no bucket; infinities fall in the outermost.
//
// The result is an Avro array of n + 1 longs, all 0 when there were no values.
//
// State: n + 1 uvarints. Merging adds them.
type histogram struct {
	bounds *bounds
	name   string // the bounds as text, for the cell
}

// bounds are the parameters, for the accumulators to share; one of the two is empty.
type bounds struct {
	floats []float64
	ints   []int64 // of an argument of ints: the greatest int below each bound
}

func (b *bounds) len() int { return len(b.floats) + len(b.ints) }

func (h histogram) Cell() string { return "histogram/1 " + h.name }

func (h histogram) New() window.Accumulator {
	return &counts{bounds: h.bounds, n: make([]uint64, h.bounds.len()+1)}
}

func (histogram) Result() schema.Type { return rawOf(`{"type":"array","items":"long"}`) }

func (histogram) Value(a window.Accumulator, scratch []byte) (schema.Value, error) {
	c, ok := a.(*counts)
	if !ok {
		return schema.Value{}, fmt.Errorf("histogram of a %T", a)
	}
	dst := binary.AppendVarint(scratch[:0], int64(len(c.n)))
	for _, n := range c.n {
		dst = binary.AppendVarint(dst, int64(n))
	}
	return schema.BytesValue(append(dst, 0)), nil
}

// bucket is the number of bounds that aren't above v.
func (b *bounds) bucket(v schema.Value) int {
	if v.Kind == schema.KindInt {
		x := v.Int()
		return sort.Search(len(b.ints), func(i int) bool { return b.ints[i] >= x })
	}
	x := v.Float()
	return sort.Search(len(b.floats), func(i int) bool { return b.floats[i] > x })
}

// counts is the accumulator of histogram.
type counts struct {
	bounds *bounds
	n      []uint64
}

func (c *counts) Add(v schema.Value, _ window.Order) error {
	switch {
	case v.Kind == schema.KindInt && c.bounds.ints != nil:
	case v.Kind != schema.KindFloat || c.bounds.ints != nil:
		return fmt.Errorf("histogram of a value of kind %v", v.Kind)
	case v.Float() != v.Float():
		return nil
	}
	c.n[c.bounds.bucket(v)]++
	return nil
}

func (c *counts) Merge(other window.Accumulator) error {
	o, ok := other.(*counts)
	if !ok || !slices.Equal(o.bounds.floats, c.bounds.floats) || !slices.Equal(o.bounds.ints, c.bounds.ints) {
		return mismatch(c, other)
	}
	for i, n := range o.n {
		c.n[i] += n
	}
	return nil
}

func (c *counts) Append(dst []byte) []byte {
	for _, n := range c.n {
		dst = binary.AppendUvarint(dst, n)
	}
	return dst
}

func (c *counts) Decode(src []byte) error {
	r := reader{src: src}
	for i := range c.n {
		c.n[i] = r.uvarint(math.MaxUint64)
	}
	return r.end()
}

func (c *counts) Bytes() int64 { return 48 + int64(len(c.n))*8 }

const boundsMax = 1_000

// histogramMade makes histogram(x, [bounds]).
func histogramMade(in schema.Type, params []window.Literal) (window.Aggregate, error) {
	if err := needNumber(in, "histogram"); err != nil {
		return nil, err
	}
	list := params[0].List
	if params[0].Kind != window.LiteralList || len(list) < 1 || len(list) > boundsMax {
		return nil, fmt.Errorf("histogram: the bounds are %v: write a list of 1 to %d numbers, as [0, 15, 60]", params[0], boundsMax)
	}
	b := &bounds{}
	names := make([]string, len(list))
	for i, l := range list {
		f, ok := l.Number()
		if !ok || math.IsNaN(f) || math.IsInf(f, 0) {
			return nil, fmt.Errorf("histogram: the bound %v is no finite number", l)
		}
		if i > 0 && !ascends(list[i-1], l, in.Kind) {
			return nil, fmt.Errorf("histogram: the bound %v isn't above %v: write them in ascending order", l, list[i-1])
		}
		names[i] = l.String()
		if in.Kind == schema.KindFloat {
			b.floats = append(b.floats, f)
			continue
		}
		below, err := intBelow(l)
		if err != nil {
			return nil, err
		}
		b.ints = append(b.ints, below)
	}
	return histogram{b, fmt.Sprintf("%v bounds=%s", in.Kind, strings.Join(names, ","))}, nil
}

// ascends says whether bound l is above the one before it: for doubles, as doubles.
func ascends(before, l window.Literal, kind schema.Kind) bool {
	if kind == schema.KindInt && l.Kind == window.LiteralInt && before.Kind == window.LiteralInt {
		return before.Int < l.Int
	}
	f, _ := before.Number()
	g, _ := l.Number()
	return f < g
}

// intBelow is the greatest int below a bound.
func intBelow(l window.Literal) (int64, error) {
	switch {
	case l.Kind == window.LiteralInt && l.Int > math.MinInt64:
		return l.Int - 1, nil
	case l.Kind == window.LiteralFloat && l.Float > math.MinInt64 && l.Float < math.MaxInt64:
		return int64(math.Ceil(l.Float)) - 1, nil
	}
	return 0, fmt.Errorf("histogram: the bound %v is beyond the values of a long", l)
}
