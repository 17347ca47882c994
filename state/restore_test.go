package state_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/tidemark-io/tidemark/lake/blob"
	"github.com/tidemark-io/tidemark/state"
	"github.com/tidemark-io/tidemark/state/statetest"
)

// checkpointed returns a bucket with one checkpoint, and its manifest.
func checkpointed(t *testing.T, w *workload) (*blob.Memory, *state.Manifest) {
	t.Helper()
	s := open(t, newMemShared(t), "s")
	for range 12 {
		if err := w.apply(s); err != nil {
			t.Fatal(err)
		}
	}
	bucket := blob.NewMemory()
	m, _, err := s.Checkpoint(t.Context(), bucket, options())
	if err != nil {
		t.Fatal(err)
	}
	closeStore(t, s)
	return bucket, m
}

// Invariant 8: the power is cut before each file operation of a restore. There
// is a whole store afterwards or none, and a second restore makes it.
func TestPowerLossDuringRestore(t *testing.T) {
	w := newWorkload(51)
	bucket, m := checkpointed(t, w)
	found := map[string]int{}
	for at, done := int64(1), false; !done; at++ {
		for _, unsynced := range []int{0, 50, 100} {
			disk := statetest.NewPowerLoss()
			hooked := statetest.NewFaulty(disk.FS())
			rng := rand.New(rand.NewPCG(51, uint64(at)))
			var after *statetest.PowerLoss
			hooked.Fail(func(n int64, _, _ string) bool {
				if n == at {
					after = disk.Cut(rng, unsynced)
				}
				return false
			})
			if err := state.Restore(t.Context(), bucket, prefix, m, "deep/state/2", newShared(t, hooked.FS())); err != nil {
				t.Fatal(err)
			}
			hooked.Fail(nil)
			if done = after == nil; done { // the restore is over
				after = disk.Cut(rng, unsynced)
			}
			what := restoredAgain(t, w, bucket, m, after.FS())
			if found[what]++; done && what != "whole" {
				t.Error("the restore was over, and the store is gone")
			}
			if t.Failed() {
				t.Fatalf("operation %d, %d %% of what was not synced", at, unsynced)
			}
		}
	}
	if found["whole"] < 4 || found["none"] < 100 {
		t.Errorf("%v: are there cuts within the restore?", found)
	}
}

// restoredAgain reports whether the store is there, restores it if not, and
// verifies it.
func restoredAgain(t *testing.T, w *workload, bucket blob.Bucket, m *state.Manifest, fs state.FS) string {
	t.Helper()
	sh, what := newShared(t, fs), "whole"
	if _, err := fs.Stat("deep/state/2"); err != nil {
		what = "none"
		if err := state.Restore(t.Context(), bucket, prefix, m, "deep/state/2", sh); err != nil {
			t.Errorf("the second restore: %v", err)
			return what
		}
	}
	s := open(t, sh, "deep/state/2")
	if got := w.verify(t, s); got != w.steps {
		t.Errorf("%s: %d of %d steps are there", what, got, w.steps)
	}
	closeStore(t, s)
	noFaults(t, sh, "deep/state/2")
	return what
}

// Each file operation of a restore fails in turn: the error is returned, and
// the second restore succeeds.
func TestEachOperationOfRestoreFails(t *testing.T) {
	w := newWorkload(52)
	bucket, m := checkpointed(t, w)
	returned := 0
	for at := int64(1); ; at++ {
		disk := statetest.NewFaulty(statetest.NewMem())
		sh := newShared(t, disk.FS())
		disk.Fail(func(n int64, _, _ string) bool { return n == at })
		err := state.Restore(t.Context(), bucket, prefix, m, "state/2", sh)
		expected(t, err, "restore")
		total := disk.Fail(nil)
		if err != nil {
			returned++
			if err := state.Restore(t.Context(), bucket, prefix, m, "state/2", sh); err != nil && !errors.Is(err, state.ErrNotEmpty) {
				t.Errorf("operation %d: the second restore: %v", at, err)
			}
		}
		s := open(t, sh, "state/2")
		if got := w.verify(t, s); got != w.steps {
			t.Errorf("operation %d: %d of %d steps are there", at, got, w.steps)
		}
		closeStore(t, s)
		if at > total || t.Failed() {
			t.Logf("%d operations, an error for %d", total, returned)
			break
		}
	}
	if returned < 40 {
		t.Errorf("an error was returned for %d failures only", returned)
	}
}

func TestRestoreIsCancelled(t *testing.T) {
	w := newWorkload(53)
	memory, m := checkpointed(t, w)
	ctx, cancel := context.WithCancel(t.Context())
	bucket := &statetest.Bucket{Bucket: memory, Hook: func(string, string) error { cancel(); return nil }}
	sh := newMemShared(t)
	if err := state.Restore(ctx, bucket, prefix, m, "s", sh); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if names, err := sh.FS().List("."); err == nil && len(names) > 0 {
		t.Errorf("left behind: %v", names)
	}
	bucket.Hook = nil
	if err := state.Restore(t.Context(), bucket, prefix, m, "s", sh); err != nil {
		t.Error(err)
	}
}

