package damage_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidemark-io/tidemark/lake/blob"
	"github.com/tidemark-io/tidemark/state"
	"github.com/tidemark-io/tidemark/state/statetest"
	"github.com/tidemark-io/tidemark/stream/flow"
	"github.com/tidemark-io/tidemark/stream/pipeline"
	"github.com/tidemark-io/tidemark/stream/streamtest/trial"
)

// TestPowerLoss (invariant 1) cuts the power again and again, and looks at what is left. There are four times as many cases as
// TIDEMARK_N says.
func TestPowerLoss(t *testing.T) {
	n, seed := campaign(t, 50)
	n *= 4
	plans := map[string]*pipeline.Plan{}
	for _, name := range shapeNames {
		plans[name] = compiled(t, name)
	}
	began, seen, failures := time.Now(), map[string]int64{}, 0
	for i := range uint64(n) {
		s := seed + i
		if err := lives(plans[shapeNames[s%uint64(len(shapeNames))]], s, seen); err != nil {
			t.Errorf("seed %d: %v", s, err)
			failures++
		}
	}
	for _, k := range slices.Sorted(maps.Keys(seen)) {
		t.Logf("%6d %s", seen[k], k)
	}
	for _, k := range []string{"found nothing", "found it empty", "found it whole", "found it behind", "restored", "while committing",
		"while taking a checkpoint", "while restoring", "while setting aside", "while opening", "while replaying", "while closing"} {
		if seen[k] == 0 {
			t.Errorf("never %s: the test tests less than it says", k)
		}
	}
	trial.Record(t, trial.Result{Campaign: "power loss of the state directory", N: n, Seed: seed, Failures: failures, Counts: seen,
		Broker: "none: the log is in memory", Seconds: time.Since(began).Seconds()})
}

// lives is one case: a machine that loses power up to three times, and one more that goes on from what is left.
func lives(plan *pipeline.Plan, seed uint64, seen map[string]int64) error {
	r := rand.New(rand.NewPCG(seed, 0x706f776572))
	h := &history{logs: make([][][]byte, flow.Inputs(plan))}
	for _, m := range generate(plan, seed, 40+r.IntN(60)) {
		h.logs[m.source] = append(h.logs[m.source], m.value)
	}
	ref, err := newReference(plan)
	if err != nil {
		return err
	}
	m := newMachine(r, statetest.NewPowerLoss(), blob.NewMemory(), h, ref, seen)
	var older *statetest.PowerLoss
	for range 1 + r.IntN(3) {
		if err := m.harm(older); err != nil {
			return err
		}
		older = m.power.Cut(r, 100)
		m.loseAt(1+r.Int64N([]int64{40, 400, 1500}[r.IntN(3)]), []int{0, 50, 100}[r.IntN(3)])
		if err := m.live(5 + r.IntN(25)); err != nil {
			return err
		}
		m.lose([]int{0, 50, 100}[r.IntN(3)]) // unless it was
		m = m.lost
	}
	if err := m.live(3); err != nil {
		return err
	}
	return m.sound()
}

// harm does to the disk what power does not, before the machine starts: it is another one, or an older self of it, or bytes of it
// are wrong.
func (m *machine) harm(older *statetest.PowerLoss) error {
	switch m.r.IntN(6) {
	case 0:
		m.seen["with another disk"]++
		m.replace(statetest.NewPowerLoss())
	case 1:
		if older != nil {
			m.seen["with a disk of an older day"]++
			m.replace(older)
		}
	case 2:
		all, err := statetest.Files(m.power.FS(), "")
		if err != nil {
			return err
		}
		for _, name := range slices.Sorted(maps.Keys(all)) {
			if data := all[name]; strings.HasSuffix(name, ".sst") && strings.HasPrefix(strings.TrimPrefix(name, "/"), stateDir+"/") {
				m.seen["with a table cut short"]++
				return statetest.Write(m.power.FS(), name, data[:len(data)/2])
			}
		}
	}
	return nil
}

func (m *machine) replace(disk *statetest.PowerLoss) {
	m.power, m.disk = disk, statetest.NewFaulty(disk.FS())
}

// live starts the task and does so many things, or fewer if the power is lost.
func (m *machine) live(things int) (err error) {
	defer func() {
		if m.store != nil {
			m.doing("closing")
			err = errors.Join(err, m.store.Close())
		}
		if m.shared != nil {
			err = errors.Join(err, m.shared.Close())
		}
	}()
	if err := m.start(); err != nil {
		return err
	}
	busy := m.r.IntN(3) == 0 // so many checkpoints that tables are compacted
	for range things {
		if m.gone() {
			return nil
		}
		if err := m.process(); err != nil {
			return err
		}
		if err := m.commit(); err != nil {
			return err
		}
		if (busy || m.r.IntN(6) == 0) && m.h.committed() != nil {
			m.doing("taking a checkpoint")
			if err := m.checkpoint(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (m *machine) checkpoint() error {
	o := state.CheckpointOptions{Prefix: checkpoints, Keep: 2, Now: now}
	_, _, err := m.store.Checkpoint(context.Background(), m.bucket, o)
	return err
}

func (m *machine) gone() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.lost != nil
}

// process takes some records of random inputs, and decides something now and then.
func (m *machine) process() error {
	t := m.task
	for range m.r.IntN(12) {
		input := m.r.IntN(len(t.next))
		if int(t.next[input]) == len(m.h.logs[input]) {
			continue
		}
		if err := t.take(input, m.h.logs[input][t.next[input]]); err != nil {
			return err
		}
		m.steps = append(m.steps, step{input: input})
	}
	input := m.r.IntN(len(m.ref.plan.Sources))
	bound := t.flow.Bound(1 << 50)
	if m.r.IntN(15) > 0 || bound == flow.NoBound || t.flow.Reached(input) >= bound {
		return nil
	}
	d := decision{input: input, offset: t.next[input], mark: t.flow.Reached(input)/2 + bound/2}
	if d.mark <= t.flow.Reached(input) {
		return nil
	}
	t.seq++
	m.steps = append(m.steps, step{input: input, decision: &d})
	return t.obey(d)
}

// commit has the broker confirm what was done, and then applies it. If the power goes in between, only the first was done; and
// now and then it is cut right there.
func (m *machine) commit() error {
	if len(m.steps) == 0 {
		return nil
	}
	m.doing("committing")
	t := m.task
	if err := t.ready(); err != nil {
		return err
	}
	c := commit{steps: m.steps, out: t.out, letters: t.letters, next: slices.Clone(t.next), seq: t.seq}
	m.steps, t.out, t.letters = nil, nil, nil
	m.mu.Lock()
	m.h.add(c)
	m.mu.Unlock()
	if m.r.IntN(40) == 0 {
		m.lose([]int{0, 50, 100}[m.r.IntN(3)])
	}
	return m.apply()
}

// sound checks everything that is kept in the end.
func (m *machine) sound() (err error) {
	shared, err := state.NewShared(state.SharedOptions{FS: m.disk.FS(), CacheBytes: 1 << 20})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, shared.Close()) }()
	var f faults
	f.check(state.Check(stateDir, shared, func(s state.Fault) { f.add("%s", s) }), "check")
	names, err := state.Manifests(context.Background(), m.bucket, checkpoints)
	f.check(err, "list")
	for _, n := range names {
		f.check(state.CheckManifest(context.Background(), m.bucket, checkpoints, n.Key, "scratch", shared, func(s state.Fault) { f.add("%s: %s", n.Key, s) }), fmt.Sprint(n.Key))
	}
	return f.err()
}
