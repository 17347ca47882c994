package stream

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/tidemark-io/tidemark/state"
	"github.com/tidemark-io/tidemark/stream/journal"
	"github.com/tidemark-io/tidemark/stream/kafka"
	"github.com/tidemark-io/tidemark/stream/window"
)

// A change decision (law L5) puts another definition of the results in force, or takes in partitions that the sources have
// grown by. State is never migrated. One decision names one time for all tasks, beyond every window that holds a confirmed
// event; every partition's watermark becomes at least that, and the tasks begin anew there, with empty state. The windows
// below are the reconciler's, which recomputes them by the new definition (law L2: a closed window never opens again, and
// those that were open close unpublished).
//
// It is one transaction over all tasks, by a process that owns all of them: the group's generation keeps any other
// from committing after it, and whoever comes with another definition finds that it isn't in force.

// ChangeOptions are what Change needs beside Options.
type ChangeOptions struct {
	Options
	// Reason is kept in the journal.
	Reason string
	// Restart decides also when nothing has changed: for tasks that can't go on, with neither state nor a checkpoint of it.
	Restart bool
	// DryRun only says what would change.
	DryRun bool
	// WaitFor bounds how long Change waits until no other process owns tasks. Default 1 minute: a process that was killed
	// is a member of the group until its session times out.
	WaitFor time.Duration
}

// ChangeReport says what was, or would be, decided.
type ChangeReport struct {
	Pipeline   string        `json:"pipeline"`
	From       string        `json:"from"` // fingerprint
	To         string        `json:"to"`
	Partitions [2]int32      `json:"partitions"` // of the sources, before and after
	Changed    bool          `json:"changed"`    // false: all is as it was, and nothing was decided
	Time       int64         `json:"time"`       // ms: windows that close by then are the reconciler's; window.NoWatermark if there was no event yet
	Reason     string        `json:"reason"`
	Tasks      []ChangedTask `json:"tasks"`
}

// ChangedTask is where a task begins anew.
type ChangedTask struct {
	Task     int32   `json:"task"`
	Decision int64   `json:"decision"` // number of its first
	Next     []int64 `json:"next"`     // offset in each of its inputs
	New      bool    `json:"new"`      // it has not lived before
}

// ErrOwned says that other processes own tasks of the pipeline, so that no decision can be taken for all of them.
var ErrOwned = errors.New("other processes run the pipeline")

// ErrNeverRan says that there is nothing to change yet.
var ErrNeverRan = errors.New("the pipeline has never run: start it with `tidemark run`")

// Change takes a change decision that puts o.Plan in force. Nothing else of the pipeline may run meanwhile: ErrOwned says who does.
func Change(ctx context.Context, o ChangeOptions) (report *ChangeReport, err error) {
	o.EnsureDefaults()
	if o.WaitFor == 0 {
		o.WaitFor = time.Minute
	}
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if o.Reason == "" && !o.DryRun {
		return nil, errors.New("change: a reason is needed: the journal keeps it for ever")
	}
	r, err := newRunner(o.Options)
	if err != nil {
		return nil, err
	}
	r.changing = true
	c := &changer{r: r, o: o}
	if o.DryRun {
		report, err = c.look(ctx)
	} else {
		report, err = c.takeHeld(ctx)
	}
	return report, errors.Join(err, r.close())
}

// fixChange is the remedy where only a change decision helps.
func (r *runner) fixChange(what string) string {
	return fmt.Sprintf("stop the pipeline's processes and say `tidemark change -f FILE --reason %q`: tasks then begin anew, and the reconciler recomputes what was open", what)
}

// changer takes one decision.
type changer struct {
	r *runner
	o ChangeOptions

	report *ChangeReport
	lives  []committed // by task
	err    error       // why the assignment could not be turned into a decision
}

