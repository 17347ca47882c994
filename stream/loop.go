package stream

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tidemark-io/tidemark/crashpoint"
	"github.com/tidemark-io/tidemark/stream/kafka"
)

// beat is the loop's sense of time: when it last did what it does on a schedule.
type beat struct {
	lastCommit     time.Time // the last attempt
	lastCheckpoint time.Time
	lastResults    time.Time
	lastLook       time.Time
	lastIdle       time.Time
	lastRetention  time.Time
	commits        int64
}

// lookEvery is how often the loop looks at the ends of the source, for lag and idleness.
const lookEvery = time.Second

// stopWithin bounds the last commit, landing and checkpoint of a run that was told to stop.
const stopWithin = 30 * time.Second

// session runs one membership and one producer: poll, process, commit, over and over. It returns nil when a run to
// the end is complete; on any error the caller builds the next session.
func (r *runner) session(ctx context.Context) (err error) {
	s, err := kafka.NewSession(ctx, kafka.SessionOptions{
		Options: r.o.Kafka, Group: r.o.Plan.Pipeline.Group(), InstanceID: r.instance(), TransactionalID: r.instance(), Owned: &r.owned,
		Topics: r.topics(), OnAssigned: r.assigned, CommitTimeout: r.o.CommitTimeout,
		FetchBytesMax: r.memory.fetchBytes(), OutboxBytes: r.memory.Outbox,
		SessionTimeout: r.o.Plan.Pipeline.Kafka.SessionTimeout, TransactionTimeout: r.o.Plan.Pipeline.Kafka.TransactionTimeout,
	})
	if err != nil {
		return err
	}
	// Landings outlive a request to stop, so that the last ones of a clean stop are not cut short.
	landing, cancel := context.WithCancel(context.WithoutCancel(ctx))
	r.landings.begin(landing, cancel)
	defer func() {
		s.Close()
		cancel()
		r.landings.wait()
		err = errors.Join(err, r.dropTasks())
	}()
	for {
		idle, err := r.turn(ctx, s)
		if ctx.Err() != nil {
			return r.stopClean(ctx, s, err)
		}
		if err != nil {
			return err
		}
		if !r.o.UntilEnd || !idle {
			continue
		}
		done, err := r.finish(ctx, s)
		if !done && ctx.Err() != nil {
			return r.stopClean(ctx, s, err)
		}
		if done || err != nil {
			return blame(stepEnd, err)
		}
	}
}

// turn is one turn of the loop. It reports whether the poll brought nothing.
func (r *runner) turn(ctx context.Context, s *kafka.Session) (idle bool, err error) {
	every := r.o.Plan.Pipeline.Commit.Every
	whole, done := unbroken(ctx)
	defer done()
	pollCtx, cancel := context.WithTimeout(ctx, every)
	batches, err := s.Poll(pollCtx, r.o.PollRecordsMax)
	cancel()
	if err != nil && (ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded)) {
		return false, fmt.Errorf("poll: %w", blame(stepPoll, err))
	}
	crashpoint.Hit("loop/polled")
	if r.resuming() {
		if err := cmp.Or(r.commit(whole, s), ctx.Err()); err != nil {
			return false, err
		}
	}
	if err := r.unpause(s); err != nil {
		return false, err
	}
	if err := r.process(ctx, s, batches); err != nil {
		return false, err
	}
	crashpoint.Hit("loop/applied")
	if len(batches) == 0 || r.crowded() || r.due(&r.beat.lastCommit, every) {
		if err := cmp.Or(r.commit(whole, s), ctx.Err()); err != nil {
			return false, err
		}
	}
	if err := r.land(); err != nil {
		return false, err
	}
	if r.due(&r.beat.lastCheckpoint, r.o.Plan.Pipeline.State.CheckpointEvery) {
		if err := r.settle(whole, s); err != nil {
			return false, err
		}
	}
	if r.due(&r.beat.lastLook, lookEvery) {
		if err := r.patience.tried(stepLook, r.look(ctx)); err != nil {
			return false, err
		}
		if err := r.patience.tried(stepOrders, errors.Join(r.tolerate(r.tellStops(ctx)), r.lookForOrders(ctx))); err != nil {
			return false, err
		}
		r.lookAtRetention(ctx)
		r.pauseBehind(s)
	}
	if err := r.allStopped(); err != nil {
		return false, errors.Join(err, r.tolerate(r.tellStops(ctx)))
	}
	return len(batches) == 0, nil
}

// unbroken is for what a stop must not break off: a transaction that is left open holds up the successor until it times
// out, and what it may have committed can't be checkpointed. It ends some time after ctx does.
func unbroken(ctx context.Context) (context.Context, context.CancelFunc) {
	whole, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		wait(whole, stopWithin)
		cancel()
	})
	return whole, func() { stop(); cancel() }
}

