package stream

import (
	"context"
	"fmt"
	"time"

	"github.com/tidemark-io/tidemark/crashpoint"
	"github.com/tidemark-io/tidemark/state"
	"github.com/tidemark-io/tidemark/stream/journal"
	"github.com/tidemark-io/tidemark/stream/kafka"
	"github.com/tidemark-io/tidemark/stream/window"
)

// unitMillis is the span of a lake partition. A raised watermark is worth a decision if it closes a window, or an hour
// that the reconciler waits for.
const unitMillis = int64(time.Hour / time.Millisecond)

// look samples the ends of the inputs, notes which partitions are silent, and decides for those that have been so for
// long enough. A partition is silent when the task's position is the high watermark: an open transaction
// keeps the position below it, and is no silence.
func (r *runner) look(ctx context.Context) error {
	if err := r.lookAtStores(); err != nil {
		return err
	}
	observed := make(map[string]map[int32]kafka.Ends, len(r.sources))
	for _, src := range r.sources {
		ends, err := r.admin.Offsets(ctx, src.Name)
		if err != nil {
			return fmt.Errorf("offsets of %s: %w", src.Name, err)
		}
		observed[src.Name] = ends
		if len(ends) != int(src.Partitions) {
			return fmt.Errorf("topic %s has %d partitions, it had %d", src.Name, len(ends), src.Partitions) // the next session says what to do
		}
	}
	r.mu.Lock()
	r.observed = observed
	r.mu.Unlock()
	now := r.o.Now()
	silent := false
	for _, t := range r.mine() {
		for _, in := range t.inputs {
			e := observed[in.topic][t.id]
			if in.next < e.High || e.LastStable < e.High || t.stopped != nil {
				in.silentSince = time.Time{}
				continue
			}
			if in.silentSince.IsZero() {
				in.silentSince = now
			}
			silent = true
		}
		if err := t.announce(); err != nil {
			return err
		}
	}
	r.report()
	// Siblings elsewhere are only known as of their checkpoints: looking more often would cost requests and tell nothing.
	if !silent || r.o.UntilEnd || !r.due(&r.beat.lastIdle, r.o.Plan.Pipeline.State.CheckpointEvery) {
		return nil
	}
	return r.patience.tried(stepIdle, r.decideIdle(ctx, now))
}

// lookAtStores notices a state that has stopped although nothing is written to it: a compaction may find a table that cannot be
// read while no record comes.
func (r *runner) lookAtStores() error {
	for _, t := range r.mine() {
		if err := t.store.Err(); err != nil && t.stopped == nil {
			return r.halt(t, fmt.Errorf("task %d: %w", t.id, err))
		}
	}
	return nil
}

// announce sends the source's watermark to the tasks behind the repartition topic when nothing more comes: it may have
// advanced by less than was worth a marker. Sent once, it isn't sent again.
func (t *task) announce() error {
	if t.repartition == "" || t.stopped != nil || t.inputs[0].silentSince.IsZero() {
		return nil
	}
	return t.flow.Mark(t.id, true)
}

// scene is what a process knows of all partitions of all sources when it looks for idle ones.
type scene struct {
	anyActive bool
	lowest    int64 // of all active partitions
	bound     int64 // closes every window that holds events
	quiet     map[int]bool
	known     bool // every task has a checkpoint, or runs here
}

// decideIdle raises the watermarks of silent partitions: to the minimum of their active siblings', or, when all have
// been silent for long enough, to what closes every window that holds events.
func (r *runner) decideIdle(ctx context.Context, now time.Time) error {
	tasks := r.mine()
	sc, err := r.survey(ctx, tasks, now)
	if err != nil || !sc.known {
		return r.tolerate(err) // a task without a checkpoint: nobody knows how far it is
	}
	quiet := true
	for i := range r.sources {
		quiet = quiet && sc.quiet[i]
	}
	for _, t := range tasks {
		for _, in := range t.inputs {
			if t.stopped != nil || in.silentSince.IsZero() || r.sources[in.number].lake == nil {
				continue
			}
			w := &r.o.Plan.Sources[in.number].Spec.Watermark
			mark, reason := int64(window.NoWatermark), ""
			switch {
			case quiet:
				mark, reason = sc.bound, "all partitions silent for close_when_idle"
			case sc.anyActive && w.IdleAfter > 0 && now.Sub(in.silentSince) >= w.IdleAfter:
				mark, reason = sc.lowest, "silent for idle_after"
			}
			if !t.worthRaising(in, mark) {
				continue
			}
			if err := r.halt(t, t.raise(in, journal.Idle, mark, reason)); err != nil {
				return err
			}
			crashpoint.Hit("idle/decided")
		}
	}
	return nil
}