// look finds out what a decision would be, and writes nothing.
func (c *changer) look(ctx context.Context) (*ChangeReport, error) {
	for i := range c.r.o.Plan.Sources {
		info, err := c.r.sourceTopic(ctx, i)
		if err != nil {
			return nil, err
		}
		c.r.sources = append(c.r.sources, &source{TopicInfo: info})
	}
	if err := c.examine(ctx); err != nil || !c.report.Changed {
		return c.report, err
	}
	for id := range c.r.width() {
		c.report.Tasks = append(c.report.Tasks, c.planned(id))
	}
	return c.report, nil
}

func (c *changer) planned(id int32) ChangedTask {
	life := &c.lives[id]
	t := ChangedTask{Task: id, Decision: life.journal + 1, New: !life.found}
	for i := range life.at {
		t.Next = append(t.Next, life.at[i].next)
	}
	return t
}

// takeHeld takes it while it holds the directory of this process's state: one of the same id that runs here would be fenced off.
func (c *changer) takeHeld(ctx context.Context) (report *ChangeReport, err error) {
	held, err := c.r.hold()
	if errors.Is(err, state.ErrLocked) {
		return nil, fmt.Errorf("%w: as %q on this machine: stop that process first", ErrOwned, c.r.o.ID)
	}
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, held.Close()) }()
	return c.take(ctx)
}

// take joins the group, decides for all tasks, commits that, and leaves a checkpoint of each task's new beginning, by which
// the reconciler knows at once.
func (c *changer) take(ctx context.Context) (*ChangeReport, error) {
	r := c.r
	if err := r.setup(ctx); err != nil {
		return nil, err
	}
	if err := c.examine(ctx); err != nil || !c.report.Changed {
		return c.report, err
	}
	if err := c.alone(ctx); err != nil {
		return nil, err
	}
	if err := c.grow(ctx); err != nil {
		return nil, err
	}
	s, err := kafka.NewSession(ctx, kafka.SessionOptions{
		Options: r.o.Kafka, Group: r.o.Plan.Pipeline.Group(), InstanceID: r.instance(), TransactionalID: r.instance(),
		Topics: r.topics(), OnAssigned: c.assigned, CommitTimeout: r.o.CommitTimeout,
		SessionTimeout: r.o.Plan.Pipeline.Kafka.SessionTimeout, TransactionTimeout: r.o.Plan.Pipeline.Kafka.TransactionTimeout,
	})
	if err != nil {
		return nil, err
	}
	err = c.decided(ctx, s)
	s.Close()
	return c.report, errors.Join(err, r.dropTasks(), r.admin.LeaveGroup(ctx, r.o.Plan.Pipeline.Group(), r.instance()))
}

// grow gives the pipeline's own topics as many partitions as its sources have now. Until the decision is committed that means
// nothing: no task is born beside others that know of fewer partitions (checkBirth).
func (c *changer) grow(ctx context.Context) error {
	r := c.r
	if len(r.narrow) == 0 {
		return nil
	}
	for _, spec := range r.narrow {
		if err := r.admin.GrowTopic(ctx, spec.Name, spec.Partitions); err != nil {
			return err
		}
	}
	r.sources, r.results, r.narrow = nil, nil, nil
	return r.setup(ctx)
}

// decided waits for the tasks and makes what was decided for them durable.
func (c *changer) decided(ctx context.Context, s *kafka.Session) error {
	if err := c.joined(ctx, s); err != nil {
		return err
	}
	if err := c.r.commit(ctx, s); err != nil {
		return fmt.Errorf("%w; nobody knows whether the decision was committed: say `tidemark change` again, it is taken once", err)
	}
	return c.r.checkpoint(ctx)
}

// joined waits until the group has given this process all tasks.
func (c *changer) joined(ctx context.Context, s *kafka.Session) error {
	waiting, cancel := context.WithTimeout(ctx, c.o.WaitFor)
	defer cancel()
	for len(s.Assigned()) == 0 {
		poll, cancel := context.WithTimeout(waiting, 100*time.Millisecond)
		_, err := s.Poll(poll, 1)
		cancel()
		switch {
		case waiting.Err() != nil && ctx.Err() == nil:
			return errors.Join(fmt.Errorf("%w: the group has not come to rest within %s", ErrOwned, c.o.WaitFor), c.err)
		case err != nil && !errors.Is(err, context.DeadlineExceeded):
			return errors.Join(err, c.err)
		}
	}
	return nil
}

