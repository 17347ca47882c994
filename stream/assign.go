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
func (r *runner) assigned(ctx context.Context, partitions []int32) (map[int32]int64, error) {
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
	return starts, g.Wait()
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
	if l.Next() >= t.next {
		return l, nil
	}
	if l.Next() < ends.Start {
		return nil, &StopError{Where: fmt.Sprintf("%s/%d", r.topic.Name, t.id),
			What: fmt.Sprintf("records %d to %d were deleted from the topic before they were landed", l.Next(), ends.Start-1),
			Fix:  "the lake can no longer hold every record: give the pipeline a new name and lake to start over, and raise the topic's retention"}
	}
	return l, r.source.UpTo(ctx, r.o.Kafka, l, t.id, t.next)
}

// dropTasks forgets all tasks and what they had not committed. Their stores keep the last applied cut.
func (r *runner) dropTasks() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var errs []error
	for id, t := range r.tasks {
		if err := t.store.Close(); err != nil {
			errs = append(errs, fmt.Errorf("task %d: close state: %w", id, err))
		}
	}
	clear(r.tasks)
	clear(r.stopped)
	return errors.Join(errs...)
}

// mine returns this process's running tasks in the order of their numbers.
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
	}
}
