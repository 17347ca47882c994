package stream

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/tidemark-io/tidemark/crashpoint"
	"github.com/tidemark-io/tidemark/state"
	"github.com/tidemark-io/tidemark/stream/flow"
	"github.com/tidemark-io/tidemark/stream/journal"
	"github.com/tidemark-io/tidemark/stream/kafka"
)

// committed is what the broker says of a task: its cut, or that it never had one.
type committed struct {
	found   bool
	unfit   error    // not found: why the task can't be born beside the others
	journal int64    // number of the last decision in the cut
	life    int64    // number of the change decision with which the task began anew; 0 since its birth
	closing *closing // what is left of it is to be published
	at      []committedAt
}

// committedAt is the cut in one input.
type committedAt struct {
	next int64
	meta metadata
	ends kafka.Ends
}

// position is the cut's.
func (c *committed) position() state.Position {
	p := state.Position{Journal: c.journal}
	for i := range c.at {
		p.Next = append(p.Next, c.at[i].next)
	}
	return p
}

// openTask brings the state of one task to exactly the cut that the broker has committed. It is the only way
// in: at the first start, after a crash, after a rebalance and after a commit whose outcome is unknown.
//
//	found                                      | what happens
//	nothing anywhere                           | the task is born: a decision, at its starting offset
//	state at the committed cut                 | go on
//	state behind it                            | replay the gap, outputs suppressed, decisions at their cuts
//	state ahead, corrupt, or of another life   | set aside; newest valid checkpoint at or below; replay
//	no state and no checkpoint                 | replay from the cut at which the task was born, or changed
//	the gap is not in Kafka any more           | replay it from the raw lake; stop if it isn't there either
//	the committed offset is not in Kafka       | stop
//	topic recreated, offsets reset or lost     | stop
func (r *runner) openTask(ctx context.Context, id int32, c committed) (*task, error) {
	if err := r.checkLife(ctx, id, c); err != nil {
		return nil, err
	}
	store, cut, from, err := r.openState(ctx, id, c)
	if err != nil {
		return nil, err
	}
	t, err := r.newTask(id, store, cut, from, c.life)
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	if err := r.reach(ctx, t, cut != nil, c); err != nil {
		r.note(t, err)
		return nil, errors.Join(err, store.Close())
	}
	return t, nil
}

