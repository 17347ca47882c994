package reconcile

import (
	"math"

	"github.com/tidemark-io/tidemark/stream/journal"
	"github.com/tidemark-io/tidemark/stream/window"
)

// clue is an event that may have changed windows: the journal names each of its copies.
type clue struct {
	at      place
	invalid bool // the stream could not evaluate it
	fresh   bool // the last certificate had seen none of its copies
	// missed is the watermark below which windows closed without it: the lowest by which a copy was judged. It is never if
	// a copy was late for all windows, and always if one came in time.
	missed int64
}

const (
	never  = int64(math.MaxInt64) // no window took it
	always = int64(math.MinInt64) // every window took it
)

// missedBy is what an entry of the journal says of the windows that an event missed.
func missedBy(j journalled, session bool) int64 {
	if j.kind == journal.Missed && j.hasWatermark && !session {
		return j.watermark
	}
	return never
}

// copied notes another copy of the event: in what was taken of that, the event was.
func (c *clue) copied(j journalled, named, fresh, session bool) {
	c.fresh = c.fresh && fresh
	if !named {
		c.missed = always
		return
	}
	c.missed = min(c.missed, missedBy(j, session))
}

// speaksFor reports whether a window that closes at a watermark went without the event.
func (c *clue) speaksFor(closes int64) bool {
	return c.invalid || c.missed != always && c.missed >= closes
}

// eventKey names an event: its source, and its identity or that of one of its elements.
type eventKey struct {
	source int
	id     [16]byte
}

// evidences are the clues of a unit, by group and time, until its windows are known.
type evidences struct {
	session bool
	events  map[eventKey]*clue // those whose copies may follow
	late    map[string][]timedClue
	copies  map[string][]timedCopy
}

// timedClue is a clue at the time by which the event is in windows: its own, or that of what a join made of it.
type timedClue struct {
	time int64
	*clue
}

type timedCopy struct {
	time int64
	at   place
}

func newEvidences(o *window.Output) evidences {
	return evidences{session: o.Session(), events: make(map[eventKey]*clue), late: make(map[string][]timedClue), copies: make(map[string][]timedCopy)}
}

func (e *evidences) note(group string, t int64, c *clue) {
	e.late[group] = append(e.late[group], timedClue{t, c})
}

func (e *evidences) copy(group string, t int64, at place) {
	e.copies[group] = append(e.copies[group], timedCopy{t, at})
}

// of is the evidence for a window of a group that closes at a watermark. An event is one, however often a join has paired it.
func (e *evidences) of(group string, w window.Span, closes int64) (out evidence) {
	gather(&out, e.late[group], w, closes)
	for _, c := range e.copies[group] {
		if c.time >= w.Start && c.time < w.End {
			out.duplicate(c.at)
		}
	}
	return out
}

// gather adds the clues of a window that closes at a watermark.
func gather(out *evidence, clues []timedClue, w window.Span, closes int64) {
	var counted map[*clue]bool
	for _, c := range clues {
		if c.time < w.Start || c.time >= w.End || !c.speaksFor(closes) || counted[c.clue] {
			continue
		}
		if counted == nil {
			counted = make(map[*clue]bool)
		}
		counted[c.clue] = true
		out.late(c.clue)
	}
}
