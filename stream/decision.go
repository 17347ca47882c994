package stream

import (
	"context"
	"fmt"

	"github.com/tidemark-io/tidemark/stream/journal"
	"github.com/tidemark-io/tidemark/stream/kafka"
	"github.com/tidemark-io/tidemark/stream/pipeline"
)

// A decision is what the source log does not determine (law L5). decide takes one now, at the task's cut: it is
// journalled in the transaction that commits the cut, with the outputs that it causes.

// born begins a task's life: empty state, at the offsets where it starts to read its inputs.
func (t *task) born(starts []int64) error {
	for i, in := range t.inputs {
		in.next, in.bornAt = starts[i], starts[i]
		if err := t.decide(in, &journal.Entry{Kind: journal.Born, Time: journal.NoTime, Reason: t.start(i)}); err != nil {
			return err
		}
	}
	return nil
}

// start says where a new task begins to read an input.
func (t *task) start(input int) string {
	if input < len(t.plan.Sources) {
		return t.plan.Sources[input].Spec.Start
	}
	return pipeline.StartEarliest
}

// raise moves the watermark of one of the task's source partitions to at least mark and closes what that closes.
func (t *task) raise(in *input, kind journal.Kind, mark int64, reason string) error {
	if t.out.closing != nil {
		return nil // not before what is left of a closing is published
	}
	return t.decide(in, &journal.Entry{Kind: kind, Time: mark, Watermark: mark, HasWatermark: true, Reason: reason})
}

func (t *task) decide(in *input, e *journal.Entry) error {
	e.Seq = t.decisions + 1
	e.Topic, e.Partition, e.Offset = in.topic, t.id, in.next
	e.Fingerprint, e.TopicID, e.Partitions = t.plan.Fingerprint, in.topicID, in.wide
	if err := t.journal(e); err != nil {
		return err
	}
	t.decisions++
	return t.obey(in, e)
}

// obey applies a decision to the state: when it is taken, and again whenever the log is replayed. What it decides is of
// one input at one offset; how the others stand to it makes no difference (law L4).
func (t *task) obey(in *input, e *journal.Entry) error {
	t.dirty = true
	if !e.HasWatermark {
		return nil
	}
	if err := t.flow.Raise(in.number, e.Watermark); err != nil {
		return fmt.Errorf("task %d: decision %d: %w", t.id, e.Seq, err)
	}
	if err := t.flow.Mark(t.id, true); err != nil {
		return err
	}
	return t.close()
}

// readDecisions returns the decisions of a task with numbers in (after, upTo], in order. They are read from the
// journal topic, of which the committed metadata says how far it counts: whatever a zombie
// left behind was aborted and is not seen.
func readDecisions(ctx context.Context, k kafka.Options, topic string, task int32, from, to, after, upTo int64) ([]journal.Entry, error) {
	var out []journal.Entry
	err := kafka.ReadRange(ctx, k, topic, task, from, to, func(r *kafka.Record) error {
		if r.Attrs.IsControl() {
			return nil
		}
		e, err := journal.Decode(r.Value)
		if err != nil {
			return fmt.Errorf("%s: %w", place(r), err)
		}
		if e.Kind.Decision() && e.Seq > after && e.Seq <= upTo {
			out = append(out, e)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the journal of task %d: %w", task, err)
	}
	if int64(len(out)) != upTo-after {
		return nil, &StopError{Where: fmt.Sprintf("%s/%d", topic, task),
			What: fmt.Sprintf("the journal names %d of the decisions %d to %d that the committed cut includes", len(out), after+1, upTo),
			Fix:  "was the journal topic deleted or its retention changed? It must be kept for ever"}
	}
	return out, nil
}
