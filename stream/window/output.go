package window

import (
	"fmt"
	"math/bits"
	"slices"
)

// output is one output with its open windows.
type output struct {
	Output
	layout layout
	sess   *sessions // of sessions; nil: panes
	panes  []paneRef // ascending start
	near   *slot     // last used
	far    *slot     // used before that: around a boundary, times go to and fro
	groups int64     // of all open windows
	gone   timeRange // starts of closed windows that the Backing still has
	grain  int64     // of the expiry of a session's identities
	spans  []Span    // scratch
	wanted Span      // starts of the windows to keep; empty: of all

	// Where a packed word has the number of windows that have counted an event (dedup).
	shift, width uint
}

// paneRef is an open window; p is nil when all of it is in the Backing.
type paneRef struct {
	Span
	groups  int64 // while p is nil
	p       *pane
	cold    filters  // while p is nil: of the groups in the Backing; none: not known
	pending *pending // changes that Updates has to tell of, in a pane that was evicted; nil: none
}

const refBytes = 72 // of a paneRef or a bucketRef, with the spare room of their slice

// setUp compiles an output's settings, or says what is wrong with them.
func (o *output) setUp() (err error) {
	if err := o.check(); err != nil {
		return err
	}
	if o.layout, err = layoutOf(&o.Output); err != nil {
		return err
	}
	o.near, o.far = &slot{}, &slot{}
	o.width = uint(bits.Len64(uint64(o.WindowsPerEvent())))
	o.grain = max(grainLeast, o.Lateness/grainShare)
	return nil
}

// closes is the watermark that closes the window r.
func (o *output) closes(r *paneRef) int64 { return r.End + o.Lateness }

// open is the pane of w, made if the window isn't open yet, and remembered in w.
func (o *output) open(w *win, m *memory) *pane {
	i, found := o.search(w.Start)
	if !found {
		o.panes = slices.Insert(o.panes, i, paneRef{Span: w.Span})
		m.note(refBytes)
	}
	ref := &o.panes[i]
	if ref.p == nil {
		ref.p = newPane(m)
		ref.p.groups, ref.p.written = ref.groups, ref.groups
		ref.p.partial = ref.groups > 0
		ref.p.cold, ref.cold = ref.cold, nil
		ref.p.blind = ref.p.partial && len(ref.p.cold) == 0
	}
	w.pane = ref.p
	return ref.p
}

// search finds the open window with a start, or where it would be. It is written out because a paneRef is too large to
// be handed to a comparison.
func (o *output) search(start int64) (int, bool) {
	lo, hi := 0, len(o.panes)
	for lo < hi {
		mid := int(uint(lo+hi) / 2)
		if o.panes[mid].Start < start {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo, lo < len(o.panes) && o.panes[lo].Start == start
}

// groupsOf is the number of groups of an open window.
func (r *paneRef) groupsOf() int64 {
	if r.p == nil {
		return r.groups
	}
	return r.p.groups
}

// WindowsPerEvent is the greatest number of windows that count one event: 1 of tumbling windows and of sessions.
func (o *Output) WindowsPerEvent() int64 {
	if o.Session() {
		return 1
	}
	return o.most()
}

// check says what is wrong with an output's settings.
func (o *Output) check() error {
	switch {
	case o.Size < 1 || o.Size > SpanMax:
		return fmt.Errorf("window size %d ms: from 1 to %d", o.Size, SpanMax)
	case o.Lateness < 0 || o.Lateness > SpanMax:
		return fmt.Errorf("allowed lateness %d ms: from 0 to %d", o.Lateness, SpanMax)
	case len(o.Aggs) > AggsMax:
		return fmt.Errorf("%d aggregates: at most %d", len(o.Aggs), AggsMax)
	case o.Every < 0 || o.Every > o.Size:
		return fmt.Errorf("windows of %d ms every %d ms: they start every 1 to %d ms, or events between them would be in none", o.Size, o.Every, o.Size)
	case o.most() > WindowsMax:
		return fmt.Errorf("windows of %d ms every %d ms: each event would be in %d of them, at most %d; let them start less often", o.Size, o.Every, o.most(), WindowsMax)
	case o.Gap < 0 || o.Gap > o.Size:
		return fmt.Errorf("sessions with a gap of %d ms within %d ms: the gap is from 1 to %d", o.Gap, o.Size, o.Size)
	case o.Session() && o.every() != o.Size:
		return fmt.Errorf("sessions don't hop: a gap of %d ms and windows every %d ms", o.Gap, o.Every)
	case o.Session() && o.Updates:
		return fmt.Errorf("sessions have no updates: a session that joins two others would have to take both back")
	}
	return o.checkZone()
}

// checkZone says what is wrong with the windows of a zone.
func (o *Output) checkZone() error {
	whole := o.Size%dayMs == 0
	switch {
	case o.Zone == nil:
		return nil
	case !whole && (o.Session() || o.every() != o.Size):
		return fmt.Errorf("windows of %d ms in time zone %s: sessions and hopping windows of a zone span whole days, of 24h", o.Size, o.Zone.Name())
	case !whole && dayMs%o.Size != 0:
		return fmt.Errorf("windows of %d ms in time zone %s: take whole days, or what divides 24 hours", o.Size, o.Zone.Name())
	case whole && o.every()%dayMs != 0:
		return fmt.Errorf("windows every %d ms in time zone %s: take whole days, of 24h", o.Every, o.Zone.Name())
	}
	return nil
}

// timeRange is a range of times, both ends included; the zero timeRange is empty.
type timeRange struct {
	any    bool
	lo, hi int64
}

func (r *timeRange) add(t int64) {
	if !r.any {
		*r = timeRange{any: true, lo: t, hi: t}
		return
	}
	r.lo, r.hi = min(r.lo, t), max(r.hi, t)
}
