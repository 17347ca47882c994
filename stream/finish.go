package stream

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tidemark-io/tidemark/crashpoint"
	"github.com/tidemark-io/tidemark/lake"
	"github.com/tidemark-io/tidemark/stream/journal"
	"github.com/tidemark-io/tidemark/stream/kafka"
	"github.com/tidemark-io/tidemark/stream/window"
)

// tailWithin bounds one attempt to show that nothing is left of a partition.
const tailWithin = 5 * time.Second

// finish ends a run to the end, once every task of the pipeline, here and in other processes, has consumed what the
// sources held when the run began. One decision then raises all watermarks to the same time, just high enough
// to close the windows that hold events: for every partition, those without data included, or no reconcile
// unit would ever be closed in all tasks. Behind a repartition topic the windows are only known once all that was
// forwarded has been received, and close when the markers of that decision have been. It reports false when there is
// still something to wait for.
func (r *runner) finish(ctx context.Context, s *kafka.Session) (done bool, err error) {
	if r.isAssigning() {
		return false, nil
	}
	whole, end := unbroken(ctx)
	defer end()
	done, err = r.tryFinish(ctx, whole, s)
	return done, r.tolerate(err)
}

// landWithin bounds one attempt to land everything.
const landWithin = 10 * time.Second

// landSoon lands everything, or leaves it for the next turn.
func (r *runner) landSoon(ctx context.Context) (bool, error) {
	short, cancel := context.WithTimeout(ctx, landWithin)
	defer cancel()
	err := r.landAll(short)
	if short.Err() != nil && ctx.Err() == nil {
		return false, nil
	}
	return err == nil, err
}

func (r *runner) tryFinish(ctx, whole context.Context, s *kafka.Session) (done bool, err error) {
	tasks := r.mine()
	if ok, err := r.allDrained(ctx, tasks); !ok || err != nil {
		return false, err
	}
	if err := cmp.Or(r.settle(whole, s), ctx.Err()); err != nil {
		return false, err
	}
	r.mu.Lock()
	stopped := r.stoppedLocked()
	r.mu.Unlock()
	if stopped != nil {
		// Without all tasks there is no common end: close nothing, keep everything, and say so.
		if ok, err := r.landSoon(ctx); !ok || err != nil {
			return false, err
		}
		return false, errors.Join(stopped, r.tolerate(r.tellStops(ctx)))
	}
	mark, ok, err := r.commonEnd(ctx)
	if !ok || err != nil {
		return false, err
	}
	if err := r.closeAll(tasks, mark); err != nil {
		return false, err
	}
	crashpoint.Hit("end/decided")
	if err := cmp.Or(r.settle(whole, s), ctx.Err()); err != nil {
		return false, err
	}
	crashpoint.Hit("end/settled")
	if ok, err := r.landSoon(ctx); !ok || err != nil {
		return false, err
	}
	crashpoint.Hit("end/landed")
	if ok, err := r.complete(ctx, mark); !ok || err != nil {
		return false, err
	}
	crashpoint.Hit("end/complete")
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

// allDrained reports whether the tasks have consumed every input whose end is known.
func (r *runner) allDrained(ctx context.Context, tasks []*task) (bool, error) {
	for _, t := range tasks {
		for _, in := range t.inputs {
			if r.sources[in.number].target == nil {
				continue
			}
			if ok, err := r.drained(ctx, t, in); !ok || err != nil {
				return false, err
			}
		}
	}
	return true, nil
}

// drained reports whether a task has consumed one input up to the target. Its position may be short of it although
// nothing is left: aborted or compacted records hold offsets, too. A read of just that range tells.
func (r *runner) drained(ctx context.Context, t *task, in *input) (bool, error) {
	target := r.sources[in.number].target[t.id]
	if t.stopped != nil || in.next >= target {
		return true, nil
	}
	short, cancel := context.WithTimeout(ctx, tailWithin)
	defer cancel()
	next, err := kafka.NextRecord(short, r.o.Kafka, in.topic, t.id, in.next, target)
	if errors.Is(err, context.DeadlineExceeded) {
		return false, ctx.Err() // a transaction is still open there
	}
	if err != nil {
		return false, fmt.Errorf("look at the end of %s/%d: %w", in.topic, t.id, err)
	}
	if next < target {
		return false, nil // it will be fetched
	}
	if in.lander != nil {
		in.lander.Advance(target)
	}
	in.next, t.dirty = target, true
	return true, nil
}

// commonEnd is the watermark that closes every window that holds confirmed events, in any task. It is not known
// before the last task has checkpointed its end; of a rekeyed pipeline, the end of what has been forwarded, which is
// looked up when every source has come to its own.
func (r *runner) commonEnd(ctx context.Context) (mark int64, ok bool, err error) {
	cuts, err := r.siblings(ctx)
	if err != nil {
		return 0, false, err
	}
	mark = window.NoWatermark
	for id := range r.width() {
		cut := cuts[id]
		if cut == nil {
			return 0, false, nil
		}
		for i, src := range r.sources {
			if src.target != nil && cut.Sources[i].Next < src.target[id] {
				return 0, false, nil
			}
		}
		mark = max(mark, cut.Bound)
	}
	for _, src := range r.sources {
		if src.target != nil {
			continue
		}
		ends, err := r.admin.Offsets(ctx, src.Name)
		if err != nil {
			return 0, false, fmt.Errorf("offsets of %s: %w", src.Name, err)
		}
		src.target = highs(ends)
		return 0, false, nil
	}
	return mark, true, nil
}

// closeAll decides the end of input for the given tasks. A watermark that is there already is left alone, but sent to
// whoever waits for it.
func (r *runner) closeAll(tasks []*task, mark int64) error {
	if mark == window.NoWatermark {
		return nil // no event anywhere
	}
	for _, t := range tasks {
		if err := r.halt(t, r.closeTask(t, mark)); err != nil {
			return err
		}
	}
	return nil
}

func (r *runner) closeTask(t *task, mark int64) error {
	for _, in := range t.inputs {
		if r.sources[in.number].lake == nil || t.flow.Reached(in.number) >= mark {
			continue
		}
		if err := t.raise(in, journal.End, mark, "end of input"); err != nil {
			return err
		}
	}
	return t.flow.Mark(t.id, true)
}

// complete reports whether nothing is left to do for anyone: every task is closed up to mark and every topic landed. A
// process whose tasks have not arrived yet, or that has none, waits here for the others.
func (r *runner) complete(ctx context.Context, mark int64) (bool, error) {
	cuts, err := r.siblings(ctx)
	if err != nil {
		return false, err
	}
	for id := range r.width() {
		if cuts[id] == nil {
			return false, nil
		}
		for i, src := range r.sources {
			if cuts[id].Sources[i].Reached < mark {
				return false, nil
			}
			if src.lake == nil {
				continue
			}
			if ok, err := landed(ctx, src.lake.Lake.Log(id), src.target[id]); !ok || err != nil {
				return false, err
			}
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
