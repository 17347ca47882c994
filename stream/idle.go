package stream

import (
	"context"
	"fmt"
	"time"

	"github.com/tidemark-io/tidemark/state"
	"github.com/tidemark-io/tidemark/stream/journal"
	"github.com/tidemark-io/tidemark/stream/window"
)

// unitMillis is the span of a lake partition. A raised watermark is worth a decision if it closes a window, or an hour
// that the reconciler waits for.
const unitMillis = int64(time.Hour / time.Millisecond)

// look samples the ends of the source, notes which partitions are silent, and decides for those that have been so for
// long enough. A partition is silent when the task's position is the high watermark: an open transaction
// keeps the position below it, and is no silence.
func (r *runner) look(ctx context.Context) error {
	ends, err := r.admin.Offsets(ctx, r.topic.Name)
	if err != nil {
		return fmt.Errorf("offsets of %s: %w", r.topic.Name, err)
	}
	r.mu.Lock()
	r.observed = ends
	r.mu.Unlock()
	now := r.o.Now()
	silent := false
	for _, t := range r.mine() {
		e := ends[t.id]
		if t.next < e.High || e.LastStable < e.High || t.stopped != nil {
			t.silentSince = time.Time{}
			continue
		}
		if t.silentSince.IsZero() {
			t.silentSince = now
		}
		silent = true
	}
	r.report()
	// Siblings elsewhere are only known as of their checkpoints: looking more often would cost requests and tell nothing.
	if !silent || r.o.UntilEnd || !r.due(&r.beat.lastIdle, r.o.Plan.Pipeline.State.CheckpointEvery) {
		return nil
	}
	return r.decideIdle(ctx, now)
}

// decideIdle raises the watermarks of silent partitions: to the minimum of their active siblings', or, when all have
// been silent for long enough, to what closes every window that holds events.
func (r *runner) decideIdle(ctx context.Context, now time.Time) error {
	w := r.o.Plan.Pipeline.Source.Watermark
	tasks := r.mine()
	mine := make(map[int32]*task, len(tasks))
	for _, t := range tasks {
		mine[t.id] = t
	}
	var cuts map[int32]*state.Cut
	if len(mine) < int(r.topic.Partitions) {
		var err error
		if cuts, err = r.siblings(ctx); err != nil {
			return err
		}
	}
	active, bound, anyActive, known := int64(window.NoWatermark), int64(window.NoWatermark), false, true
	quiet := w.CloseWhenIdle > 0
	for id := range r.topic.Partitions {
		s, ok := r.sibling(mine[id], cuts[id], id, now)
		known = known && ok
		bound = max(bound, s.bound)
		quiet = quiet && s.silentFor >= w.CloseWhenIdle
		if s.silentFor < w.IdleAfter {
			if !anyActive || s.reached < active {
				active = s.reached
			}
			anyActive = true
		}
	}
	if !known {
		return nil // a task without a checkpoint: nobody knows how far it is
	}
	for _, t := range tasks {
		if t.stopped != nil || t.silentSince.IsZero() {
			continue
		}
		mark, reason := int64(window.NoWatermark), ""
		switch {
		case quiet:
			mark, reason = bound, "all partitions silent for close_when_idle"
		case anyActive && w.IdleAfter > 0 && now.Sub(t.silentSince) >= w.IdleAfter:
			mark, reason = active, "silent for idle_after"
		}
		if !t.worthRaising(mark) {
			continue
		}
		if err := t.raise(journal.Idle, mark, reason); err != nil {
			return err
		}
	}
	return nil
}

// view is what a process knows of one task.
type view struct {
	reached, bound int64
	silentFor      time.Duration
}

// sibling looks at a task: directly if it runs here, else through its last checkpoint, by which it is silent if the
// checkpoint stands at the end of its partition, since the last record that it has seen.
func (r *runner) sibling(t *task, cut *state.Cut, id int32, now time.Time) (view, bool) {
	if t != nil && t.stopped == nil {
		v := view{reached: t.wm.Value(t.wmOptions), bound: t.bound}
		if b, ok := t.engine.Bound(now.UnixMilli() + t.wmOptions.MaxFuture); ok {
			v.bound = max(v.bound, b)
		}
		if !t.silentSince.IsZero() {
			v.silentFor = now.Sub(t.silentSince)
		}
		return v, true
	}
	if cut == nil {
		return view{reached: window.NoWatermark, bound: window.NoWatermark}, false
	}
	v := view{reached: cut.Sources[0].Reached, bound: cut.Bound}
	if cut.Sources[0].Next >= r.observed[id].High {
		v.silentFor = now.Sub(time.UnixMilli(cut.LastRecordAt))
	}
	return v, true
}

// worthRaising says whether a decision would close a window or an hour.
func (t *task) worthRaising(mark int64) bool {
	now := t.wm.Value(t.wmOptions)
	if mark == window.NoWatermark || mark <= now {
		return false
	}
	if now == window.NoWatermark || mark/unitMillis > now/unitMillis {
		return true
	}
	closes := false
	t.engine.EachOpen(func(w window.OpenWindow) bool {
		closes = closes || w.Closes <= mark
		return !closes
	})
	return closes
}
