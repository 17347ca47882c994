package state_test

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/tidemark-io/tidemark/lake/blob"
	"github.com/tidemark-io/tidemark/state"
	"github.com/tidemark-io/tidemark/state/statetest"
)

// Invariant 1 under power loss: what survives is some prefix of the batches,
// each whole, and it names its own cut (L4). A checkpoint that was confirmed
// is whole for ever, whatever happened to the disk that it was made from.
func TestPowerLoss(t *testing.T) {
	survived := map[string]int{}
	for seed := range uint64(120) {
		powerLoss(t, seed, survived)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	t.Logf("what survived: %v", survived)
	for _, kind := range []string{"nothing", "some", "all"} {
		if survived[kind] == 0 {
			t.Errorf("no seed in which %s of the steps survived: the test tests less than it says", kind)
		}
	}
}

func powerLoss(t *testing.T, seed uint64, survived map[string]int) {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 77))
	disk := statetest.NewPowerLoss()
	bucket := blob.NewMemory()
	w := newWorkload(seed)
	w.tiny = seed%3 == 0
	for range 1 + rng.IntN(3) { // lives
		disk = live(t, rng, disk, bucket, w, survived)
	}
	sh := newShared(t, disk.FS())
	s := open(t, sh, "state/2")
	w.verify(t, s)
	closeStore(t, s)
	noFaults(t, sh, "state/2")
	restorable(t, bucket, w)
}

// live opens the store, runs it for a while, and cuts the power at a random
// moment, with the store still open and its background work under way.
func live(t *testing.T, rng *rand.Rand, disk *statetest.PowerLoss, bucket blob.Bucket, w *workload,
	survived map[string]int,
) *statetest.PowerLoss {
	t.Helper()
	sh := newShared(t, disk.FS())
	s := open(t, sh, "state/2")
	before := w.verify(t, s)
	*w = *w.at(t, mustCut(t, s)) // what is lost is replayed, as the input says
	var after *statetest.PowerLoss
	crashAt, steps := rng.IntN(70), 0
	if w.tiny {
		crashAt *= 20
	}
	for ; steps < crashAt || after == nil; steps++ {
		if err := w.apply(s); err != nil {
			t.Fatal(err)
		}
		if rng.IntN(40) == 0 && (!w.tiny || rng.IntN(20) == 0) {
			if _, _, err := s.Checkpoint(t.Context(), bucket, options()); err != nil {
				t.Fatal(err)
			}
		}
		if steps >= crashAt {
			after = disk.Cut(rng, rng.IntN(4)*33)
		}
	}
	closeStore(t, s)
	s2 := open(t, newShared(t, after.FS()), "state/2")
	got := w.verify(t, s2)
	closeStore(t, s2)
	switch {
	case got < before:
		t.Errorf("%d steps were there after the restart, %d are there after the next", before, got)
	case got == 0:
		survived["nothing"]++
	case got == w.steps:
		survived["all"]++
	default:
		survived["some"]++
	}
	return after
}

func mustCut(t testing.TB, s *state.Store) *state.Cut {
	t.Helper()
	cut, err := s.Cut()
	if err != nil {
		t.Fatal(err)
	}
	return cut
}

// restorable restores every checkpoint that is listed and verifies it.
func restorable(t testing.TB, bucket blob.Bucket, w *workload) {
	t.Helper()
	ctx := context.Background()
	names, err := state.Manifests(ctx, bucket, prefix)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		m, err := state.LoadManifest(ctx, bucket, name.Key)
		if err != nil {
			t.Fatal(err)
		}
		sh := newMemShared(t)
		if err := state.Restore(ctx, bucket, prefix, m, "r/2", sh); err != nil {
			t.Fatal(err)
		}
		s := open(t, sh, "r/2")
		w.verify(t, s)
		if !mustCut(t, s).Position().Equal(name.Position) {
			t.Errorf("checkpoint %s holds cut %v", name.Key, mustCut(t, s).Position())
		}
		closeStore(t, s)
	}
}
