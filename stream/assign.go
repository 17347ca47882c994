package stream

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/tidemark-io/tidemark/lake"
	"github.com/tidemark-io/tidemark/state"
	"github.com/tidemark-io/tidemark/stream/kafka"
	"github.com/tidemark-io/tidemark/stream/window"
)

// restoresAtOnce bounds how many tasks restore and replay side by side.
const restoresAtOnce = 4

// assigned brings the tasks of newly assigned partitions to their committed cuts and says where to fetch from. It
// runs before anything is fetched from them, on a goroutine of the client.
func (r *runner) assigned(ctx context.Context, partitions []int32) (kafka.Starts, error) {
	r.setAssigning(true)
	defer r.setAssigning(false)
	p := r.o.Plan.Pipeline
	commits, err := r.admin.Committed(ctx, p.Name, r.topic.Name)
	if err != nil {
		return nil, fmt.Errorf("committed offsets of %s: %w", p.Name, err)
	}
	ends, err := r.admin.Offsets(ctx, r.topic.Name)
	if err != nil {
		return nil, fmt.Errorf("offsets of %s: %w", r.topic.Name, err)
	}
	starts := make(map[int32]int64, len(partitions))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(restoresAtOnce)
	for _, id := range partitions {
		g.Go(func() error {
			start, err := r.admit(ctx, id, commits, ends[id])
			r.mu.Lock()
			starts[id] = start
			r.mu.Unlock()
			return err
		})
	}
	return kafka.Starts{r.topic.Name: starts}, g.Wait()
}

// admit opens one task and its lander. A task that must stop is remembered, and its partition only fetched from at
// the end, where it is paused.
func (r *runner) admit(ctx context.Context, id int32, commits map[int32]kafka.Commit, ends kafka.Ends) (int64, error) {
	c := committed{ends: ends}
	if at, ok := commits[id]; ok {
		meta, err := parseMetadata(at.Metadata)
		if err != nil {
			return ends.High, r.stop(id, &StopError{Where: fmt.Sprintf("%s/%d", r.topic.Name, id), What: "the group's committed offset is not Tidemark's",
				Fix: "another consumer uses this group id, or an operator reset the offsets: restore them, or give the pipeline a new name", Err: err})
		}
		c.found, c.next, c.meta = true, at.Next, meta
	}
	t, err := r.openTask(ctx, id, c)
	if err != nil {
		return ends.High, r.stop(id, err)
	}
	if t.lander, err = r.openLander(ctx, t, ends); err != nil {
		r.note(t, err)
		return ends.High, r.stop(id, errors.Join(err, t.store.Close()))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tasks[id] = t
	delete(r.stopped, id)
	return t.next, nil
}

// stop keeps a *StopError as the fate of one task; any other error fails the session.
func (r *runner) stop(id int32, err error) error {
	var damaged *lake.CorruptError
	if errors.As(err, &damaged) {
		err = &StopError{Where: fmt.Sprintf("%s/%d", r.topic.Name, id), What: "its lake is damaged", Err: err,
			Fix: "`tidemark lake verify` lists the damage; restore the object from a copy, or give the pipeline and its lake new names to start over"}
	}
	var stop *StopError
	if !errors.As(err, &stop) {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stopped[id] = err
	r.log.Error("task stopped", "task", id, "err", err)
	return nil
}

// openLander brings the lake log of a partition to where the task begins to read, so that both share one fetch from
// there on. Storing comes first: the task waits for it.
func (r *runner) openLander(ctx context.Context, t *task, ends kafka.Ends) (*lake.Lander, error) {
	roll := r.o.Plan.Pipeline.Lake.Roll
	l, err := r.source.Lake.Lander(ctx, t.id, lake.LanderOptions{
		Every: roll.Every, BytesMax: roll.BytesMax, Budget: r.budget, Now: r.o.Now, FirstOffset: ends.Start,
	})
	if err != nil {
		return nil, fmt.Errorf("lake log of %s/%d: %w", r.topic.Name, t.id, err)
	}
	if err := r.catchUp(ctx, t, l, ends); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// catchUp lands what lies between the lake log and the task's position. A log that begins behind the task's birth, or ends
// where the topic no longer reaches, can never hold every record: what a certificate says of it would not be true.
func (r *runner) catchUp(ctx context.Context, t *task, l *lake.Lander, ends kafka.Ends) error {
	log := r.source.Lake.Log(t.id)
	if err := log.Refresh(ctx); err != nil {
		return fmt.Errorf("lake log of %s/%d: %w", r.topic.Name, t.id, err)
	}
	if log.Begun() && log.Start() > t.bornAt {
		return &StopError{Where: fmt.Sprintf("%s/%d", r.topic.Name, t.id),
			What: fmt.Sprintf("the lake begins at offset %d, the task at %d: records that counted are not in this lake", log.Start(), t.bornAt),
			Fix:  "is it the right bucket? Restore the lake, or give the pipeline and its lake new names to start over"}
	}
	if l.Next() >= t.next {
		return nil
	}
	if l.Next() < ends.Start {
		return &StopError{Where: fmt.Sprintf("%s/%d", r.topic.Name, t.id),
			What: fmt.Sprintf("records %d to %d were deleted from the topic before they were landed", l.Next(), ends.Start-1),
			Fix:  "the lake can no longer hold every record: give the pipeline a new name and lake to start over, and raise the topic's retention"}
	}
	return r.source.UpTo(ctx, r.o.Kafka, l, t.id, t.next)
}

// dropTasks forgets all tasks and what they had not committed. Their stores keep the last applied cut.
func (r *runner) dropTasks() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var errs []error
	for id, t := range r.tasks {
		t.lander.Close() // what it held goes back to the budget
		if err := t.store.Close(); err != nil {
			errs = append(errs, fmt.Errorf("task %d: close state: %w", id, err))
		}
	}
	clear(r.tasks)
	clear(r.stopped)
	return errors.Join(errs...)
}

func (r *runner) setAssigning(now bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.assigning = now
}

func (r *runner) isAssigning() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.assigning
}

// mine returns this process's tasks, those that have stopped included, in the order of their numbers.
func (r *runner) mine() []*task {
	r.mu.Lock()
	defer r.mu.Unlock()
	tasks := make([]*task, 0, len(r.tasks))
	for _, t := range r.tasks {
		tasks = append(tasks, t)
	}
	slices.SortFunc(tasks, func(a, b *task) int { return int(a.id - b.id) })
	return tasks
}

// note marks the state of a task in which a read found corruption: the next session sets it aside.
func (r *runner) note(t *task, err error) {
	var store *state.CorruptError
	var windows *window.CorruptError
	if errors.As(err, &store) || errors.As(err, &windows) {
		r.suspectAt(r.stateDir(t.id))
		r.suspectAt(t.restoredFrom) // or the next session would restore the same
	}
}
