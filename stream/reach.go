package stream

import (
	"context"
	"fmt"

	"github.com/tidemark-io/tidemark/crashpoint"
	"github.com/tidemark-io/tidemark/stream/journal"
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
		crashpoint.Hit("recover/unborn")
		return t.born(starts)
	}
	there := hasState && t.decisions == c.journal && c.closing == nil && !t.flow.Behind()
	for i, in := range t.inputs {
		in.committed, in.bornAt = c.at[i].next, c.at[i].meta.Born
		there = there && in.next == in.committed
	}
	if there {
		return nil
	}
	if !hasState {
		t.decisions = max(c.life-1, 0) // those before are of another life
	}
	decisions, err := r.missingDecisions(ctx, t, c)
	if err != nil {
		return err
	}
	if !hasState {
		if err := t.reborn(decisions); err != nil {
			return err
		}
		if err := r.refill(ctx, t); err != nil {
			return err
		}
	}
	p := &replay{t: t, turn: replayTurn, every: replayWriteEvery, told: func(done, total int64) { r.restores.replayed(t.id, done, total) }}
	if !hasState {
		r.restores.from(t.id, FromTopic)
	}
	for i, in := range t.inputs {
		if start := c.at[i].ends.Start; in.next < start && in.next < c.at[i].next {
			g := gap{r: r, task: t.id, life: t.life, in: in, to: c.at[i].next}
			if _, err := g.covered(ctx, in.next, start); err != nil {
				return err
			}
		}
		p.add(in, c.at[i].next, decisions, r.records(ctx, t, in, c.at[i].next))
	}
	r.log.Info("replaying", "task", t.id, "from", t.position(), "to", offsetsText(c.position()), "decisions", len(decisions))
	crashpoint.Hit("replay/begun")
	if c.closing != nil {
		t.flow.Hold(c.closing.From)
	}
	if err := p.run(); err != nil {
		return fmt.Errorf("replay task %d up to %s: %w", t.id, offsetsText(c.position()), err)
	}
	crashpoint.Hit("replay/done")
	t.decisions = c.journal
	if c.closing != nil {
		t.resumeClosing(*c.closing)
		return nil
	}
	return t.apply()
}

// reborn puts all inputs to where the task began: its birth, or the change since which it lives. All before any is
// replayed: a state written meanwhile names them all.
func (t *task) reborn(decisions []journal.Entry) error {
	beginning := journal.Born
	if t.life > 0 {
		beginning = journal.Change
	}
	for _, in := range t.inputs {
		mine := decisionsOf(in, decisions)
		if len(mine) == 0 || mine[0].Kind != beginning {
			return fmt.Errorf("task %d: its first decision about %s is not %s", t.id, in.topic, beginning)
		}
		in.next = mine[0].Offset
	}
	return nil
}

func (r *runner) missingDecisions(ctx context.Context, t *task, c committed) ([]journal.Entry, error) {
	if t.decisions == c.journal {
		return nil, nil
	}
	return r.decisions(ctx, t.id, t.decisions, c.journal)
}

// decisions are those of a task with numbers in (after, upTo].
func (r *runner) decisions(ctx context.Context, id int32, after, upTo int64) ([]journal.Entry, error) {
	name := r.o.Plan.Pipeline.JournalTopic()
	if after == upTo {
		return nil, nil
	}
	ends, err := r.admin.Offsets(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("offsets of %s: %w", name, err)
	}
	return readDecisions(ctx, r.o.Kafka, name, id, ends[id].Start, ends[id].High, after, upTo)
}
