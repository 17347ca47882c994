package stream

import (
	"context"
	"fmt"

	"github.com/tidemark-io/tidemark/stream/journal"
	"github.com/tidemark-io/tidemark/stream/kafka"
	"github.com/tidemark-io/tidemark/stream/window"
)

// A decision is what the source log does not determine (law L5). decide takes one now, at the task's cut: it is
// journalled in the transaction that commits the cut, with the outputs that it causes.

// born begins a task's life: empty state, at the offset where it starts to read.
func (t *task) born(start int64) error {
	t.next, t.bornAt = start, start
	return t.decide(&journal.Entry{Kind: journal.Born, Time: journal.NoTime, Reason: t.plan.Pipeline.Source.Start})
}

// raise moves the watermark of the task's partition to at least mark and closes what that closes.
func (t *task) raise(kind journal.Kind, mark int64, reason string) error {
	return t.decide(&journal.Entry{Kind: kind, Time: mark, Watermark: mark, HasWatermark: true, Reason: reason})
}

func (t *task) decide(e *journal.Entry) error {
	e.Seq = t.decisions + 1
	e.Topic, e.Partition, e.Offset = t.plan.Pipeline.Source.Topic, t.id, t.next
	e.Fingerprint, e.TopicID, e.Partitions = t.plan.Fingerprint, t.topicID, t.wide
	if err := t.journal(e); err != nil {
		return err
	}
	return t.obey(e)
}

// obey applies a decision to the state: when it is taken, and again whenever the log is replayed.
func (t *task) obey(e *journal.Entry) error {
	if e.Seq != t.decisions+1 {
		return fmt.Errorf("task %d: decision %d follows decision %d: the journal has a gap", t.id, e.Seq, t.decisions)
	}
	t.decisions, t.dirty = e.Seq, true
	if !e.HasWatermark {
		return nil
	}
	t.wm.Raise(e.Watermark, t.wmOptions)
	if got := t.wm.Value(t.wmOptions); got == window.NoWatermark || got < e.Watermark {
		return fmt.Errorf("task %d: decision %d set the watermark to %d, it is %d", t.id, e.Seq, e.Watermark, got)
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
