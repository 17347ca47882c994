package window

import (
	"fmt"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/window/internal/exact"
)

// read sets values to what the aggregates of a record come to. It is a function of the record's canonical bytes.
func (l *layout) read(rec []uint64, b *beside, values []schema.Value) (err error) {
	for i := range l.readings {
		r := &l.readings[i]
		if r.fn == Custom {
			values[i], err = r.ofCustom(rec, b)
		} else {
			values[i] = r.of(rec, &b.wide)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// ofCustom is the value of a Custom aggregate.
func (r *reading) ofCustom(rec []uint64, b *beside) (schema.Value, error) {
	a := b.acc(rec[r.cell])
	if a == nil {
		a = r.empty
	}
	v, err := r.custom.Value(a, r.scratch)
	if err != nil {
		return schema.Value{}, fmt.Errorf("value of %s: %w", r.custom.Cell(), err)
	}
	return v, nil
}

func (r *reading) of(rec []uint64, wide *exact.Wide) schema.Value {
	n := rec[r.count]
	switch r.fn {
	case Count:
		return schema.IntValue(int64(n))
	case CountIf:
		return schema.IntValue(int64(rec[r.cell]))
	}
	if n == 0 {
		return schema.NullValue()
	}
	switch r.fn {
	case Min:
		return valueOf(rec[r.cell], r.kind, lowest)
	case Max:
		return valueOf(rec[r.cell], r.kind, highest)
	case Mean:
		if r.kind == schema.KindInt {
			return schema.FloatValue(exact.Quotient(rec[r.cell], rec[r.cell+1], n))
		}
		return schema.FloatValue((*exact.Sum)(rec[r.cell:r.cell+3]).Mean(n, wide))
	}
	if r.kind == schema.KindInt {
		return sumOfInts(rec[r.cell], rec[r.cell+1])
	}
	return schema.FloatValue((*exact.Sum)(rec[r.cell : r.cell+3]).Float64(wide))
}

// sumOfInts is a 128-bit sum as a long, or null when it isn't one: a wrapped sum would be a wrong number.
func sumOfInts(lo, hi uint64) schema.Value {
	if hi != uint64(int64(lo)>>63) {
		return schema.NullValue()
	}
	return schema.IntValue(int64(lo))
}
