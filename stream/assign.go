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
	found, err := r.found(ctx)
	if err != nil {
		return nil, err
	}
	starts := kafka.Starts{}
	for _, src := range r.sources {
		starts[src.Name] = make(map[int32]int64, len(partitions))
	}
	if other := r.otherTopic(ctx, found); other != nil {
		return starts, r.stopAll(ctx, partitions, found, starts, other)
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(restoresAtOnce)
	for _, id := range partitions {
		g.Go(func() error {
			at, err := r.admit(ctx, id, found)
			err = r.patience.tried(stepOf("start", id), err)
			r.mu.Lock()
			defer r.mu.Unlock()
			for i, src := range r.sources {
				starts[src.Name][id] = at[i]
			}
			return err
		})
	}
	return starts, g.Wait()
}

// brokerSays is what the broker knows of one input's partitions.
type brokerSays struct {
	commits map[int32]kafka.Commit
	ends    map[int32]kafka.Ends
}

// found asks the broker about every input.
func (r *runner) found(ctx context.Context) ([]brokerSays, error) {
	group := r.o.Plan.Pipeline.Group()
	all := make([]brokerSays, len(r.sources))
	for i, src := range r.sources {
		var err error
		if all[i].commits, err = r.admin.Committed(ctx, group, src.Name); err != nil {
			return nil, fmt.Errorf("committed offsets of %s: %w", group, err)
		}
		if all[i].ends, err = r.admin.Offsets(ctx, src.Name); err != nil {
			return nil, fmt.Errorf("offsets of %s: %w", src.Name, err)
		}
	}
	return all, nil
}

// otherTopic says which source is no longer the one that the process was set up for; nil if all are.
func (r *runner) otherTopic(ctx context.Context, found []brokerSays) error {
	for i, src := range r.sources {
		if n := len(found[i].ends); n != int(src.Partitions) {
			return r.grown(src.Name, int32(n), src.Partitions)
		}
		info, err := r.admin.Topic(ctx, src.Name)
		if err != nil {
			return fmt.Errorf("topic %s: %w", src.Name, err)
		}
		if info.ID != src.ID {
			return recreated(src.Name, info.ID, src.ID)
		}
	}
	return nil
}

// recreated stops a task whose topic is another one of the same name.
func recreated(where, now, was string) *StopError {
	return &StopError{Where: where, What: fmt.Sprintf("the topic was deleted and created again (id %s, was %s)", now, was),
		Fix: "its offsets mean other records now: give the pipeline and its lake new names to start over"}
}

// stopAll stops every task for one reason. Their partitions are only fetched from at the end.
func (r *runner) stopAll(ctx context.Context, partitions []int32, found []brokerSays, starts kafka.Starts, why error) error {
	sources, says, err := asked(ctx, r.admin, r.o.Plan.Pipeline.Group(), inputTopics(r.o.Plan))
	if err != nil {
		return errors.Join(why, err)
	}
	for _, id := range partitions {
		all, err := orders(ctx, r.o.Bucket, r.o.Plan.Pipeline.Name, id)
		if err != nil {
			return err
		}
		for i, src := range r.sources {
			starts[src.Name][id] = found[i].ends[id].High
		}
		if err := r.stop(id, r.inFull(why, id, all, standing(sources, says, id))); err != nil {
			return err
		}
	}
	return nil
}

