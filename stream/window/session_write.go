package window

import (
	"fmt"
	"math"
	"slices"
)

// write hands w all changes since the last write, deletions before sets. It runs in each Write of the engine, whether
// anything has changed or not.
func (s *sessions) write(w Writer) error {
	remove := s.deleteStale
	if s.e.back == nil {
		remove = s.deleteAll
	}
	if err := remove(w); err != nil {
		return err
	}
	for _, sp := range s.spans {
		if err := s.writeSpan(w, sp); err != nil {
			return err
		}
	}
	s.wrote = s.closed
	if s.stored != s.total {
		return &CorruptError{
			Key:  appendWindowKey(nil, prefixSessionDue, s.at, s.closed),
			What: fmt.Sprintf("the index has %d sessions above this, open are %d", s.stored, s.total),
		}
	}
	return nil
}

// deleteStale deletes the keys that have been written and are no longer right.
func (s *sessions) deleteStale(w Writer) error {
	if err := s.deleteClosed(w); err != nil {
		return err
	}
	for _, sp := range s.spans {
		if sp.p != nil {
			if err := s.deleteMoved(w, sp); err != nil {
				return err
			}
		}
	}
	return nil
}

// deleteAll deletes all that has been written, so that all is written again: without a Backing there is no index that
// tells what has been.
func (s *sessions) deleteAll(w Writer) error {
	s.gone = timeRange{}
	for _, prefix := range []byte{prefixSession, prefixSessionSpan, prefixSessionDue} {
		lo, hi := appendWindowKey(nil, prefix, s.at, math.MinInt64), appendWindowKey(nil, prefix, s.at+1, math.MinInt64)
		if err := w.DeleteRange(lo, hi); err != nil {
			return fmt.Errorf("delete sessions: %w", err)
		}
	}
	for _, sp := range s.spans {
		sp.written = spanHeader{}
		for i := range sp.p.recs.n {
			rec := sp.p.recs.at(i, &s.shape)
			rec[sessionState] &^= flagStored
			sp.p.mark(uint32(i), rec, &s.e.mem)
		}
	}
	s.stored = 0
	return nil
}

// deleteClosed deletes what the Backing has of sessions and spans that have closed (invariant S3). Its index names
// them all: also those whose groups memory doesn't hold, and those that had merged or moved before they closed.
func (s *sessions) deleteClosed(w Writer) error {
	if s.gone.any {
		lo, hi := appendWindowKey(nil, prefixSessionSpan, s.at, s.gone.lo), appendWindowKey(nil, prefixSessionSpan, s.at, s.gone.hi+1)
		if err := w.DeleteRange(lo, hi); err != nil {
			return fmt.Errorf("delete closed spans: %w", err)
		}
		s.gone = timeRange{}
	}
	if s.stored == 0 || s.closed == s.wrote {
		return nil
	}
	s.lo = appendWindowKey(s.lo[:0], prefixSessionDue, s.at, s.wrote+1)
	s.hi = appendWindowKey(s.hi[:0], prefixSessionDue, s.at, s.closed+1)
	before := s.stored
	err := s.e.back.Scan(s.lo, s.hi, func(k, _ []byte) error {
		s.stored--
		_, key, first, err := splitSessionKey(k)
		if err != nil {
			return &CorruptError{Key: slices.Clone(k), What: "session in the index", Err: err}
		}
		s.e.keyBuf = appendSessionKey(s.e.keyBuf[:0], prefixSession, s.at, s.out.cut(first).Start, key, first)
		return w.Delete(s.e.keyBuf)
	})
	if err != nil {
		return fmt.Errorf("delete closed sessions: %w", err)
	}
	if s.stored == before {
		return nil
	}
	if err := w.DeleteRange(s.lo, s.hi); err != nil {
		return fmt.Errorf("delete closed sessions from the index: %w", err)
	}
	return nil
}

