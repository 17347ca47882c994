package window

import "sort"

// OpenWindow is one open window of an output, of all its groups; or all open sessions of one aligned span, which may
// be too many to tell of one by one.
type OpenWindow struct {
	Output     int
	Start, End int64 // ms; of sessions, those of the span
	Closes     int64 // ms: the watermark that closes it, End + lateness; of sessions, that closes the first of them
	Groups     int64 // distinct group keys, and so results when it closes; of sessions, their number
}

func (o *output) describe(i, at int) OpenWindow {
	ref := &o.panes[at]
	return OpenWindow{Output: i, Start: ref.Start, End: ref.End, Closes: o.closes(ref), Groups: ref.groupsOf()}
}

// openResults is the number of results that the output's open windows would give.
func (o *output) openResults() int64 {
	if o.sess != nil {
		return o.sess.open()
	}
	return o.groups
}

// OpenWindows is, for each output, the number of results that its open windows would give: windows times groups, as
// closed windows are counted.
func (e *Engine) OpenWindows() (perOutput []int) {
	perOutput = make([]int, len(e.outs))
	for i := range e.outs {
		perOutput[i] = int(e.outs[i].openResults())
	}
	return perOutput
}

// Closed is the highest watermark that Close was given, of an earlier engine too; NoWatermark when there is none.
func (e *Engine) Closed() int64 { return e.closed }

// Due bounds the results that Close would emit at a watermark: of windows just as many, of sessions all that are open.
func (e *Engine) Due(watermark int64) (windows, sessions int64) {
	if watermark <= e.closed {
		return 0, 0
	}
	for i := range e.outs {
		o := &e.outs[i]
		if o.sess != nil {
			sessions += o.sess.open()
		}
		for j := 0; j < len(o.panes) && o.closes(&o.panes[j]) <= watermark; j++ {
			windows += o.panes[j].groupsOf()
		}
	}
	return windows, sessions
}

// Bound is the watermark that closes every open window whose end isn't above limit (ms): the highest end + lateness
// among them. ok is false when there is none.
func (e *Engine) Bound(limit int64) (bound int64, ok bool) {
	for i := range e.outs {
		if closes, has := e.outs[i].bound(limit); has && (!ok || closes > bound) {
			bound, ok = closes, true
		}
	}
	return bound, ok
}

func (o *output) bound(limit int64) (int64, bool) {
	if o.sess != nil {
		return o.sess.bound(limit)
	}
	n := sort.Search(len(o.panes), func(j int) bool { return o.panes[j].End > limit })
	if n == 0 {
		return 0, false
	}
	return o.closes(&o.panes[n-1]), true
}

// OldestOpen is the open window with the lowest start; of equals, that of the first output.
func (e *Engine) OldestOpen() (w OpenWindow, ok bool) {
	for i := range e.outs {
		if first, has := e.outs[i].oldest(i); has && (!ok || first.Start < w.Start) {
			w, ok = first, true
		}
	}
	return w, ok
}

func (o *output) oldest(i int) (OpenWindow, bool) {
	if o.sess != nil {
		return o.sess.oldest()
	}
	if len(o.panes) == 0 {
		return OpenWindow{}, false
	}
	return o.describe(i, 0), true
}

// EachOpen calls fn with every open window in the order (output, start), until fn returns false. Open sessions are
// told of by the span that they lie in.
func (e *Engine) EachOpen(fn func(OpenWindow) bool) {
	for i := range e.outs {
		o := &e.outs[i]
		if o.sess != nil && !o.sess.eachOpen(fn) {
			return
		}
		for at := range o.panes {
			if !fn(o.describe(i, at)) {
				return
			}
		}
	}
}
