package lake

import (
	"cmp"
	"slices"
	"time"
)

// adopt continues at the end of a log that another writer has moved on: what
// is held of offsets behind end is put together anew, as one open range from
// there, exactly as if it had been appended to a lander that began there
// (invariant 4). Records before end are in the other writer's files.
func (l *Lander) adopt(b *Batch, end int64) {
	rest := newSpan(l.o.Budget)
	for _, s := range []*span{b.span, l.open} {
		s.seal()
		rest.take(s, end, l.topic.envelope)
		if rest.openedAt.IsZero() {
			rest.openedAt = s.openedAt
		}
		s.free()
	}
	l.sealed, l.open = nil, rest
	l.landed = end
	l.next = max(l.next, end)
	if l.next == end {
		rest.openedAt = time.Time{} // nothing is held: the next record's age counts
	}
}

// take moves the records of from at offsets >= end into s. Every block that
// was emptied goes back at once, so that the memory held does not double.
func (s *span) take(from *span, end int64, envelopes map[uint32]string) {
	files := make([]*buffer, 0, len(from.files))
	for _, f := range from.files {
		files = append(files, f)
	}
	slices.SortFunc(files, func(a, b *buffer) int { return cmp.Compare(a.first, b.first) })
	for _, f := range files {
		for i := range f.blocks {
			if f.last >= end {
				s.takeBlock(f, &f.blocks[i], end, len(envelopes[f.key.schemaID]))
			}
			from.drop(&f.blocks[i])
		}
	}
}

// drop gives one block of a sealed span back.
func (s *span) drop(b *block) {
	n := int64(cap(b.buf)) + 4*int64(cap(b.times))
	s.charged -= n
	s.budget.release(n)
	s.budget.recycle(b.buf)
	*b = block{}
}

func (s *span) takeBlock(f *buffer, b *block, end int64, schemaBytes int) {
	c := cursor{buf: b.records()}
	var r Stored
	for i := range b.count {
		start := c.pos
		c.record(f.key.quarantine, &r)
		if r.Offset < end {
			continue
		}
		encoded := c.buf[start:c.pos]
		into, room := s.reserve(f.key, len(encoded), schemaBytes, true)
		room.buf = append(room.buf, encoded...)
		var t int64
		if !f.key.quarantine {
			t = f.key.hour*hourMillis + int64(b.times[i])
		}
		s.note(into, room, r.Offset, t, len(encoded))
	}
}
