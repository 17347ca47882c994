package stream

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/tidemark-io/tidemark/crashpoint"
	"github.com/tidemark-io/tidemark/lake"
	"github.com/tidemark-io/tidemark/stream/kafka"
	"github.com/tidemark-io/tidemark/stream/landing"
)

// landings are the batches that are being written to the bucket while the stream goes on: at most one of each
// lander, and one round of result topics. The loop's goroutine uses it; while the loop waits for its tasks to process, they
// use it instead, through makeRoom, one at a time under room.
type landings struct {
	ctx     context.Context // the session's, which outlives a request to stop
	end     context.CancelFunc
	room    sync.Mutex
	failed  error // the first landing that failed; the session is over then
	flights []flight
	results *flight
}

type flight struct {
	task int32
	done chan error
}

// launch runs a landing on its own goroutine.
func launch(task int32, land func() error) flight {
	f := flight{task: task, done: make(chan error, 1)}
	go func() { f.done <- land() }()
	return f
}

// reap collects what has finished, without waiting.
func (l *landings) reap() error {
	var errs []error
	kept := l.flights[:0]
	for _, f := range l.flights {
		select {
		case err := <-f.done:
			errs = append(errs, err)
		default:
			kept = append(kept, f)
		}
	}
	l.flights = kept
	if l.results != nil {
		select {
		case err := <-l.results.done:
			errs, l.results = append(errs, err), nil
		default:
		}
	}
	return errors.Join(errs...)
}

func (l *landings) begin(ctx context.Context, end context.CancelFunc) {
	l.ctx, l.end, l.failed = ctx, end, nil
}

// waitFlights collects the landings of tasks. A failure stays: its batch is still in its lander, which can take no other.
func (l *landings) waitFlights() error {
	for _, f := range l.flights {
		l.failed = errors.Join(l.failed, <-f.done)
	}
	l.flights = nil
	return l.failed
}

// wait collects everything.
func (l *landings) wait() error {
	err := l.waitFlights()
	if l.results != nil {
		err, l.results = errors.Join(err, <-l.results.done), nil
	}
	return err
}

// land seals what is due and starts to write it. A landing that failed ends the session: the next one begins again at
// the end of the lake log, and storing comes first.
func (r *runner) land() error {
	ctx := r.landings.ctx
	if err := r.landings.reap(); err != nil {
		return fmt.Errorf("land: %w", err)
	}
	for _, t := range r.mine() {
		for _, l := range t.landers() {
			if !l.Due() {
				continue
			}
			if b := l.Seal(); b != nil {
				r.landings.flights = append(r.landings.flights, launch(t.id, func() error { return l.Land(ctx, b) }))
			}
		}
	}
	if r.landings.results == nil && r.due(&r.beat.lastResults, r.o.Plan.Pipeline.Lake.Roll.Every) {
		mine := r.mine()
		f := launch(-1, func() error { return r.landResults(ctx, mine) })
		r.landings.results = &f
	}
	return nil
}

// makeRoom writes what the tasks have buffered, at once, because the landing budget is used up: memory is bounded, and
// storing comes first. Several tasks may ask at the same time.
func (r *runner) makeRoom(ctx context.Context) error {
	r.landings.room.Lock()
	defer r.landings.room.Unlock()
	if err := r.landings.waitFlights(); err != nil {
		return fmt.Errorf("land: %w", err)
	}
	for _, t := range r.mine() {
		for _, l := range t.landers() {
			if r.landings.failed = landNow(ctx, l); r.landings.failed != nil {
				return r.landings.failed
			}
		}
	}
	return nil
}

func landNow(ctx context.Context, l *lake.Lander) error {
	b := l.Seal()
	if b == nil {
		return nil
	}
	if err := l.Land(ctx, b); err != nil {
		return fmt.Errorf("land: %w", err)
	}
	return nil
}

// landAll lands everything that this process has consumed and what came of it.
func (r *runner) landAll(ctx context.Context) error {
	if err := errors.Join(r.landings.wait(), r.makeRoom(ctx)); err != nil {
		return err
	}
	return r.landResults(ctx, r.mine())
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
	if log := lt.Lake.Log(q); log.Begun() && log.End() >= to {
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

// feed gives a task its records. When the landing budget is used up the task stands at the record that did not fit;
// it goes on there once there is room.
func (r *runner) feed(ctx context.Context, t *task, in *input, records []*kafka.Record) error {
	for {
		err := t.process(in, records)
		if !errors.Is(err, lake.ErrFull) {
			return err
		}
		if err := errors.Join(ctx.Err(), r.makeRoom(ctx)); err != nil {
			return err
		}
	}
}
