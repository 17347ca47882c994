package window

import "fmt"

// deadMin is how many dead records a pane may have for nothing.
const deadMin = 64

func keepAll([]uint64) bool { return true }

// wasteful says that a rebuild would free more than half of the sessions' records, so that it costs each dead one no
// more than a copy of a live one.
func (p *sessionPane) wasteful() bool { return p.dead-p.kept > p.live+p.kept+deadMin }

// evict runs after a write, when all that is in memory is stored too. It drops groups that no event has come to since the
// Write before, then the others, span by span, until enough says so.
func (s *sessions) evict(enough func() bool) {
	s.releaseScratch()
	recent := func(group []uint64) bool { return group[groupUsed] == s.e.epoch }
	for _, sp := range s.spans {
		if enough() {
			return
		}
		if sp.p == nil {
			continue
		}
		if err := s.rebuild(sp, recent); err != nil {
			s.broken(fmt.Errorf("evict sessions of output %q: %w", s.out.Name, err))
			return
		}
		s.e.mem.trim()
	}
	for _, sp := range s.spans {
		if enough() {
			return
		}
		if sp.p != nil {
			sp.p.release(&s.e.mem)
			sp.p = nil
			s.e.mem.trim()
		}
	}
}

// rebuild makes the pane of a span anew, with the groups that have open sessions and that keep takes: others must be
// stored. Dead records stay behind, but for those whose keys the next Write has to delete.
func (s *sessions) rebuild(sp *sessionSpan, keep func(group []uint64) bool) error {
	old := sp.p
	sp.p = newSessionPane(&s.e.mem)
	moved := make(map[uint64]uint64) // groups of dead records, as they were and are
	for _, i := range old.dirty {
		if rec := old.recs.at(int(i), &s.shape); s.pending(sp, rec) {
			moved[rec[sessionState]&groupMask] = 0
		}
	}
	for g := range old.groups.recs.n {
		group := old.groups.recs.at(g, &s.group)
		if group[groupSessions] == 0 || !keep(group) {
			continue
		}
		to, err := s.moveGroup(sp, old, g)
		if err != nil {
			return err
		}
		if _, ok := moved[uint64(g)]; ok {
			moved[uint64(g)] = uint64(to) + 1
		}
	}
	p := sp.p
	for _, i := range old.dirty {
		rec := old.recs.at(int(i), &s.shape)
		if to := moved[rec[sessionState]&groupMask]; to > 0 && s.pending(sp, rec) {
			at := p.recs.add(&s.shape, &s.e.mem)
			dead := p.recs.at(at, &s.shape)
			dead[sessionState] = flagDead | flagStored | (to - 1)
			first, last := s.storedAs(rec)
			s.setStored(dead, first, last)
			p.mark(uint32(at), dead, &s.e.mem)
			p.dead++
		}
	}
	p.kept = p.dead
	old.release(&s.e.mem)
	return nil
}

// pending says of a changed session that it is dead and the next Write must delete it.
func (s *sessions) pending(sp *sessionSpan, rec []uint64) bool {
	const both = flagDead | flagStored
	_, last := s.storedAs(rec)
	return rec[sessionState]&both == both && s.closes(sp, last) > s.closed
}

// moveGroup copies a group and its open sessions into sp.p.
func (s *sessions) moveGroup(sp *sessionSpan, old *sessionPane, g int) (to int, err error) {
	p := sp.p
	from := old.groups.recs.at(g, &s.group)
	k := &s.cold.probe
	k.bytes = old.groups.keyOf(s.lo[:0], g, &s.group)
	s.lo = k.bytes
	k.a, k.b = prefixOf(k.bytes)
	k.hash = uint32(from[recKey] >> 32)
	to = p.groups.insert(k, &s.group, &s.e.mem)
	p.groups.recs.at(to, &s.group)[groupUsed] = from[groupUsed]
	for n, i := range old.of(from) {
		was := old.recs.at(int(i), &s.shape)
		rec := s.add(sp, to, n, int64(was[sessionFirst]), int64(was[sessionLast]))
		rec[sessionState] |= was[sessionState] & flagStored
		first, last := s.storedAs(was)
		s.setStored(rec, first, last)
		if was[sessionState]&flagDirty != 0 {
			p.mark(p.of(p.groups.recs.at(to, &s.group))[n], rec, &s.e.mem)
		}
		if err := s.out.layout.mergeRecords(rec, was, &p.beside, &old.beside); err != nil {
			return 0, fmt.Errorf("move a session: %w", err)
		}
	}
	return to, nil
}
