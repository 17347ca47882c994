package damage_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"sync"

	"github.com/tidemark-io/tidemark/lake/blob"
	"github.com/tidemark-io/tidemark/state"
	"github.com/tidemark-io/tidemark/state/statetest"
	"github.com/tidemark-io/tidemark/stream/window"
)

const (
	stateDir    = "state/shape/a/0"
	checkpoints = "checkpoints/shape/0"
)

// machine is a computer with a disk, on which one task lives until the power is lost.
type machine struct {
	r      *rand.Rand
	power  *statetest.PowerLoss
	disk   *statetest.Faulty // counts the operations, and is told of the moment
	bucket blob.Bucket
	ref    *reference
	seen   map[string]int64

	mu   sync.Mutex
	h    *history
	doer string   // what the machine is doing
	lost *machine // what is left of it; nil while the power is there

	shared *state.Shared
	store  *state.Store
	task   *task
	steps  []step
}

func newMachine(r *rand.Rand, power *statetest.PowerLoss, bucket blob.Bucket, h *history, ref *reference, seen map[string]int64) *machine {
	return &machine{r: r, power: power, disk: statetest.NewFaulty(power.FS()), bucket: bucket, h: h, ref: ref, seen: seen}
}

// doing says what the machine does now.
func (m *machine) doing(what string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.doer = what
}

// loseAt cuts the power right before an operation of the disk. What is left is a machine of its own; this one goes on, in vain.
func (m *machine) loseAt(operation int64, unsynced int) {
	m.disk.Fail(func(n int64, _, _ string) bool {
		if n == operation {
			m.lose(unsynced)
		}
		return false
	})
}

func (m *machine) lose(unsynced int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.lost != nil {
		return
	}
	// The disk first: what it has is then never newer than what is committed, and the bucket's manifests never name what isn't
	// copied, since a listing gives them before their files.
	power := m.power.Cut(m.r, unsynced)
	m.seen[fmt.Sprintf("while %s", m.doer)]++
	m.lost = newMachine(m.r, power, copied(m.bucket), m.h.clone(), m.ref, m.seen)
}

// copied is a bucket of its own with the same objects.
func copied(b blob.Bucket) blob.Bucket {
	to, ctx := blob.NewMemory(), context.Background()
	err := b.List(ctx, "", func(o blob.Object) error {
		data, err := b.Get(ctx, o.Key)
		if errors.Is(err, blob.ErrNotFound) {
			return nil // deleted since
		}
		if err != nil {
			return err
		}
		return to.Put(ctx, o.Key, data)
	})
	if err != nil {
		panic(err) // a bucket in memory has no errors
	}
	return to
}

// start brings the task to what is committed: from what is on the disk, from a checkpoint, or from its birth.
func (m *machine) start() (err error) {
	if m.shared, err = state.NewShared(state.SharedOptions{FS: m.disk.FS(), CacheBytes: 1 << 20}); err != nil {
		return err
	}
	m.doing("opening")
	cut, err := m.openLocal()
	if err != nil {
		return err
	}
	if cut, err = m.newer(cut); err != nil {
		return err
	}
	if m.store == nil {
		if m.store, err = state.Open(stateDir, m.shared); err != nil {
			return err
		}
		if cut, err = m.store.Cut(); err != nil {
			return err
		}
	}
	if err := m.judge(cut); err != nil {
		return err
	}
	if m.task, err = newTask(m.ref.plan, m.store, memoryMax, cut); err != nil {
		return err
	}
	return m.replay()
}

// memoryMax is so little that state is read from the store again and again.
const memoryMax = 4096

// openLocal opens what is on the disk. It may be there or not, and may say that it is corrupt; it is never ahead.
func (m *machine) openLocal() (*state.Cut, error) {
	if _, err := m.disk.FS().Stat(stateDir); errors.Is(err, fs.ErrNotExist) {
		m.seen["found nothing"]++
		return nil, nil
	}
	store, err := state.Open(stateDir, m.shared)
	var corrupt *state.CorruptError
	if errors.As(err, &corrupt) {
		m.seen["found it corrupt"]++
		return nil, m.setAside(err.Error())
	}
	if err != nil {
		return nil, err
	}
	m.store = store
	cut, err := store.Cut()
	if err != nil {
		return nil, err
	}
	if cut == nil {
		m.seen["found it empty"]++
		return nil, nil
	}
	last := m.h.committed()
	switch {
	case last == nil || !cut.Position().AtOrBelow(last.position()):
		return nil, fmt.Errorf("the state is at %v, which was never committed", cut.Position())
	case cut.Position().Equal(last.position()):
		m.seen["found it whole"]++
	default:
		m.seen["found it behind"]++
	}
	return cut, nil
}

