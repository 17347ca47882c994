package window

import (
	"cmp"
	"fmt"
	"slices"
)

// output is one output with its open windows.
type output struct {
	Output
	layout layout
	sess   merging   // of sessions; nil: panes
	panes  []paneRef // ascending start
	near   window    // last used
	far    window    // used before that: around a boundary, times go to and fro
	groups int64     // of all open windows
	gone   span      // starts of closed windows that the Backing still has
}

// paneRef is an open window; p is nil when all of it is in the Backing.
type paneRef struct {
	start  int64
	groups int64 // while p is nil
	p      *pane
}

const refBytes = 32 // of a paneRef or a bucketRef, with the spare room of their slice

// window is one window of an output, open or not. An empty one (start = end) holds no time.
type window struct {
	start, end, closes int64
	pane               *pane // nil: not looked up yet
}

func (w *window) holds(t int64) bool { return w.start <= t && t < w.end }

// at is the window that holds time t, as the output's near window.
func (o *output) at(t int64) *window {
	if o.near.holds(t) {
		return &o.near
	}
	o.near, o.far = o.far, o.near
	if !o.near.holds(t) {
		start := o.Start(t)
		o.near = window{start: start, end: start + o.Size, closes: start + o.Size + o.Lateness}
	}
	return &o.near
}

// cut is the aligned span that holds time t: sessions don't cross its ends.
func (o *output) cut(t int64) Span {
	w := o.at(t)
	return Span{w.start, w.end}
}

// forget empties the shortcuts to panes.
func (o *output) forget() { o.near, o.far = window{}, window{} }

// closes is the watermark that closes the window with a start.
func (o *output) closes(start int64) int64 { return start + o.Size + o.Lateness }

// open is the pane of w, made if the window isn't open yet, and remembered in w.
func (o *output) open(w *window, m *memory) *pane {
	i, found := o.search(w.start)
	if !found {
		o.panes = slices.Insert(o.panes, i, paneRef{start: w.start})
		m.note(refBytes)
	}
	ref := &o.panes[i]
	if ref.p == nil {
		ref.p = newPane(m)
		ref.p.groups, ref.p.written = ref.groups, ref.groups
		ref.p.partial = ref.groups > 0
	}
	w.pane = ref.p
	return ref.p
}

func (o *output) search(start int64) (int, bool) {
	return slices.BinarySearchFunc(o.panes, start, func(r paneRef, t int64) int { return compareTimes(r.start, t) })
}

// groupsOf is the number of groups of an open window.
func (r *paneRef) groupsOf() int64 {
	if r.p == nil {
		return r.groups
	}
	return r.p.groups
}

func compareTimes(a, b int64) int { return cmp.Compare(a, b) }

// check says what is wrong with an output's settings.
func (o *Output) check() error {
	switch {
	case o.Size < 1 || o.Size > SpanMax:
		return fmt.Errorf("window size %d ms: from 1 to %d", o.Size, SpanMax)
	case o.Lateness < 0 || o.Lateness > SpanMax:
		return fmt.Errorf("allowed lateness %d ms: from 0 to %d", o.Lateness, SpanMax)
	case len(o.Aggs) > AggsMax:
		return fmt.Errorf("%d aggregates: at most %d", len(o.Aggs), AggsMax)
	}
	return nil
}

// span is a range of times, both ends included; the zero span is empty.
type span struct {
	any    bool
	lo, hi int64
}

func (s *span) add(t int64) {
	if !s.any {
		*s = span{any: true, lo: t, hi: t}
		return
	}
	s.lo, s.hi = min(s.lo, t), max(s.hi, t)
}

// noted accounts for the growth of a slice of indexes.
func noted(after, before []uint32, m *memory) []uint32 {
	if grown := cap(after) - cap(before); grown != 0 {
		m.note(int64(grown) * 4)
	}
	return after
}
