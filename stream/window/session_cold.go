package window

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
)

// coldDue is a piece of the sessions that are due and only in the Backing: those with the lowest (first, key) behind
// the piece before. It is limited, so that a watermark that jumps over a day of evicted sessions takes as little
// memory as one that creeps; what that costs is another walk through the index for each piece.
type coldDue struct {
	due  []coldEntry
	keys []byte
	room []byte // for the next keys

	past place // the end of the piece before
	most place // the end of this one, if others have had to stay out

	probe groupKey // of a stored session
}

// place is a place in the order of sessions.
type place struct {
	set   bool
	first int64
	key   []byte
}

func (p *place) move(first int64, key []byte) {
	p.set, p.first, p.key = true, first, append(p.key[:0], key...)
}

// compare orders a session and p, which is set.
func (p *place) compare(first int64, key []byte) int {
	return cmp.Or(cmp.Compare(first, p.first), bytes.Compare(key, p.key))
}

// coldEntry is one of them; its key is keys[from:to].
type coldEntry struct {
	first, closes int64
	sp            *sessionSpan
	from, to      int
}

const coldEntryBytes = 40

func (c *coldDue) key(e *coldEntry) []byte { return c.keys[e.from:e.to] }

func (c *coldDue) compare(x, y *coldEntry) int {
	return cmp.Or(cmp.Compare(x.first, y.first), bytes.Compare(c.key(x), c.key(y)))
}

func (c *coldDue) bytes() int64 {
	return int64(cap(c.due))*coldEntryBytes + int64(cap(c.keys)+cap(c.room)+cap(c.past.key)+cap(c.most.key))
}

func (c *coldDue) reset() {
	c.due, c.keys, c.past.set = c.due[:0], c.keys[:0], false
}

// coldMax is the limit of a piece, in bytes.
func (s *sessions) coldMax() int {
	if s.e.limit == 0 {
		return 4 << 20
	}
	return int(min(max(s.e.limit/8, 1<<10), 4<<20))
}

// gatherCold finds the next piece, in order, among the stored sessions whose closing watermark is above `from` and
// not above s.closed; more says that there may be another piece.
func (s *sessions) gatherCold(from int64) (more bool, err error) {
	c := &s.cold
	held := c.bytes()
	if n := len(c.due); n > 0 {
		last := &c.due[n-1]
		c.past.move(last.first, c.key(last))
	}
	c.due, c.keys, c.most.set = c.due[:0], c.keys[:0], false
	limit := s.coldMax()
	s.lo = appendWindowKey(s.lo[:0], prefixSessionDue, s.at, from+1)
	s.hi = appendWindowKey(s.hi[:0], prefixSessionDue, s.at, s.closed+1)
	err = s.e.back.Scan(s.lo, s.hi, func(k, _ []byte) error {
		if err := s.takeCold(k); err != nil {
			return err
		}
		if len(c.due)*coldEntryBytes+len(c.keys) > limit && len(c.due) > 1 {
			c.halve()
		}
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("find sessions that close up to %d: %w", s.closed, err)
	}
	c.sort()
	s.e.mem.note(c.bytes() - held)
	return c.most.set, nil
}

// takeCold takes an entry of the index if its session is in the Backing only, and not in a piece before.
func (s *sessions) takeCold(k []byte) error {
	closes, key, first, err := splitSessionKey(k)
	if err != nil {
		return &CorruptError{Key: slices.Clone(k), What: "session in the index", Err: err}
	}
	c := &s.cold
	if c.past.set && c.past.compare(first, key) <= 0 || c.most.set && c.most.compare(first, key) > 0 {
		return nil
	}
	sp, hot := s.inMemory(key, first)
	if hot {
		return nil
	}
	if sp == nil {
		return &CorruptError{Key: slices.Clone(k), What: "session in the index: its span has no header"}
	}
	from := len(c.keys)
	c.keys = append(c.keys, key...)
	c.due = append(c.due, coldEntry{first: first, closes: closes, sp: sp, from: from, to: len(c.keys)})
	return nil
}

// inMemory is the span of a stored session, and whether memory has its group, and so knows better than the Backing.
func (s *sessions) inMemory(key []byte, first int64) (sp *sessionSpan, hot bool) {
	sp, _ = s.find(first)
	if sp == nil || sp.p == nil {
		return sp, false
	}
	k := &s.cold.probe
	k.set(key, s.e.seed)
	return sp, sp.p.groups.find(k, &s.group) >= 0
}

func (c *coldDue) sort() {
	slices.SortFunc(c.due, func(x, y coldEntry) int { return c.compare(&x, &y) })
}

// halve keeps the lower half.
func (c *coldDue) halve() {
	c.sort()
	c.due = c.due[:(len(c.due)+1)/2]
	c.room = c.room[:0]
	for i := range c.due {
		e := &c.due[i]
		from := len(c.room)
		c.room = append(c.room, c.key(e)...)
		e.from, e.to = from, len(c.room)
	}
	c.keys, c.room = c.room, c.keys
	last := &c.due[len(c.due)-1]
	c.most.move(last.first, c.key(last))
}
