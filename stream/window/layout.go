package window

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"github.com/tidemark-io/tidemark/schema"
)

// op is what a cell does with an argument. The numbers are part of the layout's hash (FORMAT.md) and never change.
type op uint8

const (
	opCount    op = 1 // 1 word: values that aren't null
	opCountIf  op = 2 // 1 word: values that are true
	opSumInt   op = 3 // 2 words: 128-bit two's complement, low word first
	opSumFloat op = 4 // 3 words: exact.Sum
	opMin      op = 5 // 1 word: greatest of the complements of the ordered values
	opMax      op = 6 // 1 word: greatest of the ordered values
)

var opWords = map[op]int{opCount: 1, opCountIf: 1, opSumInt: 2, opSumFloat: 3, opMin: 1, opMax: 1}

// cell is one accumulator of a record. Aggregates share cells: sum(x) and mean(x) add x once.
type cell struct {
	op       op
	kind     schema.Kind // of the argument
	nullable bool
	at       int // first word in the record
	arg      int
}

// The words of a record before its cells.
const (
	recKey        = 0 // key length; bit 31: changed since the last Write; from bit 32 on: hash of the key
	recA          = 1 // first 8 bytes of the key
	recB          = 2 // next 8 bytes; of a key beyond 16 bytes its place in the arena
	recEvents     = 3
	recDuplicates = 4
	recCells      = 5

	dirtyBit = 1 << 31
	lenMask  = dirtyBit - 1
)

// reading is how an aggregate's value is read from a record.
type reading struct {
	fn    Func
	kind  schema.Kind // of the argument
	cell  int         // first word of its cell
	count int         // word with the number of values: recEvents, or an opCount cell
}

// layout is how an output's records lie in words: a function of its aggregates.
type layout struct {
	shape
	cells    []cell
	readings []reading
	args     int // how many arguments an Input must have
}

// layoutOf compiles the aggregates of o, or says what is wrong with them.
func layoutOf(o *Output) (layout, error) {
	l := layout{}
	next := recCells
	for i := range o.Aggs {
		a := &o.Aggs[i]
		if err := a.check(); err != nil {
			return l, fmt.Errorf("aggregate %q: %w", a.Name, err)
		}
		r := reading{fn: a.Func, kind: a.In.Kind, count: recEvents}
		if a.Arg >= 0 {
			l.args = max(l.args, a.Arg+1)
			if a.In.Nullable && a.Func != CountIf {
				r.count = l.cell(opCount, a, &next)
			}
		}
		if op := a.op(); op != 0 {
			r.cell = l.cell(op, a, &next)
		}
		l.readings = append(l.readings, r)
	}
	l.shape = shapeOf(next)
	return l, nil
}

// cell finds or makes the cell of an operation on a's argument.
func (l *layout) cell(o op, a *Agg, next *int) int {
	for _, c := range l.cells {
		if c.op == o && c.arg == a.Arg {
			return c.at
		}
	}
	c := cell{op: o, kind: a.In.Kind, nullable: a.In.Nullable, at: *next, arg: a.Arg}
	l.cells = append(l.cells, c)
	*next += opWords[o]
	return c.at
}

// op is the operation that a needs besides counting; 0 for count.
func (a *Agg) op() op {
	switch a.Func {
	case CountIf:
		return opCountIf
	case Min:
		return opMin
	case Max:
		return opMax
	case Sum, Mean:
		if a.In.Kind == schema.KindInt {
			return opSumInt
		}
		return opSumFloat
	}
	return 0
}

func (a *Agg) check() error {
	switch {
	case a.Func < Count || a.Func > Mean:
		return fmt.Errorf("unknown %v", a.Func)
	case a.Func == Count && a.Arg == -1:
		return nil
	case a.Arg < 0 || a.Arg >= AggsMax:
		return fmt.Errorf("%v has argument number %d: from 0 to %d", a.Func, a.Arg, AggsMax-1)
	case a.Func == Count:
		return nil
	case a.Func == CountIf && a.In.Kind != schema.KindBool:
		return fmt.Errorf("count_if of %v: it counts what is true, so it needs a condition", a.In)
	case a.Func != CountIf && a.In.Kind != schema.KindInt && a.In.Kind != schema.KindFloat:
		return fmt.Errorf("%v of %v: it needs a number", a.Func, a.In)
	}
	return nil
}

// layoutHash names what the bytes of state depend on: a state is only read with the layout that it was written with.
func layoutHash(outs []output) (h [8]byte) {
	b := binary.AppendUvarint(nil, uint64(len(outs)))
	for i := range outs {
		o := &outs[i]
		b = binary.AppendUvarint(b, uint64(o.Size))
		b = binary.AppendUvarint(b, uint64(o.Lateness))
		b = binary.AppendUvarint(b, uint64(len(o.layout.cells)))
		for _, c := range o.layout.cells {
			b = append(b, byte(c.op), byte(c.kind))
			b = binary.AppendUvarint(b, uint64(c.arg))
		}
	}
	sum := sha256.Sum256(b)
	copy(h[:], sum[:])
	return h
}
