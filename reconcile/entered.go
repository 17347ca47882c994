package reconcile

import (
	"bytes"
	"fmt"

	"github.com/tidemark-io/tidemark/lake"
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
	group := in.Keys[rc.unit.output]
	if p := rc.flow.Pair(); p != nil {
		rc.paired(group, in.Time, p)
		if rc.observe == nil {
			return nil
		}
		return rc.observe(rc.recordsOf(p), in, out)
	}
	rc.single(group, in, out == window.Duplicate)
	if rc.observe == nil {
		return nil
	}
	return rc.observe([]*rawRecord{&rc.rec}, in, out)
}

// remember keeps the record in hand for what a join makes of it later.
func (rc *recomputer) remember() {
	key := eventKey{rc.rec.source, rc.rec.ident}
	if rc.known == nil || rc.known[key] != nil {
		return
	}
	kept := rc.rec
	kept.stored = &lake.Stored{}
	if rc.pending != nil {
		kept.stored.Payload = bytes.Clone(rc.rec.stored.Payload)
	}
	rc.known[key] = &kept
}

// single notes what speaks for an event, or an element of one, having changed its windows.
func (rc *recomputer) single(group []byte, in *window.Input, duplicate bool) {
	if duplicate {
		rc.evidence.copy(string(group), in.Time, rc.rec.at)
	} else if rc.pending != nil {
		c := *rc.pending // elements have copies of their own
		rc.pending = &c
		rc.evidence.note(string(group), in.Time, rc.pending)
	}
	if in.HasID {
		rc.taken(eventKey{rc.rec.source, in.ID}, duplicate)
	}
}

// paired notes what speaks for either event of a pair having changed the pair's windows.
func (rc *recomputer) paired(group []byte, t int64, p *join.Pair) {
	for i, side := range rc.sides(p) {
		if i == 1 && p.Right == nil {
			break
		}
		c := rc.evidence.events[side]
		if c == nil && side == (eventKey{rc.rec.source, rc.rec.ident}) {
			c = rc.pending
		}
		if c != nil {
			rc.evidence.note(string(group), t, c)
			rc.moved.note(string(group), t, c)
		}
	}
}

// sides are the events of a pair; the right one is of meaning if the pair has one.
func (rc *recomputer) sides(p *join.Pair) [2]eventKey {
	j := &rc.plan.Join
	return [2]eventKey{{j.Left, p.LeftID}, {j.Right, p.RightID}}
}

// recordsOf are the records of a pair.
func (rc *recomputer) recordsOf(p *join.Pair) (recs []*rawRecord) {
	for i, side := range rc.sides(p) {
		if rec := rc.known[side]; rec != nil && (i == 0 || p.Right != nil) {
			recs = append(recs, rec)
		}
	}
	return recs
}