// admit opens one task and its landers, and says where each input goes on. A task that must stop is remembered, and its
// partitions only fetched from at the end, where they are paused.
func (r *runner) admit(ctx context.Context, id int32, found []brokerSays) ([]int64, error) {
	starts := make([]int64, len(found))
	for i := range found {
		starts[i] = found[i].ends[id].High
	}
	c, err := r.committedOf(id, found)
	if err != nil {
		return starts, r.stop(id, err)
	}
	if c.found {
		r.restores.begin(id)
	}
	t, err := r.openStored(ctx, id, c, r.openTask)
	r.restores.end(id, err == nil)
	order, err := r.answered(ctx, id, found, r.blamed(ctx, err))
	if err != nil {
		err = errors.Join(err, t.shut())
	} else if order != nil {
		if err = t.shut(); err == nil {
			t, err = r.openStored(ctx, id, c, func(ctx context.Context, id int32, c committed) (*task, error) { return r.anew(ctx, id, c, order) })
		}
	}
	if err != nil {
		return starts, r.stop(id, err)
	}
	if err := r.tolerate(r.runs(ctx, id)); err != nil {
		return starts, errors.Join(err, t.shut())
	}
	for i, in := range t.inputs {
		starts[i] = in.next
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tasks[id] = t
	delete(r.stopped, id)
	return starts, nil
}

// openStored opens a task and its landers.
func (r *runner) openStored(ctx context.Context, id int32, c committed, open func(context.Context, int32, committed) (*task, error)) (*task, error) {
	t, err := open(ctx, id, c)
	if err != nil {
		return nil, err
	}
	for i, in := range t.inputs {
		if in.lander, err = r.openLander(ctx, t, in, c.at[i].ends); err != nil {
			r.note(t, err)
			t.closeLanders()
			return nil, errors.Join(err, t.store.Close())
		}
	}
	return t, nil
}

// shut lets go of a task that was opened in vain.
func (t *task) shut() error {
	if t == nil {
		return nil
	}
	t.closeLanders()
	return t.store.Close()
}

// committedOf puts together what the broker says of one task.
func (r *runner) committedOf(id int32, found []brokerSays) (committed, error) {
	c := committed{at: make([]committedAt, len(found))}
	for i := range found {
		at := &c.at[i]
		at.ends = found[i].ends[id]
		commit, ok := found[i].commits[id]
		if i > 0 && ok != c.found {
			return c, &StopError{Where: fmt.Sprintf("%s/%d", r.sources[i].Name, id), What: "the group has committed offsets for some of the task's topics only",
				Fix: "an operator deleted offsets: restore them, or give the pipeline a new name to start over"}
		}
		if c.found = ok; !ok {
			continue
		}
		meta, err := parseMetadata(commit.Metadata)
		if err != nil {
			return c, &StopError{Where: fmt.Sprintf("%s/%d", r.sources[i].Name, id), What: "the group's committed offset is not Tidemark's",
				Fix: "another consumer uses this group id, or an operator reset the offsets: restore them, or give the pipeline a new name", Err: err}
		}
		if i > 0 && meta.Journal != c.journal {
			return c, &StopError{Where: fmt.Sprintf("%s/%d", r.sources[i].Name, id),
				What: fmt.Sprintf("its committed offset is of decision %d, that of %s of decision %d", meta.Journal, r.sources[0].Name, c.journal),
				Fix:  "an operator reset the offsets of one topic: restore them, or give the pipeline a new name to start over"}
		}
		if i > 0 && meta.Life != c.life {
			return c, &StopError{Where: fmt.Sprintf("%s/%d", r.sources[i].Name, id),
				What: fmt.Sprintf("its committed offset is of the life that began with decision %d, that of %s of %d", meta.Life, r.sources[0].Name, c.life),
				Fix:  "an operator reset the offsets of one topic: restore them, or give the pipeline a new name to start over"}
		}
		at.next, at.meta, c.journal, c.life, c.closing = commit.Next, meta, meta.Journal, meta.Life, meta.Closing
	}
	if !c.found {
		c.unfit = r.checkBirth(id, found)
	}
	return c, nil
}

// stop keeps a *StopError as the fate of one task; any other error fails the session.
func (r *runner) stop(id int32, err error) error {
	var damaged *lake.CorruptError
	var stop *StopError
	if !errors.As(err, &stop) && errors.As(err, &damaged) {
		err = damagedLake(id, err)
	}
	if !errors.As(err, &stop) {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stopped[id] = err
	r.log.Error("task stopped", "task", id, "err", err)
	return nil
}

// damagedLake stops a task: what the lake holds isn't what was written.
func damagedLake(id int32, err error) error {
	return &StopError{Where: fmt.Sprintf("task %d", id), What: "its lake is damaged", Err: err,
		Fix: "`tidemark lake verify` lists the damage; restore the object from a copy, or give the pipeline and its lake new names to start over"}
}

// openLander brings the lake log of a partition to where the task begins to read, so that both share one fetch from
// there on. Storing comes first: the task waits for it. The repartition topic has none: all that is in it is landed.
func (r *runner) openLander(ctx context.Context, t *task, in *input, ends kafka.Ends) (*lake.Lander, error) {
	l, err := r.lander(ctx, t, in, ends)
	if err != nil || l == nil {
		return nil, err
	}
	if err := r.catchUp(ctx, t, in, l, ends); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// lander begins at the end of an input's lake log.
func (r *runner) lander(ctx context.Context, t *task, in *input, ends kafka.Ends) (*lake.Lander, error) {
	src := r.sources[in.number]
	if src.lake == nil {
		return nil, nil
	}
	roll := r.o.Plan.Pipeline.Lake.Roll
	l, err := src.lake.Lake.Lander(ctx, t.id, lake.LanderOptions{
		Every: roll.Every, BytesMax: roll.BytesMax, Budget: r.budget, Now: r.o.Now, FirstOffset: ends.Start,
	})
	if err != nil {
		return nil, fmt.Errorf("lake log of %s/%d: %w", src.Name, t.id, err)
	}
	return l, nil
}

// catchUp lands what lies between the lake log and the task's position. A log that begins behind the task's birth, or ends
// where the topic no longer reaches, can never hold every record: what a certificate says of it would not be true.
func (r *runner) catchUp(ctx context.Context, t *task, in *input, l *lake.Lander, ends kafka.Ends) error {
	src := r.sources[in.number]
	log := src.lake.Lake.Log(t.id)
	if err := log.Refresh(ctx); err != nil {
		return fmt.Errorf("lake log of %s/%d: %w", src.Name, t.id, err)
	}
	if log.Begun() && log.Start() > in.bornAt {
		return &StopError{Where: fmt.Sprintf("%s/%d", src.Name, t.id),
			What: fmt.Sprintf("the lake begins at offset %d, the task at %d: records that counted are not in this lake", log.Start(), in.bornAt),
			Fix:  "is it the right bucket? Restore the lake, or give the pipeline and its lake new names to start over"}
	}
	if l.Next() >= in.next {
		return nil
	}
	if l.Next() < ends.Start {
		return &StopError{Where: fmt.Sprintf("%s/%d", src.Name, t.id),
			What: fmt.Sprintf("records %d to %d were deleted from the topic before they were landed", l.Next(), ends.Start-1),
			Fix:  "the lake can no longer hold every record. Raise the topic's retention; " + r.fixLoss(t.id)}
	}
	return src.lake.UpTo(ctx, r.o.Kafka, l, t.id, in.next)
}

// landers are those of the task's sources.
func (t *task) landers() []*lake.Lander {
	all := make([]*lake.Lander, 0, len(t.inputs))
	for _, in := range t.inputs {
		if in.lander != nil {
			all = append(all, in.lander)
		}
	}
	return all
}

// closeLanders gives what landers hold back to the budget.
func (t *task) closeLanders() {
	for _, l := range t.landers() {
		l.Close()
	}
}

// dropTasks forgets all tasks and what they had not committed. Their stores keep the last applied cut.
func (r *runner) dropTasks() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var errs []error
	for id, t := range r.tasks {
		t.closeLanders()
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
