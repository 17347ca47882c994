package window

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// open is the number of open sessions.
func (s *sessions) open() int64 { return s.total }

// bound is the watermark that closes every open session whose end isn't above limit; false when there is none. It answers
// from the spans' headers where they will do (invariant S5): sessions are looked at only when a span has
// some beyond the limit and others that aren't.
func (s *sessions) bound(limit int64) (int64, bool) {
	for _, sp := range slices.Backward(s.spans) {
		if sp.Start >= limit {
			continue
		}
		if end := s.end(sp, sp.last); end <= limit {
			return end + s.out.Lateness, true
		}
		found := max(s.highestHot(sp, limit), s.highestCold(sp, limit))
		if found > NoWatermark {
			return found, true
		}
	}
	return 0, false
}

// highestHot is the highest closing watermark of the span's sessions in memory whose end isn't above limit.
func (s *sessions) highestHot(sp *sessionSpan, limit int64) int64 {
	highest := int64(NoWatermark)
	if sp.p == nil {
		return highest
	}
	for i := range sp.p.recs.n {
		rec := sp.p.recs.at(i, &s.shape)
		if rec[sessionState]&flagDead == 0 && s.end(sp, int64(rec[sessionLast])) <= limit {
			highest = max(highest, s.closes(sp, int64(rec[sessionLast])))
		}
	}
	return highest
}

// highestCold is the same of those that only the Backing has. The index is walked downwards in steps that grow.
func (s *sessions) highestCold(sp *sessionSpan, limit int64) int64 {
	if sp.absent() <= 0 {
		return NoWatermark
	}
	lowest := s.lowestCloses(sp)
	hi := limit + s.out.Lateness + 1
	for step := max(s.out.Gap, 1_000); hi > lowest; step *= 4 {
		lo := max(lowest, hi-step)
		if highest, ok := s.coldBetween(sp, lo, hi, false); ok || s.e.err != nil {
			return highest
		}
		hi = lo
		if step > math.MaxInt64/8 {
			break
		}
	}
	return NoWatermark
}

// lowestCloses is a closing watermark that no open session of the span is below, and all of spans before it are.
func (s *sessions) lowestCloses(sp *sessionSpan) int64 {
	return max(s.closed, sp.Start+s.out.Lateness) + 1
}

// lowest is the lowest closing watermark of a span's sessions.
func (s *sessions) lowest(sp *sessionSpan) int64 {
	low := s.closes(sp, sp.last)
	if sp.absent() > 0 {
		if at, ok := s.coldBetween(sp, s.lowestCloses(sp), low, true); ok {
			low = at
		}
	}
	if sp.p == nil {
		return low
	}
	for len(sp.p.due) > 0 {
		d := sp.p.due[0]
		rec := sp.p.recs.at(int(d.rec), &s.shape)
		at := s.closes(sp, int64(rec[sessionLast]))
		switch {
		case rec[sessionState]&flagDead != 0:
			sp.p.due.pop()
		case at > d.closes:
			sp.p.due.replace(due{closes: at, rec: d.rec})
		default:
			return min(low, at)
		}
	}
	return low
}

// coldBetween is the first or the last closing watermark from lo to below hi of the sessions of a span that only the
// Backing has. An error makes the engine unusable; whoever asks learns of it at the next Add, Close or Write.
func (s *sessions) coldBetween(sp *sessionSpan, lo, hi int64, first bool) (found int64, ok bool) {
	s.lo = appendWindowKey(s.lo[:0], prefixSessionDue, s.at, lo)
	s.hi = appendWindowKey(s.hi[:0], prefixSessionDue, s.at, hi)
	found = NoWatermark
	err := s.e.back.Scan(s.lo, s.hi, func(k, _ []byte) error {
		closes, key, at, err := splitSessionKey(k)
		if err != nil {
			return &CorruptError{Key: slices.Clone(k), What: "session in the index", Err: err}
		}
		if of, hot := s.inMemory(key, at); of != sp || hot {
			return nil
		}
		found, ok = closes, true
		if first {
			return errStop
		}
		return nil
	})
	if err != nil && !errors.Is(err, errStop) {
		s.broken(fmt.Errorf("look for sessions that close from %d on: %w", lo, err))
		return NoWatermark, false
	}
	return found, ok
}

// describe tells of all open sessions of a span as one.
func (s *sessions) describe(sp *sessionSpan) OpenWindow {
	return OpenWindow{Output: s.at, Start: sp.Start, End: sp.End, Closes: s.lowest(sp), Groups: sp.open}
}

// oldest is the first that eachOpen tells of; false when there is none.
func (s *sessions) oldest() (OpenWindow, bool) {
	if len(s.spans) == 0 {
		return OpenWindow{}, false
	}
	return s.describe(s.spans[0]), true
}

// eachOpen calls fn for each span with open sessions, in their order, until fn returns false; it then returns false.
func (s *sessions) eachOpen(fn func(OpenWindow) bool) bool {
	for _, sp := range s.spans {
		if !fn(s.describe(sp)) {
			return false
		}
	}
	return true
}

// broken makes the engine unusable where no error can be returned.
func (s *sessions) broken(err error) {
	if s.e.err == nil {
		s.e.err = err
	}
}
