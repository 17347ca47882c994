package stream

import (
	"context"
	"fmt"
	"strings"

	"github.com/tidemark-io/tidemark/state"
	"github.com/tidemark-io/tidemark/stream/journal"
	"github.com/tidemark-io/tidemark/stream/kafka"
	"github.com/tidemark-io/tidemark/stream/pipeline"
)

// replayBatchMax bounds the records between two writes of a replay's state.
const replayBatchMax = 50_000

// reach brings a task from the cut of its state to the committed one. Nothing is published: the outputs of the
// gap were, in the transactions that committed it. Inputs are replayed one after the other: by the cut law it makes no
// difference how they are interleaved.
func (r *runner) reach(ctx context.Context, t *task, hasState bool, c committed) error {
	if !c.found {
		starts := make([]int64, len(t.inputs))
		for i := range t.inputs {
			if starts[i] = c.at[i].ends.Start; t.start(i) == pipeline.StartLatest {
				starts[i] = c.at[i].ends.High
			}
		}
		return t.born(starts)
	}
	there := hasState && t.decisions == c.journal
	for i, in := range t.inputs {
		in.committed, in.bornAt = c.at[i].next, c.at[i].meta.Born
		there = there && in.next == in.committed
	}
	if there {
		return nil
	}
	decisions, err := r.missingDecisions(ctx, t, c)
	if err != nil {
		return err
	}
	for i, in := range t.inputs {
		if err := r.reachInput(ctx, t, in, hasState, c.at[i], of(in, decisions)); err != nil {
			return err
		}
	}
	t.decisions = c.journal
	return t.apply()
}

// of are the decisions about one input.
func of(in *input, decisions []journal.Entry) []journal.Entry {
	var mine []journal.Entry
	for i := range decisions {
		if decisions[i].Topic == in.topic {
			mine = append(mine, decisions[i])
		}
	}
	return mine
}

func (r *runner) reachInput(ctx context.Context, t *task, in *input, hasState bool, c committedAt, decisions []journal.Entry) error {
	if !hasState {
		if len(decisions) == 0 || decisions[0].Kind != journal.Born {
			return fmt.Errorf("task %d: its first decision about %s is not its birth", t.id, in.topic)
		}
		in.next = decisions[0].Offset
	}
	if in.next < c.ends.Start && in.next < c.next {
		return &StopError{Where: fmt.Sprintf("%s/%d", in.topic, t.id),
			What: fmt.Sprintf("its state is at offset %d, the topic begins at %d: retention has passed the gap", in.next, c.ends.Start),
			Fix:  "replay from the lake is not built yet; give the pipeline a new name, or raise the topic's retention"}
	}
	r.log.Info("replaying", "task", t.id, "topic", in.topic, "from", in.next, "to", c.next, "decisions", len(decisions))
	return r.replay(ctx, t, in, c.next, decisions)
}

func (r *runner) missingDecisions(ctx context.Context, t *task, c committed) ([]journal.Entry, error) {
	if t.decisions == c.journal {
		return nil, nil
	}
	name := r.o.Plan.Pipeline.JournalTopic()
	ends, err := r.admin.Offsets(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("offsets of %s: %w", name, err)
	}
	return readDecisions(ctx, r.o.Kafka, name, t.id, ends[t.id].Start, ends[t.id].High, t.decisions, c.journal)
}

// replay applies the records of [in.next, to) and each decision at its offset. The state that it writes on the way names
// the decisions of before, since only at the committed cut all of them are in it; to obey one again changes nothing.
func (r *runner) replay(ctx context.Context, t *task, in *input, to int64, decisions []journal.Entry) error {
	t.replaying = true
	defer func() { t.replaying = false }()
	batch := make([]*kafka.Record, 0, 1024)
	since := 0
	flush := func() error {
		if err := t.process(in, batch); err != nil {
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
			if err := t.obey(in, &decisions[0]); err != nil {
				return err
			}
			decisions = decisions[1:]
		}
		return nil
	}
	err := kafka.ReadRange(ctx, r.o.Kafka, in.topic, t.id, in.next, to, func(rec *kafka.Record) error {
		if err := obeyUpTo(rec.Offset); err != nil {
			return err
		}
		if batch = append(batch, rec); len(batch) == cap(batch) {
			return flush()
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("replay %s/%d up to %d: %w", in.topic, t.id, to, err)
	}
	if err := obeyUpTo(to); err != nil {
		return err
	}
	if err := flush(); err != nil {
		return err
	}
	in.next = to // what is left of the gap holds no records: aborted, or markers
	t.out = nil
	return nil
}

// apply writes the state and its cut in one batch. After a commit it is the last step; in a replay the cut is
// behind Kafka, which is always allowed.
func (t *task) apply() error {
	cut, err := t.cut()
	if err != nil {
		return err
	}
	if err := t.store.Apply(cut, func(b state.Batch) error { return t.flow.Write(b) }); err != nil {
		return fmt.Errorf("task %d: apply state at %s: %w", t.id, t.position(), err)
	}
	for _, in := range t.inputs {
		in.committed = in.next
	}
	t.dirty = false
	return nil
}

// position is the task's, for messages.
func (t *task) position() string {
	var b strings.Builder
	for i, in := range t.inputs {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s/%d@%d", in.topic, t.id, in.next)
	}
	return b.String()
}
