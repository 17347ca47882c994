package stream

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/tidemark-io/tidemark/stream/journal"
	"github.com/tidemark-io/tidemark/stream/kafka"
	"github.com/tidemark-io/tidemark/stream/pipeline"
)

// reach brings a task from the cut of its state to the committed one. Nothing is published: the outputs of the
// gap were, in the transactions that committed it.
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
	if !hasState {
		if err := t.reborn(decisions); err != nil {
			return err
		}
	}
	p := &replay{t: t, turn: replayTurn, every: replayWriteEvery}
	for i, in := range t.inputs {
		if ends := c.at[i].ends; in.next < ends.Start && in.next < c.at[i].next {
			return &StopError{Where: fmt.Sprintf("%s/%d", in.topic, t.id),
				What: fmt.Sprintf("its state is at offset %d, the topic begins at %d: retention has passed the gap", in.next, ends.Start),
				Fix:  "replay from the lake is not built yet; give the pipeline a new name, or raise the topic's retention"}
		}
		p.add(in, c.at[i].next, decisions, r.records(ctx, t, in, c.at[i].next))
	}
	r.log.Info("replaying", "task", t.id, "from", t.position(), "to", offsetsText(c.position()), "decisions", len(decisions))
	if err := p.run(); err != nil {
		return fmt.Errorf("replay task %d up to %s: %w", t.id, offsetsText(c.position()), err)
	}
	t.decisions = c.journal
	return t.apply()
}

// reborn puts all inputs to where the task began. All before any is replayed: a state written meanwhile names them all.
func (t *task) reborn(decisions []journal.Entry) error {
	for _, in := range t.inputs {
		mine := decisionsOf(in, decisions)
		if len(mine) == 0 || mine[0].Kind != journal.Born {
			return fmt.Errorf("task %d: its first decision about %s is not its birth", t.id, in.topic)
		}
		in.next = mine[0].Offset
	}
	return nil
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

var errEnough = errors.New("no more records are wanted")

// records are what an input holds from its position up to an offset, read as they are asked for.
func (r *runner) records(ctx context.Context, t *task, in *input, to int64) iter.Seq2[*kafka.Record, error] {
	from := in.next
	return func(yield func(*kafka.Record, error) bool) {
		err := kafka.ReadRange(ctx, r.o.Kafka, in.topic, t.id, from, to, func(rec *kafka.Record) error {
			if !yield(rec, nil) {
				return errEnough
			}
			return nil
		})
		if err != nil && !errors.Is(err, errEnough) {
			yield(nil, err)
		}
	}
}