// A manifest is input: names in it stay within the directory.
func TestRestoreRefuses(t *testing.T) {
	for name, alter := range map[string]func(*state.Manifest){
		"parent":    func(m *state.Manifest) { m.Files[0].Name = "../escape" },
		"absolute":  func(m *state.Manifest) { m.Files[0].Name = "/escape" },
		"hidden":    func(m *state.Manifest) { m.Files[0].Name = ".." },
		"twice":     func(m *state.Manifest) { m.Files[1] = m.Files[0] },
		"negative":  func(m *state.Manifest) { m.Files[0].Size = -1 },
		"no files":  func(m *state.Manifest) { m.Files = nil },
		"bad sum":   func(m *state.Manifest) { m.Files[0].SHA256 = "../../x" },
		"bad cut":   func(m *state.Manifest) { m.Cut.Counters.Late++ },
		"other cut": func(m *state.Manifest) { m.Cut.Counters.Late++; m.Cut.Counters.Consumed++ },
		"too large": func(m *state.Manifest) {
			for i := range m.Files {
				if immutableTable(m.Files[i].Name) {
					m.Files[i].Size *= 1 << 30
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			bucket, m := checkpointed(t, newWorkload(54))
			alter(m)
			sh := newMemShared(t)
			err := state.Restore(t.Context(), bucket, prefix, m, "s", sh)
			var corrupt *state.CorruptError
			if !errors.As(err, &corrupt) {
				t.Errorf("error %v", err)
			}
			if names, err := sh.FS().List(""); err != nil || len(names) > 0 {
				t.Errorf("left behind: %v, %v", names, err)
			}
		})
	}
}

func TestSetAside(t *testing.T) {
	sh := newMemShared(t)
	w := newWorkload(55)
	for i, want := range []string{"t/2.aside-1", "t/2.aside-2", "t/2.aside-3", "t/2.aside-4", "t/2.aside-5"} {
		s := open(t, sh, "t/2")
		if err := w.apply(s); err != nil {
			t.Fatal(err)
		}
		closeStore(t, s)
		got, err := state.SetAside("t/2", "ahead of Kafka: offsets were reset", sh)
		if err != nil || got != want {
			t.Fatalf("set aside number %d is %q, %v", i, got, err)
		}
		if text := readAll(t, sh.FS(), got+"/REASON.txt"); !strings.Contains(string(text), "offsets were reset") {
			t.Errorf("the reason is %q", text)
		}
		*w = *newWorkload(55 + uint64(i))
	}
	names, err := sh.FS().List("t")
	if err != nil || len(names) != 3 {
		t.Errorf("beside each other: %v, %v", names, err)
	}
	noFaults(t, sh, "t/2.aside-5") // it can still be looked at
	if _, err := state.SetAside("t/none", "no store", sh); err == nil {
		t.Error("a store that isn't there was set aside")
	}
}

// The power is cut before each operation of SetAside: the store is in one of
// the two places, whole.
func TestPowerLossDuringSetAside(t *testing.T) {
	for at := int64(1); ; at++ {
		disk := statetest.NewPowerLoss()
		hooked := statetest.NewFaulty(disk.FS())
		sh := newShared(t, hooked.FS())
		w := newWorkload(56)
		s := open(t, sh, "t/2")
		if err := w.apply(s); err != nil {
			t.Fatal(err)
		}
		closeStore(t, s)
		rng := rand.New(rand.NewPCG(56, uint64(at)))
		var after *statetest.PowerLoss
		hooked.Fail(func(n int64, _, _ string) bool {
			if n == at {
				after = disk.Cut(rng, rng.IntN(3)*50)
			}
			return false
		})
		if _, err := state.SetAside("t/2", "a test", sh); err != nil {
			t.Fatal(err)
		}
		if after == nil {
			break
		}
		there := 0
		for _, dir := range []string{"t/2", "t/2.aside-1"} {
			if _, err := after.FS().Stat(dir); err == nil {
				there++
				s := open(t, newShared(t, after.FS()), dir)
				w.verify(t, s)
				closeStore(t, s)
			}
		}
		if there == 0 { // this file system may keep both names of a rename
			t.Errorf("operation %d: the store is gone", at)
		}
	}
}

// The same on a real disk, at a relative path in the working directory.
func TestRealDisk(t *testing.T) {
	t.Chdir(t.TempDir())
	bucket, err := blob.OpenDir("bucket")
	if err != nil {
		t.Fatal(err)
	}
	sh := newShared(t, nil)
	w := newWorkload(57)
	s := open(t, sh, "2")
	for range 5 {
		if err := w.apply(s); err != nil {
			t.Fatal(err)
		}
	}
	m, _, err := s.Checkpoint(t.Context(), bucket, options())
	if err != nil {
		t.Fatal(err)
	}
	closeStore(t, s)
	if aside, err := state.SetAside("2", "a test", sh); err != nil || aside != "2.aside-1" {
		t.Fatalf("set aside as %q, %v", aside, err)
	}
	if err := state.Restore(t.Context(), bucket, prefix, m, "2", sh); err != nil {
		t.Fatal(err)
	}
	noFaults(t, sh, "2")
	s = open(t, sh, "2")
	if got := w.verify(t, s); got != w.steps {
		t.Errorf("%d of %d steps were restored", got, w.steps)
	}
}
