package stream

import (
	"context"
	"errors"
	"fmt"

	"github.com/tidemark-io/tidemark/crashpoint"
	"github.com/tidemark-io/tidemark/state"
	"github.com/tidemark-io/tidemark/stream/kafka"
)

// This file alone orders outputs, transaction, state and lake. The order of a commit:
//
//  1. every task stands at a record boundary, with its outputs, journal entries and dirty accumulators;
//  2. outputs are flushed, offsets join the transaction with the rest of the cut in their metadata, and the
//     transaction ends (kafka.Session.Commit does these three, and says yes only if the broker did);
//  3. only then does each task apply its state and cut, in one batch, unsynced: a crash leaves the state at this
//     cut or an older one, never ahead of Kafka.
//
// Landing and checkpoints need no order among these: the lake log covers offsets, not commits, and a checkpoint
// names the cut that it holds, which step 3 has made a committed one.

// commit ends the transaction for everything that happened since the last one. After any error nothing may be
// concluded about the outcome: the caller drops the tasks and asks the broker.
func (r *runner) commit(ctx context.Context, s *kafka.Session) error {
	// The transaction begins here and not sooner, so that no slow landing or checkpoint can hold it open.
	tx := &transaction{r: r, ctx: ctx, s: s}
	for _, t := range r.mine() {
		if err := tx.add(t); err != nil {
			return blame(stepOf("commit", t.id), err)
		}
	}
	r.beat.lastCommit = r.o.Now()
	if len(tx.ready) == 0 {
		r.patience.quiet(r.beat.lastCommit)
		return nil
	}
	if err := tx.end(); err != nil {
		return err
	}
	crashpoint.Hit("commit/done")
	r.report()
	return nil
}

// ready closes what a task's watermark has passed. A committed state never holds a window that it has passed, wherever
// processing was interrupted: a replay would close it with its result suppressed.
func (r *runner) ready(t *task) error {
	if t.abandoned {
		return nil
	}
	err := r.update(t)
	if err == nil && t.dirty {
		err = errors.Join(t.close(), t.flow.Mark(t.id, false))
	}
	return r.halt(t, err)
}

// offsets appends the task's position in each of its inputs, with the rest of the cut as their metadata.
func (t *task) offsets(all []kafka.Commit) ([]kafka.Commit, error) {
	for _, in := range t.inputs {
		meta, err := metadata{
			Journal: t.decisions, Fingerprint: t.plan.Fingerprint,
			TopicID: in.topicID, Partitions: in.wide, Born: in.bornAt, Life: t.life, Closing: t.out.closing,
		}.encode()
		if err != nil {
			return nil, err
		}
		all = append(all, kafka.Commit{Topic: in.topic, Partition: t.id, Next: in.next, LeaderEpoch: in.leaderEpoch, Metadata: meta})
	}
	return all, nil
}

// checkpoint copies the state of each task that has moved since its last checkpoint into the bucket. What it copies is
// at the last applied cut, and names it; settle commits first, so that the cut is the newest.
func (r *runner) checkpoint(ctx context.Context) error {
	for _, t := range r.mine() {
		if err := r.tolerate(blame(stepOf("checkpoint", t.id), r.checkpointTask(ctx, t))); err != nil {
			return err
		}
	}
	return nil
}

func (r *runner) checkpointTask(ctx context.Context, t *task) error {
	cut, err := t.store.Cut()
	if err != nil {
		r.note(t, err)
		return fmt.Errorf("task %d: %w", t.id, err)
	}
	if cut == nil || !t.out.whole() || r.status.checkpointed(t.id, cut) {
		return nil
	}
	began := r.o.Now()
	m, stats, err := t.store.Checkpoint(ctx, r.o.Bucket, state.CheckpointOptions{
		Prefix: r.checkpointPrefix(t.id), Keep: r.o.Plan.Pipeline.State.Keep, Now: r.o.Now,
	})
	if err != nil {
		r.note(t, err)
		return fmt.Errorf("checkpoint task %d: %w", t.id, err)
	}
	r.status.checkpoint(t.id, m, stats, began, r.o.Now())
	r.patience.succeeded(stepOf("checkpoint", t.id))
	crashpoint.Hit("checkpoint/done")
	for _, whole := range stats.Whole {
		r.cleared(whole.Key) // one that was found damaged is made anew under its key
	}
	return r.purge(ctx, t, stats.Whole)
}
