package stream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/tidemark-io/tidemark/lake"
	"github.com/tidemark-io/tidemark/state"
	"github.com/tidemark-io/tidemark/stream/kafka"
	"github.com/tidemark-io/tidemark/stream/landing"
)

// Run runs a pipeline until its context ends, or, with UntilEnd, to the end of what its source holds now. It
// returns the accounting of the whole pipeline. When the context ends it commits, lands and checkpoints what
// it has and returns the context's error.
func Run(ctx context.Context, o Options) (*Summary, error) {
	o.EnsureDefaults()
	if err := o.Validate(); err != nil {
		return nil, err
	}
	r, err := newRunner(o)
	if err != nil {
		return nil, err
	}
	sum, err := r.runHeld(ctx)
	return sum, errors.Join(err, r.close())
}

// runHeld runs while it holds the directory of this process's state: a second process of the same id on the machine is
// refused before it could fence the first one off.
func (r *runner) runHeld(ctx context.Context) (sum *Summary, err error) {
	held, err := r.hold()
	if errors.Is(err, state.ErrLocked) {
		return nil, fmt.Errorf("pipeline %s runs as %q already on this machine: stop that process, or give this one another --id: %w",
			r.o.Plan.Pipeline.Name, r.o.ID, err)
	}
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, held.Close()) }()
	return r.run(ctx)
}

// hold keeps any other process of this id and machine out. state.ErrLocked: there is one.
func (r *runner) hold() (io.Closer, error) {
	return state.Hold(filepath.Dir(r.stateDir(0)), r.shared)
}

// runner is one process's part in a pipeline. Its fields are set up once; tasks come and go with the
// sessions, guarded by mu because assignments arrive on a goroutine of the client.
type runner struct {
	o      Options
	log    *slog.Logger
	admin  *kafka.Admin
	bucket *watched // the same as o.Bucket
	shared *state.Shared
	memory *Memory
	budget *lake.Budget // of the tasks' landers
	// resultBudget is apart, so that landing results never waits for room that only the loop can make.
	resultBudget *lake.Budget

	sources []*source        // the inputs, in the order of every task's
	results []*landing.Topic // curated topics, then the journal
	wide    map[string]int32 // partitions of each result topic

	mu       sync.Mutex
	suspects map[string]bool             // state directories and manifests in which a read found corruption
	damage   map[int32]map[string]string // by task: checkpoints that can't be restored from, and why
	tasks    map[int32]*task
	stopped  map[int32]error
	told     map[int32]string // what the bucket says of tasks that have stopped
	// ordersSeen counts the orders of stopped tasks that were looked at.
	ordersSeen map[int32]int
	// assigning is true while tasks are on their way: nothing may be concluded from the tasks that are there.
	assigning bool
	changing  bool                            // this is no run: it takes a change decision
	narrow    []kafka.TopicSpec               // changing: topics that are to grow
	observed  map[string]map[int32]kafka.Ends // by topic

	beat     beat
	patience patience
	owned    kafka.Owned
	stopping <-chan struct{} // closed when the run is told to stop
	status   statusBoard
	restores *restores
	landings landings
}

func newRunner(o Options) (*runner, error) {
	admin, err := kafka.NewAdmin(o.Kafka)
	if err != nil {
		return nil, err
	}
	memory := o.memory()
	shared, err := state.NewShared(state.SharedOptions{CacheBytes: memory.BlockCache + memory.MemTables, MemTableBytes: memory.MemTables, FS: o.StateFS})
	if err != nil {
		admin.Close()
		return nil, err
	}
	bucket := &watched{Bucket: o.Bucket, now: o.Now}
	o.Bucket = bucket
	return &runner{
		o: o, bucket: bucket, log: o.Log.With("pipeline", o.Plan.Pipeline.Name), admin: admin, shared: shared,
		budget: lake.NewBudget(o.LandingBytesMax), resultBudget: lake.NewBudget(memory.Results), memory: memory,
		suspects: map[string]bool{}, damage: map[int32]map[string]string{}, tasks: map[int32]*task{}, stopped: map[int32]error{},
		told: map[int32]string{}, ordersSeen: map[int32]int{}, restores: newRestores(o.Now),
	}, nil
}

func (r *runner) close() error {
	r.admin.Close()
	return r.shared.Close()
}

// run builds sessions until one of them ends well or for good. Whatever kept a commit from being confirmed
// comes through here: the session is closed, its tasks are dropped with everything uncommitted, and the next
// one starts from what the broker says (one error path).
func (r *runner) run(ctx context.Context) (*Summary, error) {
	if err := r.setup(ctx); err != nil {
		return nil, errors.Join(err, r.tellAll(ctx, err))
	}
	r.stopping = ctx.Done()
	r.patience.begin(r.o.Now())
	for {
		began := r.o.Now()
		err := r.session(ctx)
		if r.o.Now().Sub(began) > r.o.RetryFor {
			r.patience.succeeded(stepPoll) // it polled all the while
		}
		var fingerprint *FingerprintError
		var stopped *StoppedError
		var stop *StopError
		switch {
		case err == nil:
			return r.summary(ctx)
		case errors.Is(err, kafka.ErrInstanceFenced): // leaving would take the other process out
			return nil, err
		case ctx.Err() != nil:
			// Told to stop between two sessions, too: what is committed is safe, and the rest is another's to do.
			return nil, errors.Join(ctx.Err(), err, r.handOver(ctx))
		case errors.As(err, &fingerprint), errors.As(err, &stopped), errors.As(err, &stop):
			return nil, err
		case errors.Is(err, errOrdered):
			r.log.Info("an order was given: the session is built anew")
			continue
		}
		lasted, pause := r.patience.failed(err, r.o.Now())
		if lasted > r.o.RetryFor {
			return nil, err
		}
		r.status.broken(err)
		r.report()
		r.ended(err, pause)
		wait(ctx, pause)
	}
}

// ended tells how a session has ended. A warning is for what an operator should look at: that processes come and go is none.
func (r *runner) ended(err error, pause time.Duration) {
	var revoked *kafka.RevokedError
	if errors.As(err, &revoked) {
		r.log.Info("partitions revoked; going on from the committed offsets with those that are assigned next", "why", err, "pause", pause)
		return
	}
	r.log.Warn("session ended; rebuilding from the committed offsets", "err", err, "pause", pause)
}

// wait returns after d, or when the context ends.
func wait(ctx context.Context, d time.Duration) {
	t, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	<-t.Done()
}

func (r *runner) nowMillis() int64 { return r.o.Now().UnixMilli() }

// instance is the process's name to the broker: static group member and transactional id.
func (r *runner) instance() string { return r.o.Plan.Pipeline.TransactionalID(r.o.ID) }
