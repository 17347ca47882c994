package window

import (
	"errors"
	"fmt"
	"slices"
	"sort"
)

// enter counts an event, which isn't late, in the session that holds its time, which it makes, extends, or makes of two
// that it joins. fresh is false for one more copy of an event that is in there: it adds 1 to the session's duplicates, and
// fails with errIdentity if no session of the key holds the time. That session is still open: it closes at Lateness after
// its end, which is above the event's time.
func (s *sessions) enter(in *Input, fresh bool) error {
	sp := s.spanOf(in.Time)
	p := sp.p
	g, err := s.groupOf(sp)
	if err != nil {
		return err
	}
	if g < 0 {
		if !fresh {
			return errIdentity
		}
		g = p.groups.insert(&s.e.key, &s.group, &s.e.mem)
	}
	group := p.groups.recs.at(g, &s.group)
	group[groupUsed] = s.e.epoch
	at, found := s.search(p, p.of(group), in.Time)
	if !fresh {
		return s.again(p, p.of(group), at, in.Time)
	}
	if !found {
		s.add(sp, g, at, in.Time, in.Time)
		s.opened(sp, 1)
	}
	i := p.of(group)[at]
	rec := p.recs.at(int(i), &s.shape)
	p.mark(i, rec, &s.e.mem)
	sp.last = max(sp.last, in.Time)
	rec[sessionFirst] = uint64(min(int64(rec[sessionFirst]), in.Time))
	if in.Time > int64(rec[sessionLast]) {
		rec[sessionLast] = uint64(in.Time)
		if err := s.absorb(sp, group, at, rec); err != nil {
			return err
		}
	}
	rec[recEvents]++
	args := in.Args[s.at]
	if len(args) < s.out.layout.args {
		return fmt.Errorf("%d arguments, its aggregates need %d", len(args), s.out.layout.args)
	}
	if err := s.out.layout.fold(rec, args, in, &p.beside); err != nil {
		return err
	}
	if p.wasteful() {
		return s.rebuild(sp, keepAll)
	}
	return nil
}

// again counts one more copy of an event, which lies in the session at a place of the group's.
func (s *sessions) again(p *sessionPane, list []uint32, at int, t int64) error {
	if at == len(list) {
		return errIdentity
	}
	rec := p.recs.at(int(list[at]), &s.shape)
	if t < int64(rec[sessionFirst]) || t > int64(rec[sessionLast]) {
		return errIdentity
	}
	rec[recDuplicates]++
	p.mark(list[at], rec, &s.e.mem)
	return nil
}

// opens says whether enter with a fresh event of this time, and the key in e.key, would raise open. It changes nothing but
// what is in memory.
func (s *sessions) opens(t int64) (bool, error) {
	sp, _ := s.find(t)
	if sp == nil {
		return true, nil
	}
	if sp.p == nil {
		sp.p = newSessionPane(&s.e.mem)
	}
	g, err := s.groupOf(sp)
	if err != nil || g < 0 {
		return err == nil, err
	}
	_, found := s.search(sp.p, sp.p.of(sp.p.groups.recs.at(g, &s.group)), t)
	return !found, nil
}

// search finds the session that an event of time t belongs to, the first of them if there are two; else the place of
// a new one.
func (s *sessions) search(p *sessionPane, list []uint32, t int64) (at int, found bool) {
	at = sort.Search(len(list), func(i int) bool {
		return int64(p.recs.at(int(list[i]), &s.shape)[sessionLast])+s.out.Gap > t
	})
	return at, at < len(list) && int64(p.recs.at(int(list[at]), &s.shape)[sessionFirst])-s.out.Gap < t
}

