package reconcile

import (
	"fmt"

	"github.com/tidemark-io/tidemark/stream/join"
	"github.com/tidemark-io/tidemark/stream/journal"
	"github.com/tidemark-io/tidemark/stream/window"
)

// named is the clue that the journal gives of a record; nil if it says nothing.
func (rc *recomputer) named(at place) *clue {
	j, ok := rc.places[at]
	if !ok {
		return nil
	}
	return &clue{at: at, invalid: j.kind == journal.Invalid, fresh: rc.rec.fresh, missed: missedBy(j, rc.def.Session())}
}

// taken notes whether the event in hand, or the element of it, was the first one of its copies.
func (rc *recomputer) taken(key eventKey, duplicate bool) {
	switch {
	case !duplicate && rc.pending != nil:
		rc.evidence.events[key] = rc.pending
	case duplicate:
		if c := rc.evidence.events[key]; c != nil {
			j, ok := rc.places[rc.rec.at]
			c.copied(j, ok, rc.rec.fresh, rc.evidence.session)
		}
	}
}

// entered is told of everything that is given to the windows.
func (rc *recomputer) entered(in *window.Input, out window.Outcome) error {
	if out == window.Late {
		return fmt.Errorf("%s was judged late without a watermark", rc.rec.at)
	}
	group := string(in.Keys[rc.unit.output])
	if p := rc.flow.Pair(); p != nil {
		rc.paired(group, in.Time, p)
	} else {
		rc.single(group, in, out == window.Duplicate)
	}
	if rc.observe == nil {
		return nil
	}
	return rc.observe(&rc.rec, in, out)
}

// single notes what speaks for an event, or an element of one, having changed its windows.
func (rc *recomputer) single(group string, in *window.Input, duplicate bool) {
	if duplicate {
		rc.evidence.copy(group, in.Time, rc.rec.at)
	} else if rc.pending != nil {
		c := *rc.pending // elements have copies of their own
		rc.pending = &c
		rc.evidence.note(group, in.Time, rc.pending)
	}
	if in.HasID {
		rc.taken(eventKey{rc.rec.source, in.ID}, duplicate)
	}
}

// paired notes what speaks for either event of a pair having changed the pair's windows.
func (rc *recomputer) paired(group string, t int64, p *join.Pair) {
	j := &rc.plan.Join
	sides := []eventKey{{j.Left, p.LeftID}}
	if p.Right != nil {
		sides = append(sides, eventKey{j.Right, p.RightID})
	}
	for _, side := range sides {
		c := rc.evidence.events[side]
		if c == nil && side == (eventKey{rc.rec.source, rc.rec.ident}) {
			c = rc.pending
		}
		if c != nil {
			rc.evidence.note(group, t, c)
			rc.moved.note(group, t, c)
		}
	}
}
