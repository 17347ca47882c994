package window

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
)

// hotDue is a session in memory that is being closed.
type hotDue struct {
	first int64
	a, b  uint64 // first 16 bytes of its group's key, which order as the bytes do
	sp    *sessionSpan
	rec   uint32
}

const hotDueBytes = 48

// close closes every session whose end + Lateness <= watermark, and emits one Result each in the order (start, key bytes):
// what is due in memory and in the Backing, merged. What is due in the Backing alone is gathered a limited piece at a time.
func (s *sessions) close(watermark int64, emit func(*Result) error) error {
	from := s.closed
	s.closed = min(watermark, dueMax)
	absent := s.gatherHot()
	if absent == 0 && len(s.hot) == 0 {
		return nil
	}
	next := 0
	for more := absent > 0; more; {
		var err error
		if more, err = s.gatherCold(from); err != nil {
			return err
		}
		for i := range s.cold.due {
			c := &s.cold.due[i]
			for next < len(s.hot) && s.compareToCold(&s.hot[next], c) < 0 {
				if err := s.emitHot(&s.hot[next], emit); err != nil {
					return err
				}
				next++
			}
			if err := s.emitCold(c, emit); err != nil {
				return err
			}
		}
	}
	s.cold.reset()
	for ; next < len(s.hot); next++ {
		if err := s.emitHot(&s.hot[next], emit); err != nil {
			return err
		}
	}
	return s.tidy()
}

// tidy lets go of what the closed sessions have taken.
func (s *sessions) tidy() error {
	for _, sp := range s.spans {
		switch {
		case sp.open != 0 && sp.End+s.out.Lateness <= s.closed:
			return &CorruptError{
				Key:  appendWindowKey(nil, prefixSessionSpan, s.at, sp.Start),
				What: fmt.Sprintf("%d sessions more than have been found", sp.open),
			}
		case sp.open > 0 && sp.p != nil && sp.p.wasteful():
			if err := s.rebuild(sp, keepAll); err != nil {
				return err
			}
		}
	}
	s.forgetSpans()
	return nil
}

// gatherHot finds what is due in memory, in order, and counts the sessions of which it knows nothing.
func (s *sessions) gatherHot() (absent int64) {
	before := cap(s.hot)
	s.hot = s.hot[:0]
	for _, sp := range s.spans {
		absent += sp.absent()
		if sp.p != nil {
			s.gatherDue(sp)
		}
	}
	s.e.mem.note(int64(cap(s.hot)-before) * hotDueBytes)
	var x, y []byte
	slices.SortFunc(s.hot, func(p, q hotDue) int {
		if c := cmp.Or(cmp.Compare(p.first, q.first), cmp.Compare(p.a, q.a), cmp.Compare(p.b, q.b)); c != 0 {
			return c
		}
		x, y = s.keyOf(x[:0], &p), s.keyOf(y[:0], &q)
		return bytes.Compare(x, y)
	})
	return absent
}

// gatherDue takes what is due in a span off its heap.
func (s *sessions) gatherDue(sp *sessionSpan) {
	p := sp.p
	for len(p.due) > 0 && p.due[0].closes <= s.closed {
		i := p.due[0].rec
		rec := p.recs.at(int(i), &s.shape)
		if rec[sessionState]&flagDead != 0 {
			p.due.pop()
			continue
		}
		if at := s.closes(sp, int64(rec[sessionLast])); at > s.closed {
			p.due.replace(due{closes: at, rec: i}) // it has grown
			continue
		}
		p.due.pop()
		d := hotDue{first: int64(rec[sessionFirst]), sp: sp, rec: i}
		group := p.groups.recs.at(int(rec[sessionState]&groupMask), &s.group)
		d.a, d.b = p.prefixOf(group)
		s.hot = append(s.hot, d)
	}
}

// prefixOf is the first 16 bytes of a group's key.
func (p *sessionPane) prefixOf(group []uint64) (a, b uint64) {
	a, b = group[recA], group[recB]
	if n := keyLen(group); n > inlineMax {
		b = binary.BigEndian.Uint64(p.groups.keys.at(b, n)[8:])
	}
	return a, b
}

// keyOf appends the group key of a session in memory.
func (s *sessions) keyOf(dst []byte, d *hotDue) []byte {
	group := d.sp.p.recs.at(int(d.rec), &s.shape)[sessionState] & groupMask
	return d.sp.p.groups.keyOf(dst, int(group), &s.group)
}

func (s *sessions) compareToCold(d *hotDue, c *coldEntry) int {
	if d.first != c.first {
		return cmp.Compare(d.first, c.first)
	}
	s.lo = s.keyOf(s.lo[:0], d)
	return bytes.Compare(s.lo, s.cold.key(c))
}

// emitHot emits a session in memory, which is the first of its group's: those before it have been emitted.
func (s *sessions) emitHot(d *hotDue, emit func(*Result) error) error {
	p := d.sp.p
	rec := p.recs.at(int(d.rec), &s.shape)
	s.e.result.Key = s.keyOf(s.e.result.Key[:0], d)
	if err := s.emit(d.sp, d.first, int64(rec[sessionLast]), rec, &p.beside, emit); err != nil {
		return err
	}
	group := p.groups.recs.at(int(rec[sessionState]&groupMask), &s.group)
	p.remove(group, 0, &s.shape, &s.e.mem)
	s.opened(d.sp, -1)
	return nil
}

// emitCold emits a session that only the Backing has.
func (s *sessions) emitCold(c *coldEntry, emit func(*Result) error) error {
	key := s.cold.key(c)
	s.lo = appendSessionKey(s.lo[:0], prefixSession, s.at, c.sp.Start, key, c.first)
	corrupt := func(err error) error { return &CorruptError{Key: slices.Clone(s.lo), What: "session", Err: err} }
	val, ok, err := s.e.back.Get(s.lo)
	if err != nil {
		return fmt.Errorf("read the session at %d: %w", c.first, err)
	}
	if !ok {
		return corrupt(fmt.Errorf("it isn't there, though the index has it close at %d", c.closes))
	}
	length, rest, err := sessionLength(val, c.sp, c.first)
	if err != nil {
		return corrupt(err)
	}
	last := c.first + length
	if at := s.closes(c.sp, last); at != c.closes {
		return corrupt(fmt.Errorf("it closes at %d, the index has %d", at, c.closes))
	}
	if c.sp.absent() <= 0 {
		return corrupt(fmt.Errorf("one more than the %d that the span's header has", c.sp.open))
	}
	s.aside.reset()
	if err := s.out.layout.decodeRecord(rest, s.words, &s.aside); err != nil {
		return corrupt(err)
	}
	s.e.result.Key = append(s.e.result.Key[:0], key...)
	if err := s.emit(c.sp, c.first, last, s.words, &s.aside, emit); err != nil {
		return err
	}
	s.opened(c.sp, -1)
	return nil
}

// emit gives the result of a record. The key is in e.result.
func (s *sessions) emit(sp *sessionSpan, first, last int64, rec []uint64, b *beside, emit func(*Result) error) error {
	r := &s.e.result
	*r = Result{
		Output: s.at, Key: r.Key, Start: first, End: s.end(sp, last),
		Events: int64(rec[recEvents]), Duplicates: int64(rec[recDuplicates]), Values: s.e.values(len(s.out.Aggs)),
	}
	if err := s.out.layout.read(rec, b, r.Values); err != nil {
		return err
	}
	return emit(r)
}