// survey looks at every partition of every input, here and elsewhere.
func (r *runner) survey(ctx context.Context, tasks []*task, now time.Time) (*scene, error) {
	mine := make(map[int32]*task, len(tasks))
	for _, t := range tasks {
		mine[t.id] = t
	}
	var cuts map[int32]*state.Cut
	if len(mine) < int(r.width()) {
		var err error
		if cuts, err = r.siblings(ctx); err != nil {
			return nil, err
		}
	}
	sc := &scene{lowest: window.NoWatermark, bound: window.NoWatermark, quiet: map[int]bool{}, known: true}
	for i, src := range r.sources {
		sc.quiet[i] = true
		for id := range r.width() {
			v, ok := r.sibling(mine[id], cuts[id], i, id, now)
			sc.known = sc.known && ok
			sc.bound = max(sc.bound, v.bound)
			if src.lake == nil {
				sc.quiet[i] = v.atEnd && sc.quiet[i] // what has been forwarded and not received yet may open windows
				continue
			}
			w := &r.o.Plan.Sources[i].Spec.Watermark
			sc.quiet[i] = sc.quiet[i] && w.CloseWhenIdle > 0 && v.silentFor >= w.CloseWhenIdle
			if v.silentFor >= w.IdleAfter {
				continue
			}
			if !sc.anyActive || v.reached < sc.lowest {
				sc.lowest = v.reached
			}
			sc.anyActive = true
		}
	}
	return sc, nil
}

// view is what a process knows of one task's part of one input.
type view struct {
	reached, bound int64
	silentFor      time.Duration
	atEnd          bool
}

// sibling looks at a task: directly if it runs here, else through its last checkpoint, by which it is silent if the
// checkpoint stands at the end of its partition, since the last record that it has seen there.
func (r *runner) sibling(t *task, cut *state.Cut, number int, id int32, now time.Time) (view, bool) {
	if t != nil && t.stopped == nil {
		in := t.inputs[number]
		v := view{reached: t.flow.Reached(number), bound: t.flow.Bound(now.UnixMilli() + t.maxFuture())}
		if !in.silentSince.IsZero() {
			v.silentFor, v.atEnd = now.Sub(in.silentSince), true
		}
		return v, true
	}
	if cut == nil {
		return view{reached: window.NoWatermark, bound: window.NoWatermark}, false
	}
	v := view{reached: cut.Sources[number].Reached, bound: cut.Bound}
	if cut.Sources[number].Next >= r.observed[r.sources[number].Name][id].High {
		last := cut.Sources[number].LastRecordAt
		if len(cut.Sources) == 1 {
			last = cut.LastRecordAt // older cuts have no other
		}
		v.silentFor, v.atEnd = now.Sub(time.UnixMilli(last)), true
	}
	return v, true
}

// worthRaising says whether a decision would close a window or an hour.
func (t *task) worthRaising(in *input, mark int64) bool {
	now := t.flow.Reached(in.number)
	if mark == window.NoWatermark || mark <= now {
		return false
	}
	if now == window.NoWatermark || mark/unitMillis > now/unitMillis || t.repartition != "" || t.flow.Buffered() > 0 {
		return true
	}
	closes := false
	t.flow.Engine().EachOpen(func(w window.OpenWindow) bool {
		closes = closes || w.Closes <= mark
		return !closes
	})
	return closes
}
