package window

import (
	"fmt"
	"slices"
)

// discover finds what an earlier engine has stored; e.closed is set. It reads the headers of spans only, which answer open,
// bound, oldest and eachOpen; sessions are read when they are needed.
func (s *sessions) discover() error {
	s.closed, s.wrote = min(s.e.closed, dueMax), min(s.e.closed, dueMax)
	lo := appendWindowKey(nil, prefixSessionSpan, s.at, NoWatermark)
	hi := appendWindowKey(nil, prefixSessionSpan, s.at+1, NoWatermark)
	err := s.e.back.Scan(lo, hi, func(k, v []byte) error {
		sp, err := s.readSpan(k, v)
		if err != nil {
			return &CorruptError{Key: slices.Clone(k), What: "header of a span of sessions", Err: err}
		}
		s.spans = append(s.spans, sp)
		s.total += sp.open
		s.e.mem.note(sessionSpanBytes)
		return nil
	})
	if err != nil {
		return fmt.Errorf("find spans of sessions: %w", err)
	}
	s.stored = s.total
	return nil
}

func (s *sessions) readSpan(k, v []byte) (*sessionSpan, error) {
	if len(k) != windowPrefixLen {
		return nil, fmt.Errorf("a key of %d bytes", len(k))
	}
	h, err := readSpanHeader(v)
	if err != nil {
		return nil, err
	}
	if h.last < TimeMin || h.last > TimeMax {
		return nil, fmt.Errorf("last event at %d ms", h.last)
	}
	sp := &sessionSpan{Span: s.out.cut(h.last), spanHeader: h, written: h}
	if start := timeAt(k[3:]); sp.Start != start {
		return nil, fmt.Errorf("its last event at %d lies in the span at %d", h.last, sp.Start)
	}
	if at := s.closes(sp, h.last); at <= s.closed {
		return nil, fmt.Errorf("its sessions have closed by %d, and the watermark has passed %d", at, s.closed)
	}
	return sp, nil
}