func (m *machine) setAside(why string) error {
	m.doing("setting aside")
	_, err := state.SetAside(stateDir, why, m.shared)
	return err
}

// newer restores the newest checkpoint if it is newer than what is on the disk.
func (m *machine) newer(cut *state.Cut) (*state.Cut, error) {
	ctx := context.Background()
	names, err := state.Manifests(ctx, m.bucket, checkpoints)
	if err != nil || len(names) == 0 {
		return cut, err
	}
	man, err := state.LoadManifest(ctx, m.bucket, names[0].Key)
	if err != nil {
		return nil, err
	}
	if last := m.h.committed(); last == nil || !man.Cut.Position().AtOrBelow(last.position()) {
		return nil, fmt.Errorf("a checkpoint is at %v, which was never committed", man.Cut.Position())
	}
	if cut != nil && man.Cut.Position().AtOrBelow(cut.Position()) {
		return cut, nil
	}
	if m.store != nil {
		if err := m.store.Close(); err != nil {
			return nil, err
		}
		m.store = nil
		if err := m.setAside("a checkpoint is newer"); err != nil {
			return nil, err
		}
	}
	m.doing("restoring")
	m.seen["restored"]++
	return nil, state.Restore(ctx, m.bucket, checkpoints, man, stateDir, m.shared)
}

// judge holds the state, byte for byte, against that of the run without a loss.
func (m *machine) judge(cut *state.Cut) error {
	got := ""
	err := m.store.Scan(nil, nil, func(k, v []byte) error { got += fmt.Sprintf("%x = %x\n", k, v); return nil })
	if err != nil {
		return err
	}
	if cut == nil {
		if got != "" {
			return fmt.Errorf("no cut, but state:\n%s", got)
		}
		return nil
	}
	if err := m.ref.follow(m.h); err != nil {
		return err
	}
	want, err := m.ref.at(m.h, cut)
	if err != nil {
		return err
	}
	for _, w := range want {
		if w.state == got && state.SameState(w.cut, cut) == nil {
			return nil
		}
	}
	return fmt.Errorf("at %v the state is\n%s\nwithout a loss it is\n%s%w", cut.Position(), got, want[0].state, state.SameState(want[0].cut, cut))
}

// replay takes the task to the last commit, with nothing given out, as the stream does: the input's turn whose watermark is lowest,
// and now and then the state is written on the way.
func (m *machine) replay() error {
	last := m.h.committed()
	if last == nil {
		return nil
	}
	t, began := m.task, m.task.seq
	t.quiet = true
	due := make([][]decision, len(t.next))
	for i, d := range m.h.decisions {
		if int64(i) >= began && d.offset >= t.next[d.input] {
			due[d.input] = append(due[d.input], d)
		}
	}
	m.doing("replaying")
	for since := 0; ; since++ {
		low := m.lowest(last)
		if low < 0 {
			break
		}
		if since > 0 && since%13 == 0 {
			if err := errors.Join(t.flow.Close(), m.apply()); err != nil {
				return err
			}
			if m.r.IntN(8) == 0 {
				m.lose([]int{0, 50, 100}[m.r.IntN(3)])
			}
		}
		if err := m.obeyed(due, low); err != nil {
			return err
		}
		if err := t.take(low, m.h.logs[low][t.next[low]]); err != nil {
			return err
		}
	}
	for i := range due {
		if err := m.obeyed(due, i); err != nil {
			return err
		}
	}
	t.seq = last.seq
	err := errors.Join(t.flow.Close(), m.apply())
	t.quiet = false
	return err
}

// obeyed obeys what was decided of an input at or below its offset.
func (m *machine) obeyed(due [][]decision, input int) error {
	for len(due[input]) > 0 && due[input][0].offset <= m.task.next[input] {
		if err := m.task.obey(due[input][0]); err != nil {
			return err
		}
		due[input] = due[input][1:]
	}
	return nil
}

// lowest is the input whose turn it is; -1 when all are at the last commit.
func (m *machine) lowest(last *commit) int {
	low := -1
	for i, next := range m.task.next {
		if next < last.next[i] && (low < 0 || m.task.flow.Reached(i) < m.task.flow.Reached(low)) {
			low = i
		}
	}
	return low
}

// apply writes the task's state and cut.
func (m *machine) apply() error {
	cut, err := m.task.cut()
	if err != nil {
		return err
	}
	return m.store.Apply(cut, func(b state.Batch) error { return m.task.flow.Write(window.Writer(b)) })
}
