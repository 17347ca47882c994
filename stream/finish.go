package stream

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tidemark-io/tidemark/lake"
	"github.com/tidemark-io/tidemark/stream/journal"
	"github.com/tidemark-io/tidemark/stream/kafka"
	"github.com/tidemark-io/tidemark/stream/window"
)

// tailWithin bounds one attempt to show that nothing is left of a partition.
const tailWithin = 5 * time.Second

// finish ends a run to the end, once every task of the pipeline, here and in other processes, has consumed what the
// source held when the run began. One decision then raises all watermarks to the same time, just high enough
// to close the windows that hold events: for every partition, those without data included, or no reconcile
// unit would ever be closed in all tasks. It reports false when there is still something to wait for.
func (r *runner) finish(ctx context.Context, s *kafka.Session) (done bool, err error) {
	if r.isAssigning() {
		return false, nil
	}
	tasks := r.mine()
	for _, t := range tasks {
		if ok, err := r.drained(ctx, t); !ok || err != nil {
			return false, err
		}
	}
	if err := r.settle(ctx, s); err != nil {
		return false, err
	}
	r.mu.Lock()
	stopped := r.stoppedLocked()
	r.mu.Unlock()
	if stopped != nil {
		// Without all tasks there is no common end: close nothing, keep everything, and say so.
		return false, errors.Join(stopped, r.landAll(ctx))
	}
	mark, ok, err := r.commonEnd(ctx)
	if !ok || err != nil {
		return false, err
	}
	if err := r.closeAll(tasks, mark); err != nil {
		return false, err
	}
	if err := r.settle(ctx, s); err != nil {
		return false, err
	}
	if err := r.landAll(ctx); err != nil {
		return false, err
	}
	if ok, err := r.complete(ctx, mark); !ok || err != nil {
		return false, err
	}
	s.Close()
	return true, r.admin.LeaveGroup(ctx, r.o.Plan.Pipeline.Group(), r.instance())
}

// settle makes everything so far durable: committed, and in a checkpoint.
func (r *runner) settle(ctx context.Context, s *kafka.Session) error {
	if err := r.commit(ctx, s); err != nil {
		return err
	}
	return r.checkpoint(ctx)
}

// drained reports whether a task has consumed its partition up to the target. Its position may be short of it although
// nothing is left: aborted or compacted records hold offsets, too. A read of just that range tells.
func (r *runner) drained(ctx context.Context, t *task) (bool, error) {
	target := r.target[t.id]
	if t.stopped != nil || t.next >= target {
		return true, nil
	}
	short, cancel := context.WithTimeout(ctx, tailWithin)
	defer cancel()
	next, err := kafka.NextRecord(short, r.o.Kafka, r.topic.Name, t.id, t.next, target)
	if errors.Is(err, context.DeadlineExceeded) {
		return false, ctx.Err() // a transaction is still open there
	}
	if err != nil {
		return false, fmt.Errorf("look at the end of %s/%d: %w", r.topic.Name, t.id, err)
	}
	if next < target {
		return false, nil // it will be fetched
	}
	t.lander.Advance(target)
	t.next, t.dirty = target, true
	return true, nil
}

// commonEnd is the watermark that closes every window that holds confirmed events, in any task. It is not known
// before the last task has checkpointed its end.
func (r *runner) commonEnd(ctx context.Context) (mark int64, ok bool, err error) {
	cuts, err := r.siblings(ctx)
	if err != nil {
		return 0, false, err
	}
	mark = window.NoWatermark
	for id := range r.topic.Partitions {
		cut := cuts[id]
		if cut == nil || cut.Sources[0].Next < r.target[id] {
			return 0, false, nil
		}
		mark = max(mark, cut.Bound)
	}
	return mark, true, nil
}

// closeAll decides the end of input for the given tasks. A watermark that is there already is left alone.
func (r *runner) closeAll(tasks []*task, mark int64) error {
	if mark == window.NoWatermark {
		return nil // no event anywhere
	}
	for _, t := range tasks {
		if t.wm.Value(t.wmOptions) >= mark {
			continue
		}
		if err := t.raise(journal.End, mark, "end of input"); err != nil {
			return err
		}
	}
	return nil
}

// complete reports whether nothing is left to do for anyone: every task is closed up to mark and every topic landed. A
// process whose tasks have not arrived yet, or that has none, waits here for the others.
func (r *runner) complete(ctx context.Context, mark int64) (bool, error) {
	cuts, err := r.siblings(ctx)
	if err != nil {
		return false, err
	}
	for id := range r.topic.Partitions {
		if cuts[id] == nil || cuts[id].Sources[0].Reached < mark {
			return false, nil
		}
		if ok, err := landed(ctx, r.source.Lake.Log(id), r.target[id]); !ok || err != nil {
			return false, err
		}
	}
	for _, lt := range r.results {
		ends, err := r.admin.Offsets(ctx, lt.Name)
		if err != nil {
			return false, fmt.Errorf("offsets of %s: %w", lt.Name, err)
		}
		for q, e := range ends {
			if ok, err := landed(ctx, lt.Lake.Log(q), e.LastStable); !ok || err != nil {
				return false, err
			}
		}
	}
	return true, nil
}

func landed(ctx context.Context, log *lake.Log, to int64) (bool, error) {
	if err := log.Refresh(ctx); err != nil {
		return false, fmt.Errorf("lake log: %w", err)
	}
	return to == 0 || log.Begun() && log.End() >= to, nil
}
