package stream

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/tidemark-io/tidemark/crashpoint"
	"github.com/tidemark-io/tidemark/lake"
	"github.com/tidemark-io/tidemark/stream/landing"
)

// landings are the batches that are being written to the bucket while the stream goes on: at most one of each
// lander, and one round of result topics. The loop's goroutine uses it; while the loop waits for its tasks to process, they
// use it instead, through makeRoom, one at a time under room.
//
// A bucket that fails ends nothing: a landing is tried again until it succeeds or the session ends, and meanwhile the
// tasks go on until the landing budget is used up, or a record that isn't landed comes near the end of its retention
// (retention.go). Then they pause (pause.go). Whatever is lost with a session is still in the topic.
type landings struct {
	ctx     context.Context // the session's, which outlives a request to stop
	end     context.CancelFunc
	room    sync.Mutex
	flights []*flight
	results *flight
}

// flight is a landing on its own goroutine.
type flight struct {
	task *task // nil: of results
	done chan struct{}
	err  error // once done is closed
}

func launch(t *task, land func() error) *flight {
	f := &flight{task: t, done: make(chan struct{})}
	go func() {
		defer close(f.done)
		f.err = land()
	}()
	return f
}

func (f *flight) ended() bool {
	select {
	case <-f.done:
		return true
	default:
		return false
	}
}

func (l *landings) begin(ctx context.Context, end context.CancelFunc) { l.ctx, l.end = ctx, end }

// wait waits for everything that is under way, whose context has ended. What became of it is of no interest: the
// next session begins at the end of the lake log.
func (l *landings) wait() {
	for _, f := range l.flights {
		<-f.done
	}
	if l.results != nil {
		<-l.results.done
	}
	l.flights, l.results = nil, nil
}

// reap collects the landings that have ended, without waiting. What no repetition helps stops the task it concerns.
func (r *runner) reap() error {
	l := &r.landings
	kept := l.flights[:0]
	var errs []error
	for _, f := range l.flights {
		switch {
		case !f.ended():
			kept = append(kept, f)
		case f.err != nil:
			errs = append(errs, blame(stepOf("landing", f.task.id), r.halt(f.task, r.landingFailed(f.task, f.err))))
		default:
			r.patience.succeeded(stepOf("landing", f.task.id))
		}
	}
	l.flights = kept
	if l.results != nil && l.results.ended() {
		errs = append(errs, r.tolerate(r.patience.tried(stepResults, l.results.err))) // the next round lands them
		l.results = nil
	}
	return errors.Join(errs...)
}

// landingFailed says why a task's records can't be landed: something else lies where they belong.
func (r *runner) landingFailed(t *task, err error) error {
	var damaged *lake.CorruptError
	if !errors.As(err, &damaged) {
		return fmt.Errorf("land: %w", err)
	}
	t.closeLanders() // the room that they take is the others'
	return damagedLake(t.id, err)
}

// land seals what is due and starts to write it.
func (r *runner) land() error {
	if err := r.reap(); err != nil {
		return err
	}
	r.launch((*lake.Lander).Due)
	if r.landings.results == nil && r.due(&r.beat.lastResults, r.o.Plan.Pipeline.Lake.Roll.Every) {
		mine, ctx := r.mine(), r.landings.ctx
		r.landings.results = launch(nil, func() error { return r.landResults(ctx, mine) })
	}
	return nil
}

// launch starts to write what landers hold that are wanted and write nothing now.
func (r *runner) launch(wanted func(*lake.Lander) bool) {
	for _, t := range r.mine() {
		for _, l := range t.landers() {
			if !wanted(l) {
				continue
			}
			if b := l.Seal(); b != nil {
				r.landings.flights = append(r.landings.flights, launch(t, func() error { return r.persist(r.landings.ctx, l, b) }))
			}
		}
	}
}

func all(*lake.Lander) bool { return true }

