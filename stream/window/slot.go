package window

import "slices"

// slot is a stretch of time in which all times have the same windows, with these windows. An empty one holds no time.
type slot struct {
	Span
	wins []win // ascending start
}

// win is one window of an output, open or not.
type win struct {
	Span
	closes int64
	pane   *pane // nil: not looked up yet
}

// at is the slot that holds time t: the output's near one.
func (o *output) at(t int64) *slot {
	if o.near.holds(t) {
		return o.near
	}
	o.near, o.far = o.far, o.near
	if !o.near.holds(t) {
		o.fill(o.near, t)
	}
	return o.near
}

// fill makes s the slot of time t.
func (o *output) fill(s *slot, t int64) {
	if o.Zone == nil && o.every() == o.Size { // most outputs, and no slice or division more than need be
		start := floorTo(t, o.Size)
		s.Span = Span{start, start + o.Size}
		s.wins = append(s.wins[:0], win{Span: s.Span, closes: s.End + o.Lateness})
		return
	}
	o.spans = o.Assign(t, o.spans[:0])
	s.Span, s.wins = o.same(t, o.spans), s.wins[:0]
	for _, w := range o.spans {
		s.wins = append(s.wins, win{Span: w, closes: w.End + o.Lateness})
	}
	wanted := func(w win) bool { return o.wanted.holds(w.Start) }
	if o.wanted != (Span{}) && !o.Session() && slices.ContainsFunc(s.wins, wanted) {
		s.wins = slices.DeleteFunc(s.wins, func(w win) bool { return !wanted(w) })
	}
}

// forget empties the slots: panes have gone.
func (o *output) forget() { o.near.Span, o.far.Span = Span{}, Span{} }

// cut is the aligned span that holds time t: sessions don't cross its ends.
func (o *output) cut(t int64) Span { return o.at(t).wins[0].Span }

// of is the window of the output that starts at a time; false when none does.
func (o *output) of(start int64) (Span, bool) {
	o.spans = o.Assign(start, o.spans[:0])
	for _, w := range o.spans {
		if w.Start == start {
			return w, true
		}
	}
	return Span{}, false
}