// newTask builds a task around a store whose cut is given (nil: new).
func (r *runner) newTask(id int32, store *state.Store, cut *state.Cut, restoredFrom string, life int64) (*task, error) {
	p := r.o.Plan
	t := &task{
		id: id, life: life, restoredFrom: restoredFrom, plan: p, now: r.nowMillis, store: store,
		curatedWide: r.curatedWide(), updates: make([]updates, len(p.Outputs)), out: collector{atOnce: min(closeAtOnce, r.o.PortionRecordsMax)},
	}
	var widths []int32
	for i, src := range r.sources {
		in := newInput(i, src.TopicInfo)
		if src.lake == nil {
			t.repartition = src.Name
		}
		if r.o.UntilEnd && src.target != nil && src.lake != nil {
			in.limit = src.target[id]
		}
		t.inputs = append(t.inputs, in)
		widths = append(widths, src.Partitions)
	}
	share := r.memory.WriteBack / int64(r.width())
	var err error
	if t.flow, err = flow.New(p, t, flow.Options{Widths: widths, Backing: store, MemoryMax: share, OpenMax: p.Pipeline.State.OpenMax}); err != nil {
		r.note(t, err)
		return nil, fmt.Errorf("task %d: %w", id, err)
	}
	if cut != nil {
		if err := t.resume(cut); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// checkLife refuses to go on with anything but the topics and the group that the task has lived with.
func (r *runner) checkLife(ctx context.Context, id int32, c committed) error {
	if c.unfit != nil {
		return c.unfit
	}
	if !c.found {
		return r.checkNeverBorn(ctx, id)
	}
	for i, src := range r.sources {
		if err := r.checkInput(src, id, c.at[i]); err != nil {
			return err
		}
	}
	return nil
}

func (r *runner) checkInput(src *source, id int32, c committedAt) error {
	where := fmt.Sprintf("%s/%d", src.Name, id)
	if err := r.checkSame(src, where, c.meta); err != nil {
		return err
	}
	switch {
	case c.next < c.ends.Start:
		return &StopError{Where: where, What: fmt.Sprintf("the committed offset %d is below the beginning %d: retention has passed records that were never read", c.next, c.ends.Start),
			Fix: "they cannot be brought back. Raise the topic's retention; " + r.fixLoss(id)}
	case c.next > c.ends.High:
		return &StopError{Where: where, What: fmt.Sprintf("the committed offset %d is beyond the end %d: the broker has lost records", c.next, c.ends.High),
			Fix: "if that loss is accepted, start a pipeline of a new name"}
	}
	return nil
}

// checkSame refuses metadata of another definition, or of another shape of the topic.
func (r *runner) checkSame(src *source, where string, m metadata) error {
	switch {
	case m.Fingerprint != r.o.Plan.Fingerprint:
		return &FingerprintError{Pipeline: r.o.Plan.Pipeline.Name, InForce: m.Fingerprint, Ours: r.o.Plan.Fingerprint, Fix: r.fixChange("what has changed")}
	case m.TopicID != src.ID:
		return recreated(where, src.ID, m.TopicID)
	case m.Partitions != src.Partitions:
		return r.grown(where, src.Partitions, m.Partitions)
	}
	return nil
}

// checkBirth makes sure that a task without a committed offset may be born: all that have lived so far have done so under
// the same definition, with the same topics and equally many partitions. One that is born beside others of another shape would
// open windows that those have closed; only a change decision, which is one for all, may bring it to life.
func (r *runner) checkBirth(id int32, found []brokerSays) error {
	for i, src := range r.sources {
		for _, other := range slices.Sorted(maps.Keys(found[i].commits)) {
			meta, err := parseMetadata(found[i].commits[other].Metadata)
			if err != nil {
				continue // that task stops for it
			}
			if err := r.checkSame(src, fmt.Sprintf("task %d, to be born beside %s/%d", id, src.Name, other), meta); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkNeverBorn makes sure that a task without a committed offset is new, and not one whose offsets are gone.
func (r *runner) checkNeverBorn(ctx context.Context, id int32) error {
	name := r.o.Plan.Pipeline.JournalTopic()
	ends, err := r.admin.Offsets(ctx, name)
	if err != nil {
		return fmt.Errorf("offsets of %s: %w", name, err)
	}
	born := false
	err = kafka.ReadRange(ctx, r.o.Kafka, name, id, ends[id].Start, ends[id].High, func(rec *kafka.Record) error {
		if rec.Attrs.IsControl() || born {
			return nil
		}
		e, err := journal.Decode(rec.Value)
		if err != nil {
			return fmt.Errorf("%s: %w", place(rec), err)
		}
		born = e.Kind == journal.Born || e.Kind == journal.Change
		return nil
	})
	if err != nil {
		return fmt.Errorf("read the journal of task %d: %w", id, err)
	}
	if born {
		return &StopError{Where: fmt.Sprintf("task %d", id), What: "the task has lived before, and its committed offset is gone",
			Fix: "offsets are never reset silently: restore the group's offsets, or give the pipeline a new name to start over"}
	}
	return nil
}

// openState opens the newest state at or below the committed cut: what is on the disk, or a checkpoint. It
// returns a nil cut if there is none at all, and the manifest's key if it restored one.
func (r *runner) openState(ctx context.Context, id int32, c committed) (store *state.Store, cut *state.Cut, from string, err error) {
	for {
		store, cut, from, err = r.openBest(ctx, id, c)
		if err == nil || from == "" || !r.suspected(from) {
			return store, cut, from, err
		}
		r.log.Warn("checkpoint passed over", "task", id, "checkpoint", from, "err", err)
	}
}

// openBest tries one checkpoint, if there is one. With an error it returns the manifest's key, too: one that turned out damaged
// is among the suspects by then, and is not tried again.
func (r *runner) openBest(ctx context.Context, id int32, c committed) (store *state.Store, cut *state.Cut, from string, err error) {
	dir := r.stateDir(id)
	if store, cut, err = r.openLocal(id, dir, c); err != nil {
		return nil, nil, "", err
	}
	best, err := r.newestCheckpoint(ctx, id, c, cut)
	if err != nil {
		return nil, nil, "", errors.Join(err, closeStore(store))
	}
	if best != nil {
		if err := r.replaceLocal(ctx, id, store, best); err != nil {
			return nil, nil, best.key, err
		}
		store, from = nil, best.key
	}
	if store == nil {
		if store, err = state.Open(dir, r.shared); err != nil {
			var corrupt *state.CorruptError
			if from != "" && errors.As(err, &corrupt) {
				r.damaged(id, from, err) // or the same would be restored again
			}
			return nil, nil, from, fmt.Errorf("task %d: %w", id, err)
		}
		if cut, err = store.Cut(); err != nil {
			return nil, nil, "", errors.Join(fmt.Errorf("task %d: %w", id, err), store.Close())
		}
	}
	return store, cut, from, nil
}

// openLocal opens the state on the disk if it is usable, and sets it aside if it isn't.
func (r *runner) openLocal(id int32, dir string, c committed) (*state.Store, *state.Cut, error) {
	if _, err := r.shared.FS().Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	store, err := state.Open(dir, r.shared)
	var corrupt *state.CorruptError
	if errors.As(err, &corrupt) {
		return nil, nil, r.setAside(dir, err)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("open state %s: %w", dir, err)
	}
	cut, err := store.Cut()
	if errors.As(err, &corrupt) {
		return nil, nil, errors.Join(store.Close(), r.setAside(dir, err))
	}
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("state %s: %w", dir, err), store.Close())
	}
	if cut == nil || r.ofTask(cut, id) == nil && r.usable(cut, c) && !r.suspected(dir) {
		return store, cut, nil
	}
	if err := r.ofTask(cut, id); err != nil {
		return nil, nil, errors.Join(store.Close(), r.setAside(dir, err))
	}
	reason := fmt.Sprintf("at offset %s, decision %d, fingerprint %s, begun with decision %d: not on the way to the committed cut %s, %d, begun with %d",
		offsetsText(cut.Position()), cut.Journal, cut.Fingerprint, cut.Life, offsetsText(c.position()), c.journal, c.life)
	return nil, nil, errors.Join(store.Close(), r.setAside(dir, errors.New(reason)))
}

// ofTask reports why a cut isn't this task's. The offsets of two tasks may well be the same; what one makes of another's state
// would be published before it is noticed.
func (r *runner) ofTask(cut *state.Cut, id int32) error {
	if cut.Pipeline != r.o.Plan.Pipeline.Name || cut.Task != id {
		return fmt.Errorf("it is the state of task %d of pipeline %s, found in the place of task %d of %s", cut.Task, cut.Pipeline, id, r.o.Plan.Pipeline.Name)
	}
	return nil
}

// usable says whether replay can bring a state with this cut to the committed one.
func (r *runner) usable(cut *state.Cut, c committed) bool {
	if !c.found || len(cut.Sources) != len(r.sources) || cut.Fingerprint != r.o.Plan.Fingerprint || cut.Life != c.life {
		return false
	}
	for i, src := range r.sources {
		if cut.Sources[i].Topic != src.Name || cut.Sources[i].TopicID != src.ID {
			return false
		}
	}
	return cut.Position().AtOrBelow(c.position())
}

// newestCheckpoint returns the newest valid checkpoint at or below the committed cut, if it is newer than local.
func (r *runner) newestCheckpoint(ctx context.Context, id int32, c committed, local *state.Cut) (*checkpoint, error) {
	if !c.found {
		return nil, nil
	}
	best, err := r.checkpointWhere(ctx, id, func(cut *state.Cut) bool { return r.usable(cut, c) })
	if err != nil || best == nil {
		return nil, err
	}
	if local != nil && best.Cut.Position().AtOrBelow(local.Position()) {
		return nil, nil
	}
	return best, nil
}

// replaceLocal puts a checkpoint in the place of whatever is on the disk, which is set aside once the checkpoint is whole. A
// checkpoint that turns out corrupt is remembered, and another is tried.
func (r *runner) replaceLocal(ctx context.Context, id int32, store *state.Store, m *checkpoint) error {
	dir := r.stateDir(id)
	if store != nil {
		if err := store.Close(); err != nil {
			return fmt.Errorf("task %d: close older state: %w", id, err)
		}
	}
	r.log.Info("restoring", "task", id, "checkpoint", m.key, "offset", offsetsText(m.Cut.Position()))
	why := fmt.Sprintf("checkpoint at %s is newer", offsetsText(m.Cut.Position()))
	aside, err := state.Replace(ctx, r.o.Bucket, r.checkpointPrefix(id), m.Manifest, dir, why, r.shared,
		state.RestoreOptions{Progress: func(done, total int64) { r.restores.fetched(id, done, total) }})
	if aside != "" {
		crashpoint.Hit("recover/set-aside")
		r.cleared(dir)
		r.log.Warn("state set aside", "dir", dir, "to", aside, "why", why)
	}
	var corrupt *state.CorruptError
	if errors.As(err, &corrupt) {
		r.damaged(id, m.key, err)
	}
	if err != nil {
		return fmt.Errorf("task %d: restore %s: %w", id, m.key, err)
	}
	crashpoint.Hit("recover/restored")
	return nil
}

func (r *runner) setAside(dir string, why error) error {
	to, err := state.SetAside(dir, why.Error(), r.shared)
	if err != nil {
		return fmt.Errorf("set %s aside (%s): %w", dir, why, err)
	}
	crashpoint.Hit("recover/set-aside")
	r.cleared(dir)
	r.log.Warn("state set aside", "dir", dir, "to", to, "why", why)
	return nil
}

// suspectAt remembers a state directory or a manifest in which a read found corruption, for the next session.
func (r *runner) suspectAt(place string) {
	r.shared.Doubt(place)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.suspects[place] = true
}

func (r *runner) suspected(place string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.suspects[place]
}

// cleared forgets a suspicion: what was there has been set aside.
func (r *runner) cleared(place string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.suspects, place)
	for _, found := range r.damage {
		delete(found, place)
	}
}

func (r *runner) stateDir(id int32) string {
	p := r.o.Plan.Pipeline
	return filepath.Join(p.Path(p.State.Dir), p.Name, r.o.ID, strconv.Itoa(int(id)))
}

func closeStore(s *state.Store) error {
	if s == nil {
		return nil
	}
	return s.Close()
}

// offsetsText names a position for people: one offset for each input.
func offsetsText(p state.Position) string {
	var b strings.Builder
	for i, next := range p.Next {
		if i > 0 {
			b.WriteByte('+')
		}
		b.WriteString(strconv.FormatInt(next, 10))
	}
	return b.String()
}