// alone waits until no other process owns a task.
func (c *changer) alone(ctx context.Context) error {
	group := c.r.o.Plan.Pipeline.Group()
	for deadline := c.o.Now().Add(c.o.WaitFor); ; {
		others, err := c.r.admin.GroupMembers(ctx, group)
		if err != nil {
			return err
		}
		others = slices.DeleteFunc(others, func(name string) bool { return name == c.r.instance() })
		if len(others) == 0 {
			return nil
		}
		slices.Sort(others)
		if c.o.Now().After(deadline) {
			return fmt.Errorf("%w: %v are its members: stop them first; one that was killed is forgotten by the broker after kafka.session_timeout", ErrOwned, others)
		}
		wait(ctx, time.Second)
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}

// assigned takes the decision for every task. By now no other member of the group can commit.
func (c *changer) assigned(ctx context.Context, partitions []int32) (kafka.Starts, error) {
	r := c.r
	if len(partitions) != int(r.width()) {
		c.err = fmt.Errorf("%w: only tasks %v have come to this process", ErrOwned, partitions)
		return nil, c.err
	}
	if err := c.examine(ctx); err != nil {
		c.err = err
		return nil, err
	}
	starts := kafka.Starts{}
	for _, src := range r.sources {
		starts[src.Name] = make(map[int32]int64, len(partitions))
	}
	for _, id := range partitions {
		t, err := c.begin(ctx, id)
		if err != nil {
			c.err = err
			return nil, err
		}
		for i, in := range t.inputs {
			starts[r.sources[i].Name][id] = in.next
		}
		r.mu.Lock()
		r.tasks[id] = t
		r.mu.Unlock()
	}
	return starts, nil
}

// begin makes a task with empty state and decides its beginning.
func (c *changer) begin(ctx context.Context, id int32) (*task, error) {
	life := &c.lives[id]
	changed := c.planned(id)
	t, err := c.r.newLife(id, *life, changed.Next)
	if err != nil {
		return nil, err
	}
	err = c.r.refill(ctx, t)
	if err == nil {
		err = t.change(c.report.Time, c.report.Reason)
	}
	if err != nil {
		return nil, errors.Join(err, t.store.Close())
	}
	c.report.Tasks = append(c.report.Tasks, changed)
	return t, nil
}

// newLife makes a task that begins with empty state at the given offsets, after what it has decided before. The lake must still
// reach back to where it was born.
func (r *runner) newLife(id int32, before committed, next []int64) (*task, error) {
	dir := r.stateDir(id)
	if _, err := os.Stat(dir); err == nil {
		if err := r.setAside(dir, errors.New("a change decision begins the task anew")); err != nil {
			return nil, err
		}
	}
	store, err := state.Open(dir, r.shared)
	if err != nil {
		return nil, fmt.Errorf("task %d: %w", id, err)
	}
	t, err := r.newTask(id, store, nil, "", before.journal+1)
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	t.decisions = before.journal
	for i, in := range t.inputs {
		in.next, in.bornAt = next[i], next[i]
		if before.found && before.at[i].meta.TopicID != "" {
			in.bornAt = before.at[i].meta.Born
		}
	}
	return t, nil
}

// change decides that the task begins anew where it stands, with all watermarks at least at mark.
func (t *task) change(mark int64, reason string) error {
	for _, in := range t.inputs {
		e := journal.Entry{Kind: journal.Change, Time: journal.NoTime, Reason: reason}
		if mark != window.NoWatermark && in.topic != t.repartition {
			e.Time, e.Watermark, e.HasWatermark = mark, mark, true
		}
		if err := t.decide(in, &e); err != nil {
			return err
		}
	}
	return nil
}