// due reports whether something that happens every so often is due now, and if so resets its clock.
func (r *runner) due(last *time.Time, every time.Duration) bool {
	now := r.o.Now()
	if now.Sub(*last) < every {
		return false
	}
	*last = now
	return true
}

// process gives each task its records, all tasks side by side, and waits for them: a record boundary.
func (r *runner) process(ctx context.Context, s *kafka.Session, batches []kafka.PartitionBatch) error {
	byTask := make(map[int32][]kafka.PartitionBatch, len(batches))
	for _, b := range batches {
		byTask[b.Partition] = append(byTask[b.Partition], b)
	}
	var g errgroup.Group
	for id, mine := range byTask {
		t := r.running(id)
		if t == nil {
			s.Pause(id)
			continue
		}
		g.Go(func() error {
			for _, b := range mine {
				step := fmt.Sprintf("records of %s/%d", b.Topic, b.Partition)
				if err := r.patience.tried(step, r.processOne(ctx, s, t, b)); t.stopped != nil || err != nil {
					return err
				}
			}
			return nil
		})
	}
	return g.Wait()
}

// processOne gives a task what came of one of its inputs.
func (r *runner) processOne(ctx context.Context, s *kafka.Session, t *task, b kafka.PartitionBatch) error {
	in := t.input(b.Topic)
	err := r.feed(ctx, s, t, in, b.Records)
	if in.next >= in.limit || b.Records[len(b.Records)-1].Offset >= in.limit {
		s.PauseOne(in.topic, t.id) // what came after the end was fixed is for another run
	}
	// What came before the record that stopped the task is sound; the commit closes what it allows.
	return r.halt(t, r.blamed(ctx, err))
}

// input is the task's part of a topic.
func (t *task) input(topic string) *input {
	for _, in := range t.inputs {
		if in.topic == topic {
			return in
		}
	}
	return nil // the session reads no other topics
}

// topics are what the session reads.
func (r *runner) topics() []string {
	names := make([]string, len(r.sources))
	for i, src := range r.sources {
		names[i] = src.Name
	}
	return names
}

// running returns the task of a partition unless it has stopped; what is fetched for a stopped task is dropped,
// and stays uncommitted.
func (r *runner) running(id int32) *task {
	r.mu.Lock()
	defer r.mu.Unlock()
	if t := r.tasks[id]; t != nil && t.stopped == nil {
		return t
	}
	return nil
}

// allStopped ends a process none of whose tasks can go on: its exit code then says so.
func (r *runner) allStopped() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.stopped) == 0 || r.assigning {
		return nil
	}
	for _, t := range r.tasks {
		if t.stopped == nil {
			return nil
		}
	}
	return r.stoppedLocked()
}

func (r *runner) stoppedLocked() error {
	e := &StoppedError{}
	for id := range r.width() {
		if err := r.stopped[id]; err != nil {
			e.Tasks = append(e.Tasks, err)
		}
	}
	if len(e.Tasks) == 0 {
		return nil
	}
	return e
}

// stopClean ends a run that was told to stop: what has been processed is committed, landed and checkpointed, so
// that the next start has nothing to replay. A rebalance may have taken the tasks away meanwhile: then what was not committed
// is another's to do, and what was is checkpointed.
func (r *runner) stopClean(ctx context.Context, s *kafka.Session, err error) error {
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWithin)
	defer cancel()
	switch {
	case errors.Is(err, kafka.ErrFenced):
		return errors.Join(ctx.Err(), r.checkpoint(last))
	case err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded):
		return err
	}
	defer context.AfterFunc(last, r.landings.end)() // those under way are bounded, too
	if err := r.commit(last, s); err != nil {
		return errors.Join(ctx.Err(), err)
	}
	crashpoint.Hit("stop/committed")
	err = r.landAll(last)
	crashpoint.Hit("stop/landed")
	err = errors.Join(err, r.checkpoint(last))
	crashpoint.Hit("stop/settled")
	return errors.Join(ctx.Err(), err)
}

// leaveWithin bounds how long a run that was told to stop may take to leave its group.
const (
	leaveWithin = 10 * time.Second
	leaveTries  = 3
	leavePause  = 100 * time.Millisecond
)

// handOver leaves the group if there is anyone to take over: its tasks need not wait for the session timeout then. A
// process alone stays a member, and is back at once when it starts again. It is the last thing that a run does, however it
// comes to its end: in a rebalance, or between two sessions, its tasks would be waited for just as long.
func (r *runner) handOver(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveWithin)
	defer cancel()
	group := r.o.Plan.Pipeline.Group()
	// A request to join may still be on its way: who asks once may be a member again the next moment.
	for range leaveTries {
		members, err := r.admin.GroupMembers(ctx, group)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(members, func(name string) bool { return name != r.instance() }) {
			return nil
		}
		if err := r.admin.LeaveGroup(ctx, group, r.instance()); err != nil {
			return err
		}
		wait(ctx, leavePause)
	}
	return nil
}
