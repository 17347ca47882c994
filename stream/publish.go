package stream

import (
	"context"
	"errors"
	"fmt"

	"github.com/tidemark-io/tidemark/crashpoint"
	"github.com/tidemark-io/tidemark/stream/kafka"
)

// What a commit publishes is held until the commit begins. What its closing windows give then goes straight to the
// producer, which takes no more than its share of memory: so millions of windows may close at once. They may be more than
// one transaction should hold, which must end before its timeout. So it ends at a portion, and the next one begins.
//
// Between two portions the cut at the broker has the same offsets and decisions, and says beside them how many results of
// this closing are published (closing). No state is written there: it stays at the cut before. Whoever takes the task over
// from such a cut replays with its windows closed no further than they were before the closing, and then closes
// them as this commit did: in the same order, since the order of results and the set of what closes are functions of the
// state (law L4), and all but those that are published. Until that has been committed the task takes no record, obeys no
// decision, and leaves no checkpoint.

// collector takes what a task publishes: into memory, and in a commit straight on to the broker.
type collector struct {
	held    []*kafka.Record
	bytes   int64                     // of held
	produce func(*kafka.Record) error // in a commit: on to the broker, after what is held
	atOnce  int                       // results that may be given out at the end of a batch
	overdue bool                      // windows wait for the commit to close them: they are many
	closing *closing                  // while windows close in a commit; or what is left of a closing that began in another life
	behind  bool                      // the state on the disk was written while windows were held that it should have closed
}

// put takes a record that the task publishes.
func (t *task) put(rec *kafka.Record) error {
	t.dirty = true
	if t.out.committing() {
		return t.out.produce(rec)
	}
	t.out.held = append(t.out.held, rec)
	t.out.bytes += sizeOf(rec)
	return nil
}

func (c *collector) committing() bool { return c.produce != nil }

// postpones says whether so many results are the commit's to give out: too many for memory, or behind those of a closing
// that is left from another life.
func (c *collector) postpones(windows, sessions int64) bool {
	if c.closing == nil && windows+sessions <= int64(c.atOnce) {
		return false
	}
	c.overdue = c.closing != nil || windows > int64(c.atOnce)
	return true
}

func sizeOf(rec *kafka.Record) int64 { return recordBytes/2 + int64(len(rec.Key)+len(rec.Value)) }

// again counts a result of a closing, and says whether it was published in another life of the task.
func (c *closing) again() bool {
	if c == nil {
		return false
	}
	if c.skip > 0 {
		c.skip--
		return true
	}
	c.Sent++
	return false
}

// resumeClosing makes the next commit go on with what a closing has left, before anything else happens to the task. What
// the replay has written meanwhile still holds windows that the watermarks of its cut have passed.
func (t *task) resumeClosing(c closing) {
	c.skip = c.Sent
	t.dirty, t.out.closing, t.out.overdue, t.out.behind = true, &c, true, true
}

// whole says that the state on the disk holds no window that the watermark of its cut has passed: only such a state
// may be copied into the bucket, where "closed" is read from watermarks.
func (c *collector) whole() bool { return c.closing == nil && !c.behind }

// endClosing ends a closing, once all that it causes has been given to the producer: the commit that follows carries the whole of it.
func (t *task) endClosing() error {
	c := t.out.closing
	t.out.closing = nil
	if c == nil || c.skip == 0 {
		return nil
	}
	t.abandoned = true
	return &StopError{Where: t.position(), What: fmt.Sprintf("%d results of a closing were published that this state doesn't give", c.skip),
		Fix: "the state is not what it was: take the newest checkpoints and the state on the disk away, so that an older one is replayed, and report it"}
}

// transaction is what a commit has given to the producer since the last portion.
type transaction struct {
	r       *runner
	ctx     context.Context
	s       *kafka.Session
	ready   []*task // all of theirs is in it
	offsets []kafka.Commit

	records int
	bytes   int64
}

// add closes what the task's watermark has passed, and gives all that it publishes to the producer.
func (tx *transaction) add(t *task) error {
	if t.abandoned {
		return nil
	}
	given := false
	give := func() {
		for _, rec := range t.out.held {
			tx.produce(rec)
			given = true
		}
		t.out.held, t.out.bytes = t.out.held[:0], 0
	}
	t.out.produce = func(rec *kafka.Record) error {
		give()
		given = true
		tx.produce(rec)
		return tx.portion(t) // behind the record, which closing.Sent counts already
	}
	err := tx.r.ready(t)
	t.out.produce = nil
	if err == nil && !t.abandoned {
		err = tx.r.halt(t, t.endClosing())
	}
	switch {
	case errors.Is(err, errInTheMidst):
		t.abandoned = true // its flow has been broken off; whoever has the task next goes on from the broker's cut
		return nil
	case err != nil:
		return err
	case t.abandoned && given:
		return fmt.Errorf("task %d: %w", t.id, errors.Join(errHalfPublished, t.stopped))
	case !t.dirty || t.abandoned:
		return nil
	}
	give()
	tx.ready = append(tx.ready, t)
	tx.offsets, err = t.offsets(tx.offsets)
	return err
}

var (
	errHalfPublished = errors.New("it failed while it published; the transaction is given up")
	errInTheMidst    = errors.New("told to stop between two portions of a closing")
)

func (tx *transaction) produce(rec *kafka.Record) {
	tx.s.Produce(tx.ctx, rec)
	tx.records++
	tx.bytes += sizeOf(rec)
}

// portion ends the transaction if it is large enough, in the middle of what t publishes. A run that was told to stop leaves what is
// left of the closing to whoever has the task next.
func (tx *transaction) portion(t *task) error {
	if tx.records < tx.r.o.PortionRecordsMax && tx.bytes < portionBytes {
		return nil
	}
	var err error
	if tx.offsets, err = t.offsets(tx.offsets); err != nil {
		return err
	}
	if err := tx.end(); err != nil {
		return err
	}
	select {
	case <-tx.r.stopping: // a closing may take many minutes; the other tasks are still to be committed, landed and checkpointed
		return errInTheMidst
	default:
		return nil
	}
}

// end ends the transaction, and applies the state of the tasks that are ready.
func (tx *transaction) end() error {
	r := tx.r
	crashpoint.Hit("commit/produced")
	began := r.o.Now()
	err := tx.s.Commit(tx.ctx, tx.offsets)
	r.status.committed(r.o.Now(), r.o.Now().Sub(began), err)
	if err != nil {
		return fmt.Errorf("commit: %w", blame(stepCommit, err))
	}
	crashpoint.Hit("commit/confirmed")
	r.beat.commits++
	r.patience.committed(r.o.Now())
	r.patience.succeeded(stepCommit)
	r.share(r.mine())
	for _, t := range tx.ready {
		if err := r.patience.tried(stepOf("commit", t.id), t.apply()); err != nil {
			r.note(t, err)
			return err
		}
		t.out.overdue = false
		crashpoint.Hit("commit/state-applied")
	}
	tx.ready, tx.offsets, tx.records, tx.bytes = nil, nil, 0, 0
	return nil
}

// resuming says whether a task has to go on with a closing before it takes a record.
func (r *runner) resuming() bool {
	for _, t := range r.mine() {
		if t.out.closing != nil && !t.abandoned {
			return true
		}
	}
	return false
}
