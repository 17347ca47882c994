package reconcile

import (
	"fmt"

	"github.com/tidemark-io/tidemark/stream/curated"
	"github.com/tidemark-io/tidemark/stream/journal"
)

// place is where a record lies.
type place struct {
	topic     string
	partition int32
	offset    int64
}

func (p place) String() string {
	return fmt.Sprintf("%s/%d@%d", p.topic, p.partition, p.offset)
}

// places are the events that the journal names: not aggregated by the stream, or not in every output.
type places map[place]journalled

// journalled is what the journal says of one event, as far as one output is concerned.
type journalled struct {
	kind         journal.Kind
	watermark    int64
	hasWatermark bool
}

// evidenceMax is how many places of a window are kept as examples; the counts are of all.
const evidenceMax = 10

// evidence is what speaks for a window's value having changed, gathered while it is recomputed. An event that the last
// certificate had already seen is no evidence for what changed after it.
type evidence struct {
	lateAll    int64 // events of the window that the stream did not aggregate in time: _input.late
	lateNew    int64 // of these, those that the last certificate had not seen
	invalidNew int64 // events that the stream could not evaluate, and the code of today can
	duplicates int64
	lateAt     []place
	dupAt      []place
}

func (e *evidence) late(c *clue) {
	if c.invalid {
		if c.fresh {
			e.invalidNew++
		}
		return
	}
	e.lateAll++
	if !c.fresh {
		return
	}
	e.lateNew++
	if len(e.lateAt) < evidenceMax {
		e.lateAt = append(e.lateAt, c.at)
	}
}

// add adds what speaks for another window.
func (e *evidence) add(o *evidence) {
	e.lateAll, e.lateNew, e.invalidNew, e.duplicates = e.lateAll+o.lateAll, e.lateNew+o.lateNew, e.invalidNew+o.invalidNew, e.duplicates+o.duplicates
	e.lateAt = append(e.lateAt, o.lateAt[:min(len(o.lateAt), evidenceMax-len(e.lateAt))]...)
	e.dupAt = append(e.dupAt, o.dupAt[:min(len(o.dupAt), evidenceMax-len(e.dupAt))]...)
}

func (e *evidence) duplicate(at place) {
	e.duplicates++
	if len(e.dupAt) < evidenceMax {
		e.dupAt = append(e.dupAt, at)
	}
}

// reasons are the evidence for one correction.
type reasons struct {
	late     int64 // late events that count now
	dup      int64 // copies that the stream had counted
	code     bool  // other code published the window, or could not evaluate some of its events
	evidence []place
}

// causes weighs the evidence for a changed window and gives the one word for the curated record. e is nil if nothing is known
// of the window's events.
func causes(e *evidence, p pair, codeChanged bool) (curated.Cause, reasons) {
	var found []curated.Cause
	var r reasons
	if e != nil && e.lateNew > 0 {
		found = append(found, curated.CauseLate)
		r.late, r.evidence = e.lateNew, append(r.evidence, e.lateAt...)
	}
	// The stream counted more events than there are, and there are as many copies: it counted copies.
	if e != nil && p.after != nil && p.before.exists() {
		if more := p.before.row.Events - p.after.row.Events; more > 0 && more <= e.duplicates {
			found = append(found, curated.CauseDuplicate)
			r.dup, r.evidence = more, append(r.evidence, e.dupAt...)
		}
	}
	if codeChanged || e != nil && e.invalidNew > 0 {
		found = append(found, curated.CauseCode)
		r.code = true
	}
	if len(r.evidence) > evidenceMax {
		r.evidence = r.evidence[:evidenceMax]
	}
	switch len(found) {
	case 0:
		return curated.CauseOther, r
	case 1:
		return found[0], r
	}
	return curated.CauseMixed, r
}
