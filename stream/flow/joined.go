package flow

import (
	"errors"
	"fmt"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/join"
	"github.com/tidemark-io/tidemark/stream/pipeline"
	"github.com/tidemark-io/tidemark/stream/window"
)

// newJoin makes the join of a plan; nil if it has none.
func newJoin(plan *pipeline.Plan, back window.Backing, memory int64) (join.Operator, error) {
	j := &plan.Join
	switch plan.Shape {
	case pipeline.IntervalJoin:
		return join.NewInterval(join.IntervalOptions{Lower: j.Lower, Upper: j.Upper, Lateness: j.Lateness, MemoryMax: memory}, back)
	case pipeline.Enrich:
		return join.NewEnrichment(join.EnrichmentOptions{Lateness: j.Lateness, MemoryMax: memory}, back)
	}
	return nil, nil
}

// buffer gives an event to the join.
func (f *Flow) buffer(a *arrival) (Outcome, error) {
	side := join.Left
	if a.source == f.plan.Join.Right {
		side = join.Right
	}
	f.key, f.row = f.eval.JoinKey(f.key[:0]), f.eval.Row(f.row[:0])
	if bad := tooLong(f.key, f.row); bad != nil {
		return f.refuse(a, pipeline.Fate{Rule: -1}, bad)
	}
	v, err := f.join.Add(side, f.key, a.time, a.id, a.hasID, f.row, a.mark, f.pair)
	if err != nil {
		return 0, err
	}
	switch v.Outcome {
	case window.Late:
		return Late, nil
	case window.Duplicate:
		return Duplicate, nil
	}
	return Aggregated, nil
}

// Reasons of events that a join can't keep.
const (
	reasonJoinKeyTooLong = "join_key_too_long"
	reasonRowTooLong     = "joined_row_too_long"
)

// tooLong says why a join can't keep an event; nil if it can.
func tooLong(key, row []byte) error {
	switch {
	case len(key) > join.KeyMax:
		return &schema.RecordError{Reason: reasonJoinKeyTooLong, Err: fmt.Errorf("the join key has %d bytes, more than %d", len(key), join.KeyMax)}
	case len(row) > join.RowMax:
		return &schema.RecordError{Reason: reasonRowTooLong, Err: fmt.Errorf("what the pipeline reads of it has %d bytes, more than %d", len(row), join.RowMax)}
	}
	return nil
}

var errPairLate = errors.New("a joined event came too late for its windows: its output's allowed_lateness is below the join's")

// pair takes a joined event to the windows.
func (f *Flow) pair(p *join.Pair) error {
	f.counters.Pairs++
	fate, err := f.eval.Joined(p.Left, p.Right, p.Time, p.ID)
	f.countRules(fate)
	var bad *schema.RecordError
	switch {
	case errors.As(err, &bad), err == nil && fate.Outcome == pipeline.Quarantined:
		f.counters.PairsInvalid++
		return nil
	case err != nil:
		return err
	case fate.Outcome == pipeline.Filtered:
		f.counters.PairsFiltered++
		return nil
	}
	f.joined = p
	v, err := f.add(f.closed)
	f.joined = nil
	if err != nil {
		return fmt.Errorf("a joined event of time %d: %w", p.Time, err)
	}
	if v.Outcome == window.Late {
		return errPairLate
	}
	return nil
}