// absorb merges the session behind rec, which is at a place of its group's, into rec if they now belong together. No
// further one can: the one behind was at least Gap away from it (invariant S1).
func (s *sessions) absorb(sp *sessionSpan, group []uint64, at int, rec []uint64) error {
	p := sp.p
	list := p.of(group)
	if at+1 == len(list) {
		return nil
	}
	i := list[at+1]
	other := p.recs.at(int(i), &s.shape)
	if int64(other[sessionFirst])-int64(rec[sessionLast]) >= s.out.Gap {
		return nil
	}
	if err := s.out.layout.mergeRecords(rec, other, &p.beside, &p.beside); err != nil {
		return fmt.Errorf("join the sessions that begin at %d and %d: %w", int64(rec[sessionFirst]), int64(other[sessionFirst]), err)
	}
	rec[sessionLast] = other[sessionLast]
	if other[sessionState]&flagStored != 0 {
		p.mark(i, other, &s.e.mem) // the next Write deletes it
	}
	p.remove(group, at+1, &s.shape, &s.e.mem)
	s.opened(sp, -1)
	return nil
}

// groupOf is the record of the group of e.key in a span, read into memory if the Backing has sessions of it; -1 if
// there are none.
func (s *sessions) groupOf(sp *sessionSpan) (int, error) {
	g := sp.p.groups.find(&s.e.key, &s.group)
	if g >= 0 || sp.absent() == 0 {
		return g, nil
	}
	return s.readGroup(sp)
}

// readGroup reads the sessions of the group of e.key in a span, of which memory has none.
func (s *sessions) readGroup(sp *sessionSpan) (int, error) {
	key, g := s.e.key.bytes, -1
	s.lo = appendSessionKey(s.lo[:0], prefixSession, s.at, sp.Start, key, sp.Start)
	s.hi = appendSessionKey(s.hi[:0], prefixSession, s.at, sp.Start, key, sp.End)
	err := s.e.back.Scan(s.lo, s.hi, func(k, v []byte) error {
		if len(k) != len(s.lo) {
			return nil // of a group whose key begins as this one's
		}
		return s.load(sp, &g, k, v)
	})
	if err != nil {
		return -1, fmt.Errorf("read the sessions of a group in the span at %d: %w", sp.Start, err)
	}
	return g, nil
}

var errOverlap = errors.New("it is less than the gap behind another of its group")

// load takes one stored session of the group of e.key into memory, behind those before it.
func (s *sessions) load(sp *sessionSpan, g *int, k, v []byte) error {
	corrupt := func(err error) error { return &CorruptError{Key: slices.Clone(k), What: "session", Err: err} }
	_, _, first, err := splitSessionKey(k)
	if err != nil {
		return corrupt(err)
	}
	length, rest, err := sessionLength(v, sp, first)
	if err != nil {
		return corrupt(err)
	}
	last := first + length
	if s.closes(sp, last) <= s.closed {
		return nil // emitted since the last Write (invariant S3)
	}
	p := sp.p
	if sp.absent() <= 0 {
		return corrupt(fmt.Errorf("one more than the %d that the span's header has", sp.open))
	}
	if *g < 0 {
		*g = p.groups.insert(&s.e.key, &s.group, &s.e.mem)
	}
	list := p.of(p.groups.recs.at(*g, &s.group))
	if n := len(list); n > 0 && first-int64(p.recs.at(int(list[n-1]), &s.shape)[sessionLast]) < s.out.Gap {
		return corrupt(errOverlap)
	}
	rec := s.add(sp, *g, len(list), first, last)
	rec[sessionState] |= flagStored
	s.setStored(rec, first, last)
	if err := s.out.layout.decodeRecord(rest, rec, &p.beside); err != nil {
		return corrupt(err)
	}
	return nil
}

// storedAs is the first and last event's times that the Backing has of a session; of no meaning without flagStored.
func (s *sessions) storedAs(rec []uint64) (first, last int64) {
	n := len(rec)
	return int64(rec[n-2]), int64(rec[n-1])
}

func (s *sessions) setStored(rec []uint64, first, last int64) {
	n := len(rec)
	rec[n-2], rec[n-1] = uint64(first), uint64(last)
}
