package window

import "sort"

// OpenWindow is one open window of an output, of all its groups.
type OpenWindow struct {
	Output     int
	Start, End int64 // ms
	Closes     int64 // ms: the watermark that closes it, End + lateness
	Groups     int64 // distinct group keys, and so results when it closes
}

func (o *output) describe(i, at int) OpenWindow {
	ref := &o.panes[at]
	return OpenWindow{Output: i, Start: ref.start, End: ref.start + o.Size, Closes: o.closes(ref.start), Groups: ref.groupsOf()}
}

// OpenWindows is, for each output, the number of results that its open windows would give: windows times groups, as
// closed windows are counted.
func (e *Engine) OpenWindows() (perOutput []int) {
	perOutput = make([]int, len(e.outs))
	for i := range e.outs {
		perOutput[i] = int(e.outs[i].groups)
	}
	return perOutput
}

// Bound is the watermark that closes every open window whose end isn't above limit (ms): the highest end + lateness
// among them. ok is false when there is none.
func (e *Engine) Bound(limit int64) (bound int64, ok bool) {
	for i := range e.outs {
		o := &e.outs[i]
		n := sort.Search(len(o.panes), func(j int) bool { return o.panes[j].start+o.Size > limit })
		if n == 0 {
			continue
		}
		if closes := o.closes(o.panes[n-1].start); !ok || closes > bound {
			bound, ok = closes, true
		}
	}
	return bound, ok
}

// OldestOpen is the open window with the lowest start; of equals, that of the first output.
func (e *Engine) OldestOpen() (w OpenWindow, ok bool) {
	for i := range e.outs {
		o := &e.outs[i]
		if len(o.panes) > 0 && (!ok || o.panes[0].start < w.Start) {
			w, ok = o.describe(i, 0), true
		}
	}
	return w, ok
}

// EachOpen calls fn with every open window in the order (output, start), until fn returns false.
func (e *Engine) EachOpen(fn func(OpenWindow) bool) {
	for i := range e.outs {
		for at := range e.outs[i].panes {
			if !fn(e.outs[i].describe(i, at)) {
				return
			}
		}
	}
}
