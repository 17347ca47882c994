package stream

import (
	"context"
	"fmt"

	"github.com/tidemark-io/tidemark/state"
	"github.com/tidemark-io/tidemark/stream/journal"
	"github.com/tidemark-io/tidemark/stream/kafka"
)

// replayBatchMax bounds the records between two writes of a replay's state.
const replayBatchMax = 50_000

// reach brings a task from the cut of its state to the committed one. Nothing is published: the outputs of the
// gap were, in the transactions that committed it.
func (r *runner) reach(ctx context.Context, t *task, hasState bool, c committed) error {
	if !c.found {
		start := c.ends.Start
		if r.o.Plan.Pipeline.Source.Start == "latest" {
			start = c.ends.High
		}
		return t.born(start)
	}
	t.committed, t.bornAt = c.next, c.meta.Born
	if hasState && t.next == c.next && t.decisions == c.meta.Journal {
		return nil
	}
	decisions, err := r.missingDecisions(ctx, t, c)
	if err != nil {
		return err
	}
	if !hasState {
		if len(decisions) == 0 || decisions[0].Kind != journal.Born {
			return fmt.Errorf("task %d: its first decision is not its birth", t.id)
		}
		t.next = decisions[0].Offset
	}
	if t.next < c.ends.Start && t.next < c.next {
		return &StopError{Where: fmt.Sprintf("%s/%d", r.topic.Name, t.id),
			What: fmt.Sprintf("its state is at offset %d, the topic begins at %d: retention has passed the gap", t.next, c.ends.Start),
			Fix:  "replay from the lake is not built yet; give the pipeline a new name, or raise the topic's retention"}
	}
	r.log.Info("replaying", "task", t.id, "from", t.next, "to", c.next, "decisions", len(decisions))
	return r.replay(ctx, t, c.next, decisions)
}

func (r *runner) missingDecisions(ctx context.Context, t *task, c committed) ([]journal.Entry, error) {
	if t.decisions == c.meta.Journal {
		return nil, nil
	}
	name := r.o.Plan.Pipeline.JournalTopic()
	ends, err := r.admin.Offsets(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("offsets of %s: %w", name, err)
	}
	return readDecisions(ctx, r.o.Kafka, name, t.id, ends[t.id].Start, ends[t.id].High, t.decisions, c.meta.Journal)
}

// replay applies the records of [t.next, to) and each decision at its cut.
func (r *runner) replay(ctx context.Context, t *task, to int64, decisions []journal.Entry) error {
	t.replaying = true
	defer func() { t.replaying = false }()
	batch := make([]*kafka.Record, 0, 1024)
	since := 0
	flush := func() error {
		if err := t.process(batch); err != nil {
			return err
		}
		since += len(batch)
		batch = batch[:0]
		if since < replayBatchMax {
			return nil
		}
		since = 0
		return t.apply()
	}
	obeyUpTo := func(offset int64) error {
		for len(decisions) > 0 && decisions[0].Offset <= offset {
			if err := flush(); err != nil {
				return err
			}
			if err := t.obey(&decisions[0]); err != nil {
				return err
			}
			decisions = decisions[1:]
		}
		return nil
	}
	err := kafka.ReadRange(ctx, r.o.Kafka, r.topic.Name, t.id, t.next, to, func(rec *kafka.Record) error {
		if err := obeyUpTo(rec.Offset); err != nil {
			return err
		}
		if batch = append(batch, rec); len(batch) == cap(batch) {
			return flush()
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("replay %s/%d up to %d: %w", r.topic.Name, t.id, to, err)
	}
	if err := obeyUpTo(to); err != nil {
		return err
	}
	if err := flush(); err != nil {
		return err
	}
	t.next = to // what is left of the gap holds no records: aborted, or markers
	t.out = nil
	return t.apply()
}

// apply writes the state and its cut in one batch. After a commit it is the last step; in a replay the cut is
// behind Kafka, which is always allowed.
func (t *task) apply() error {
	cut, err := t.cut()
	if err != nil {
		return err
	}
	if err := t.store.Apply(cut, func(b state.Batch) error { return t.engine.Write(b) }); err != nil {
		return fmt.Errorf("task %d: apply state at %d: %w", t.id, t.next, err)
	}
	t.committed, t.dirty = t.next, false
	return nil
}
