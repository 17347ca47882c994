package window

import (
	"fmt"
	"math"
	"math/bits"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/window/internal/exact"
)

// fold adds one event's arguments to a record.
func (l *layout) fold(rec []uint64, args []schema.Value, in *Input, b *beside) error {
	for i := range l.cells {
		c := &l.cells[i]
		v := &args[c.arg]
		if v.Kind != c.kind {
			if v.Kind == schema.KindNull && c.nullable {
				continue
			}
			return fmt.Errorf("argument %d is %v, declared as %v, nullable %v", c.arg, v.Kind, c.kind, c.nullable)
		}
		switch c.op {
		case opCount:
			rec[c.at]++
		case opCountIf:
			rec[c.at] += v.Num & 1
		case opSumInt:
			lo, carry := bits.Add64(rec[c.at], v.Num, 0)
			rec[c.at] = lo
			rec[c.at+1] += uint64(int64(v.Num)>>63) + carry
		case opSumFloat:
			(*exact.Sum)(rec[c.at:c.at+3]).Add(math.Float64frombits(v.Num), &b.wide)
		case opMin:
			rec[c.at] = max(rec[c.at], rankOf(v, lowest))
		case opMax:
			rec[c.at] = max(rec[c.at], rankOf(v, highest))
		case opCustom:
			if err := c.fold(rec, v, in, b); err != nil {
				return err
			}
		}
	}
	return nil
}

// fold adds an argument to the accumulator of a Custom aggregate.
func (c *cell) fold(rec []uint64, v *schema.Value, in *Input, b *beside) error {
	a := b.made(&rec[c.at], c.custom)
	before := a.Bytes()
	if err := a.Add(*v, Order{Time: in.Time, ID: in.ID}); err != nil {
		return fmt.Errorf("add to accumulator %s: %w", c.name, err)
	}
	b.note(a.Bytes() - before)
	return nil
}

// A rank is a word that orders as the numbers do (highest), or the other way round (lowest), so that minimum and
// maximum both keep the greatest rank, and a NaN outranks everything in both. No float has rank 0, which a record
// begins with; ints do, so those that may be null have a count beside it.
const (
	highest uint64 = 0
	lowest  uint64 = math.MaxUint64

	signBit = 1 << 63
	rankNaN = math.MaxUint64
	infBits = 0x7ff << 52
)

// rankOf is v's rank.
func rankOf(v *schema.Value, order uint64) uint64 {
	switch {
	case v.Kind == schema.KindInt:
		return v.Num ^ signBit ^ order
	case v.Num&^signBit > infBits:
		return rankNaN
	case v.Num&signBit != 0:
		return ^v.Num ^ order
	}
	return v.Num ^ signBit ^ order
}

// valueOf is the number with a rank.
func valueOf(rank uint64, kind schema.Kind, order uint64) schema.Value {
	ordered := rank ^ order
	switch {
	case kind == schema.KindInt:
		return schema.IntValue(int64(ordered ^ signBit))
	case rank == rankNaN:
		return schema.FloatValue(math.NaN())
	case ordered&signBit == 0:
		return schema.FloatValue(math.Float64frombits(^ordered))
	}
	return schema.FloatValue(math.Float64frombits(ordered ^ signBit))
}
