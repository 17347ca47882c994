package state_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/tidemark-io/tidemark/lake/blob"
	"github.com/tidemark-io/tidemark/state"
	"github.com/tidemark-io/tidemark/state/statetest"
)

// session is what a task does with its store between two restarts: open,
// some commits with a checkpoint among them, close. It stops at the first
// error, closes all the same, and returns every error.
func session(t *testing.T, fs state.FS, bucket blob.Bucket, w *workload) error {
	t.Helper()
	sh, err := state.NewShared(state.SharedOptions{FS: fs, CacheBytes: 2 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := sh.Close(); err != nil {
			t.Error(err)
		}
	}()
	s, err := state.Open("state/2", sh)
	if err != nil {
		return err
	}
	cut, err := s.Cut()
	if err != nil {
		return errors.Join(err, s.Close())
	}
	*w = *w.at(t, cut)
	err = func() error {
		for i := range 30 {
			if err := w.apply(s); err != nil {
				return fmt.Errorf("apply: %w", err)
			}
			if i%10 == 9 {
				if _, _, err := s.Checkpoint(t.Context(), bucket, options()); err != nil {
					return err
				}
			}
		}
		return nil
	}()
	return errors.Join(err, s.Close())
}

// expected fails the test unless err, if any, is the injected fault, and says
// so as what it is: a disk that does not answer is no corruption, for which
// good state would be thrown away.
func expected(t *testing.T, err error, what string) {
	t.Helper()
	var corrupt *state.CorruptError
	if errors.As(err, &corrupt) {
		t.Errorf("%s: taken for corruption: %v", what, err)
	} else if err != nil && !errors.Is(err, statetest.ErrInjected) {
		t.Errorf("%s: %v, which is not the injected error", what, err)
	}
}

// Invariant 1 under a failing disk: one operation fails, each in turn. The
// error is returned, and what is found afterwards is a prefix of what was
// applied, whole, from which the task goes on.
func TestEachOperationFails(t *testing.T) {
	disk := statetest.NewFaulty(statetest.NewMem())
	if err := session(t, disk.FS(), blob.NewMemory(), newWorkload(9)); err != nil {
		t.Fatal(err)
	}
	total := disk.Fail(nil)
	if total < 200 {
		t.Fatalf("a session is %d operations: nothing is written?", total)
	}
	returned := 0
	for at := int64(1); at <= total; at += 3 { // the order of a session's operations differs from run to run: every third is all of them, in time
		disk := statetest.NewFaulty(statetest.NewMem())
		bucket := blob.NewMemory()
		w := newWorkload(9)
		disk.Fail(func(n int64, _, _ string) bool { return n == at })
		err := session(t, disk.FS(), bucket, w)
		expected(t, err, fmt.Sprintf("operation %d", at))
		if err != nil {
			returned++
		}
		disk.Fail(nil)
		resume(t, disk.FS(), bucket, w, err == nil)
		if t.Failed() {
			t.Fatalf("operation %d of %d", at, total)
		}
	}
	t.Logf("%d operations; an error was returned for %d of the third that was tried", total, returned)
	if returned < int(total)/9 {
		t.Errorf("an error was returned for %d of %d failures: are they forgotten?", returned, total/3)
	}
}

// The whole disk fails every n-th operation, or every write from some moment
// on, as a full one does.
func TestDiskKeepsFailing(t *testing.T) {
	for seed := range uint64(40) {
		rng := rand.New(rand.NewPCG(seed, 3))
		every, from := int64(2+rng.IntN(40)), int64(rng.IntN(400))
		full := seed%2 == 0
		disk := statetest.NewFaulty(statetest.NewMem())
		bucket := blob.NewMemory()
		w := newWorkload(seed)
		for range 3 {
			disk.Fail(func(n int64, op, _ string) bool {
				if full {
					return n > from && op == "write"
				}
				return n > from && n%every == 0
			})
			expected(t, session(t, disk.FS(), bucket, w), fmt.Sprintf("seed %d", seed))
		}
		if disk.Failed() == 0 {
			t.Errorf("seed %d: nothing failed", seed)
		}
		disk.Fail(nil)
		resume(t, disk.FS(), bucket, w, false)
		if t.Failed() {
			t.Fatalf("seed %d: every %d from %d, full %t", seed, every, from, full)
		}
	}
}

// resume opens the store again on a disk that works, verifies it, and goes on.
func resume(t *testing.T, fs state.FS, bucket blob.Bucket, w *workload, all bool) {
	t.Helper()
	sh := newShared(t, fs)
	s, err := state.Open("state/2", sh)
	if err != nil {
		t.Errorf("open after the failure: %v", err)
		return
	}
	if got := w.verify(t, s); all && got != w.steps {
		t.Errorf("no error was returned, but %d of %d steps are there", got, w.steps)
	}
	*w = *w.at(t, mustCut(t, s))
	for range 3 {
		if err := w.apply(s); err != nil {
			t.Error(err)
		}
	}
	if _, _, err := s.Checkpoint(t.Context(), bucket, options()); err != nil {
		t.Error(err)
	}
	closeStore(t, s)
	noFaults(t, sh, "state/2")
	restorable(t, bucket, w)
}

// A failure in the background stops the store: every call says so.
func TestBackgroundFailure(t *testing.T) {
	disk := statetest.NewFaulty(statetest.NewMem())
	sh := newShared(t, disk.FS())
	s, err := state.Open("s", sh)
	if err != nil {
		t.Fatal(err)
	}
	w := newWorkload(5)
	if err := w.apply(s); err != nil {
		t.Fatal(err)
	}
	disk.Fail(func(_ int64, op, path string) bool { return op == "write" && strings.HasSuffix(path, ".sst") })
	_, _, err = s.Checkpoint(t.Context(), blob.NewMemory(), options())
	expected(t, err, "checkpoint")
	if err == nil || s.Err() == nil {
		t.Fatalf("checkpoint on a full disk: %v, store: %v", err, s.Err())
	}
	changes := w.step()
	for name, err := range map[string]error{
		"apply":      s.Apply(&w.cut, fill(changes)),
		"get":        second(s.Get([]byte{0x10})),
		"scan":       s.Scan(nil, nil, nil),
		"checkpoint": third(s.Checkpoint(t.Context(), blob.NewMemory(), options())),
		"close":      s.Close(),
	} {
		expected(t, err, name)
		if err == nil {
			t.Errorf("%s of a stopped store succeeds", name)
		}
	}
}

// One task's disk must not take the others down (invariant 9).
func TestOneStoreStops(t *testing.T) {
	disk := statetest.NewFaulty(statetest.NewMem())
	sh := newShared(t, disk.FS())
	bad, err := state.Open("bad", sh)
	if err != nil {
		t.Fatal(err)
	}
	good := open(t, sh, "good")
	wb, wg := newWorkload(6), newWorkload(7)
	disk.Fail(func(_ int64, op, path string) bool { return op == "write" && strings.HasPrefix(path, "bad/") })
	stopped := false
	for range 1500 { // enough for the budget to flush the largest store, whichever
		if !stopped {
			stopped = wb.apply(bad) != nil
		}
		if err := wg.apply(good); err != nil {
			t.Fatalf("the other store: %v", err)
		}
	}
	if !stopped {
		t.Error("the store with the bad disk never stopped")
	}
	if _, _, err := good.Checkpoint(t.Context(), blob.NewMemory(), options()); err != nil {
		t.Error(err)
	}
	expected(t, bad.Close(), "close")
	wg.verify(t, good)
}