// deleteMoved deletes the keys that changed sessions no longer have: of those that merged into others, that begin
// earlier, and that close later.
func (s *sessions) deleteMoved(w Writer, sp *sessionSpan) error {
	p := sp.p
	for _, i := range p.dirty {
		rec := p.recs.at(int(i), &s.shape)
		state := rec[sessionState]
		if state&flagStored == 0 {
			continue
		}
		first, last := s.storedAs(rec)
		closes := s.closes(sp, last)
		if closes <= s.closed {
			continue // deleteClosed has
		}
		key := p.groups.keyOf(s.hi[:0], int(state&groupMask), &s.group)
		s.hi = key
		moved := state&flagDead != 0 || first != int64(rec[sessionFirst])
		if moved {
			s.e.keyBuf = appendSessionKey(s.e.keyBuf[:0], prefixSession, s.at, sp.Start, key, first)
			if err := w.Delete(s.e.keyBuf); err != nil {
				return fmt.Errorf("delete a session: %w", err)
			}
		}
		if moved || closes != s.closes(sp, int64(rec[sessionLast])) {
			s.e.keyBuf = appendSessionKey(s.e.keyBuf[:0], prefixSessionDue, s.at, closes, key, first)
			if err := w.Delete(s.e.keyBuf); err != nil {
				return fmt.Errorf("delete a session from the index: %w", err)
			}
			s.stored--
		}
	}
	return nil
}

// writeSpan sets the changed sessions of a span, and its header.
func (s *sessions) writeSpan(w Writer, sp *sessionSpan) error {
	if sp.p != nil {
		for _, i := range sp.p.dirty {
			rec := sp.p.recs.at(int(i), &s.shape)
			if rec[sessionState]&flagDead == 0 {
				if err := s.writeSession(w, sp, rec); err != nil {
					return err
				}
			}
			rec[sessionState] &^= flagDirty
		}
		sp.p.dirty = sp.p.dirty[:0]
	}
	if sp.spanHeader == sp.written {
		return nil
	}
	s.e.keyBuf = appendWindowKey(s.e.keyBuf[:0], prefixSessionSpan, s.at, sp.Start)
	s.e.valBuf = appendSpanHeader(s.e.valBuf[:0], sp.spanHeader)
	if err := w.Set(s.e.keyBuf, s.e.valBuf); err != nil {
		return fmt.Errorf("set a span: %w", err)
	}
	sp.written = sp.spanHeader
	return nil
}

func (s *sessions) writeSession(w Writer, sp *sessionSpan, rec []uint64) error {
	first, last := int64(rec[sessionFirst]), int64(rec[sessionLast])
	closes := s.closes(sp, last)
	key := sp.p.groups.keyOf(s.hi[:0], int(rec[sessionState]&groupMask), &s.group)
	s.hi = key
	s.e.keyBuf = appendSessionKey(s.e.keyBuf[:0], prefixSession, s.at, sp.Start, key, first)
	s.e.valBuf = s.appendSession(s.e.valBuf[:0], rec, sp.p)
	if err := w.Set(s.e.keyBuf, s.e.valBuf); err != nil {
		return fmt.Errorf("set a session: %w", err)
	}
	wasFirst, wasLast := s.storedAs(rec)
	if was := s.closes(sp, wasLast); rec[sessionState]&flagStored == 0 || wasFirst != first || was != closes || was <= s.closed {
		s.e.keyBuf = appendSessionKey(s.e.keyBuf[:0], prefixSessionDue, s.at, closes, key, first)
		if err := w.Set(s.e.keyBuf, nil); err != nil {
			return fmt.Errorf("set a session in the index: %w", err)
		}
		s.stored++
	}
	rec[sessionState] |= flagStored
	s.setStored(rec, first, last)
	return nil
}

// unwritten is about how many bytes the next write will set: each changed session, and its place in the index.
func (s *sessions) unwritten() (n int64) {
	for _, sp := range s.spans {
		if sp.p != nil {
			n += int64(len(sp.p.dirty))
		}
	}
	return n * (int64(s.out.layout.stride)*8 + 2*unwrittenKey)
}