// persist lands a batch, however long the bucket is away.
func (r *runner) persist(ctx context.Context, l *lake.Lander, b *lake.Batch) error {
	for pause := landPauseFirst; ; pause = min(2*pause, landPauseLast) {
		err := l.Land(ctx, b)
		if ctx.Err() != nil || !isBucket(err) {
			return err
		}
		r.log.Warn("a landing waits for the bucket", "err", err, "pause", pause)
		wait(ctx, pause)
	}
}

const (
	landPauseFirst = 100 * time.Millisecond
	landPauseLast  = 15 * time.Second
	// roomWithin is how long a task waits, and its process with it, for room to land its records in, before it pauses.
	roomWithin = 2 * time.Second
)

// makeRoom writes what the tasks have buffered, at once, because the landing budget is used up: memory is bounded, and
// storing comes first. It waits until that is done, or the context ends. Several tasks may ask at the same time.
func (r *runner) makeRoom(ctx context.Context) {
	r.landings.room.Lock()
	defer r.landings.room.Unlock()
	r.launch(all)
	for _, f := range r.landings.flights {
		select {
		case <-f.done:
		case <-ctx.Done():
			return
		}
	}
}

// landAll lands everything that this process has consumed and what came of it.
func (r *runner) landAll(ctx context.Context) error {
	for {
		r.makeRoom(ctx)
		if err := ctx.Err(); err != nil {
			_, why := r.bucket.failing()
			return errors.Join(fmt.Errorf("land: %w", err), why)
		}
		if err := r.reap(); err != nil {
			return err
		}
		if r.launch(all); len(r.landings.flights) == 0 { // nothing came while the last ones were under way
			break
		}
	}
	if f := r.landings.results; f != nil {
		select {
		case <-f.done:
		case <-ctx.Done():
			return fmt.Errorf("land: %w", ctx.Err())
		}
	}
	return r.patience.tried(stepResults, r.landResults(ctx, r.mine()))
}

// landResults lands the curated topics and the journal up to their last stable offsets. Partition q of a result topic
// is landed by whoever owns task q, modulo the number of tasks; another doing so too does no harm.
func (r *runner) landResults(ctx context.Context, tasks []*task) error {
	for _, lt := range r.results {
		ends, err := r.admin.Offsets(ctx, lt.Name)
		if err != nil {
			return fmt.Errorf("offsets of %s: %w", lt.Name, err)
		}
		for _, t := range tasks {
			for q := t.id; q < r.wide[lt.Name]; q += r.width() {
				if err := r.landResult(ctx, lt, q, ends[q].Start, ends[q].LastStable); err != nil {
					return damagedResults(lt.Name, q, err)
				}
			}
		}
	}
	return nil
}

// damagedResults stops the process where the lake of a result topic is damaged: no session that is built anew can land what
// follows, and results that aren't stored are worth nothing to the reconciler.
func damagedResults(topic string, q int32, err error) error {
	var damaged *lake.CorruptError
	if !errors.As(err, &damaged) {
		return err
	}
	return &StopError{Where: fmt.Sprintf("%s/%d", topic, q), What: "the lake of this result topic is damaged", Err: err,
		Fix: "`tidemark lake verify` lists the damage; restore the object from a copy, or give the pipeline and its lake new names to start over"}
}

func (r *runner) landResult(ctx context.Context, lt *landing.Topic, q int32, first, to int64) error {
	if end, ok := lt.Lake.Landed(q); ok && end >= to {
		return nil
	}
	roll := r.o.Plan.Pipeline.Lake.Roll
	l, err := lt.Lake.Lander(ctx, q, lake.LanderOptions{
		Every: roll.Every, BytesMax: roll.BytesMax, Budget: r.resultBudget, Now: r.o.Now, FirstOffset: first,
	})
	if err != nil {
		return fmt.Errorf("lake log of %s/%d: %w", lt.Name, q, err)
	}
	defer l.Close()
	crashpoint.Hit("land/results")
	return lt.UpTo(ctx, r.o.Kafka, l, q, to)
}
