package window

import (
	"fmt"

	"github.com/tidemark-io/tidemark/stream/window/internal/exact"
)

// beside is what the words of records refer to and what doesn't fit them: exact totals beyond 128 bits, and the
// accumulators of Custom aggregates, whose word in a record is their index + 1. Records that lie together share one,
// and all of it goes with them. The zero beside is empty and accounts to nobody.
type beside struct {
	wide exact.Wide
	accs []Accumulator
	held int64   // bytes that accs and the accumulators in it take
	mem  *memory // that is told of them; nil: nobody
}

const accBytes = 16 // of an Accumulator's place in accs

func newBeside(m *memory) beside { return beside{wide: exact.Wide{Held: &m.used}, mem: m} }

func (b *beside) note(n int64) {
	b.held += n
	if b.mem != nil {
		b.mem.note(n)
	}
}

// acc is the accumulator of a record's word; nil while nothing has been added.
func (b *beside) acc(word uint64) Accumulator {
	if word == 0 {
		return nil
	}
	return b.accs[word-1]
}

// made is the accumulator of a record's word, new if there was none.
func (b *beside) made(word *uint64, agg Aggregate) Accumulator {
	if *word != 0 {
		return b.accs[*word-1]
	}
	before := cap(b.accs)
	b.accs = append(b.accs, agg.New())
	*word = uint64(len(b.accs))
	a := b.accs[*word-1]
	b.note(int64(cap(b.accs)-before)*accBytes + a.Bytes())
	return a
}

// changing runs what changes an accumulator, and accounts for what it takes then.
func (b *beside) changing(a Accumulator, change func(Accumulator) error) error {
	before := a.Bytes()
	err := change(a)
	b.note(a.Bytes() - before)
	return err
}

// reset empties a beside that is used for one record after another.
func (b *beside) reset() {
	b.wide.Reset()
	clear(b.accs)
	b.accs = b.accs[:0]
	b.note(int64(cap(b.accs))*accBytes - b.held)
}

// release gives the memory back.
func (b *beside) release(m *memory) {
	m.note(-b.wide.Bytes() - b.held)
	*b = beside{}
}

// decode makes the accumulator of a record's word from its bytes.
func (b *beside) decode(word *uint64, agg Aggregate, src []byte) error {
	*word = 0
	a := b.made(word, agg)
	if err := b.changing(a, func(a Accumulator) error { return a.Decode(src) }); err != nil {
		return fmt.Errorf("accumulator %s: %w", agg.Cell(), err)
	}
	return nil
}
