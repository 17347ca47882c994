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
	opCustom   op = 7 // 1 word: place of an Accumulator, from 1; 0: none, nothing has been added
)

var opWords = map[op]int{opCount: 1, opCountIf: 1, opSumInt: 2, opSumFloat: 3, opMin: 1, opMax: 1, opCustom: 1}

// cell is one accumulator of a record. Aggregates share cells: sum(x) and mean(x) add x once.
type cell struct {
	op       op
	kind     schema.Kind // of the argument
	nullable bool
	at       int // first word in the record
	arg      int
	custom   Aggregate // of opCustom
	name     string    // its Cell
}

// The words of a record before its cells.
const (
	recKey        = 0 // key length; bit 31: changed since the last Write, bit 30: since the last Updates; from bit 32 on: hash of the key
	recA          = 1 // first 8 bytes of the key
	recB          = 2 // next 8 bytes; of a key beyond 16 bytes its place in the arena
	recEvents     = 3
	recDuplicates = 4
	recCells      = 5

	dirtyBit   = 1 << 31
	updatedBit = 1 << 30
	lenMask    = updatedBit - 1
)

// reading is how an aggregate's value is read from a record.
type reading struct {
	fn    Func
	kind  schema.Kind // of the argument
	cell  int         // first word of its cell
	count int         // word with the number of values: recEvents, or an opCount cell

	custom  Aggregate   // of fn Custom
	empty   Accumulator // what its value is read from when nothing has been added
	scratch []byte
}

// layout is how an output's records lie in words: a function of its aggregates.
type layout struct {
	shape
	cells    []cell
	readings []reading
	args     int // how many arguments an Input must have
}

const scratchBytes = 64 // for the bytes of a Custom aggregate's value, at first

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
			if a.In.Nullable && a.Func != CountIf && a.Func != Custom {
				r.count = l.cell(opCount, a, &next)
			}
		}
		if op := a.op(); op != 0 {
			r.cell = l.cell(op, a, &next)
		}
		if a.Func == Custom {
			r.custom, r.empty, r.scratch = a.Custom, a.Custom.New(), make([]byte, 0, scratchBytes)
		}
		l.readings = append(l.readings, r)
	}
	l.shape = shapeOf(next)
	return l, nil
}

// cell finds or makes the cell of an operation on a's argument.
func (l *layout) cell(o op, a *Agg, next *int) int {
	c := cell{op: o, kind: a.In.Kind, nullable: a.In.Nullable, at: *next, arg: a.Arg}
	if o == opCustom {
		c.custom, c.name = a.Custom, a.Custom.Cell()
	}
	for _, has := range l.cells {
		if has.op == o && has.arg == a.Arg && has.name == c.name {
			return has.at
		}
	}
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
	case Custom:
		return opCustom
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
	case a.Func < Count || a.Func > Custom:
		return fmt.Errorf("unknown %v", a.Func)
	case a.Func == Count && a.Arg == -1:
		return nil
	case a.Func == Custom && a.Custom == nil:
		return fmt.Errorf("custom without an Aggregate: set Agg.Custom")
	case a.Arg < 0 || a.Arg >= AggsMax:
		return fmt.Errorf("%v has argument number %d: from 0 to %d", a.Func, a.Arg, AggsMax-1)
	case a.Func == Count || a.Func == Custom:
		return nil
	case a.Func == CountIf && a.In.Kind != schema.KindBool:
		return fmt.Errorf("count_if of %v: it counts what is true, so it needs a condition", a.In)
	case a.Func != CountIf && a.In.Kind != schema.KindInt && a.In.Kind != schema.KindFloat:
		return fmt.Errorf("%v of %v: it needs a number", a.Func, a.In)
	}
	return nil
}

// layoutHash names what the bytes of state depend on: a state is only read with the layout that it was written with.
// What outputs other than tumbling ones in UTC add lies behind all else, so that these keep the hash that they had
// when there were no others.
func layoutHash(outs []output) (h [8]byte) {
	b := binary.AppendUvarint(nil, uint64(len(outs)))
	var more []byte
	for i := range outs {
		o := &outs[i]
		more = appendKind(more, i, o)
		b = binary.AppendUvarint(b, uint64(o.Size))
		b = binary.AppendUvarint(b, uint64(o.Lateness))
		b = binary.AppendUvarint(b, uint64(len(o.layout.cells)))
		for _, c := range o.layout.cells {
			b = append(b, byte(c.op), byte(c.kind))
			b = binary.AppendUvarint(b, uint64(c.arg))
			if c.op == opCustom {
				b = binary.AppendUvarint(b, uint64(len(c.name)))
				b = append(b, c.name...)
			}
		}
	}
	sum := sha256.Sum256(append(b, more...))
	copy(h[:], sum[:])
	return h
}

// appendKind appends what makes an output other than tumbling in UTC.
func appendKind(b []byte, i int, o *output) []byte {
	if o.every() == o.Size && !o.Session() && o.Zone == nil {
		return b
	}
	b = binary.AppendUvarint(b, uint64(i))
	b = binary.AppendUvarint(b, uint64(o.every()))
	b = binary.AppendUvarint(b, uint64(o.Gap))
	if o.Zone == nil {
		return append(b, 0)
	}
	hash := o.Zone.Hash()
	return append(append(b, 1), hash[:]...)
}
