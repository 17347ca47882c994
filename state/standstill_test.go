package state_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidemark-io/tidemark/lake/blob"
	"github.com/tidemark-io/tidemark/state"
	"github.com/tidemark-io/tidemark/state/statetest"
)

// manyTables returns the files of a closed store with as many tables as it takes for Pebble to want a compaction with the next.
func manyTables(t testing.TB, w *workload, n int) map[string][]byte {
	t.Helper()
	fs := statetest.NewMem()
	sh := newShared(t, fs)
	for range n {
		s := open(t, sh, "s")
		for range 3 {
			if err := w.apply(s); err != nil {
				t.Fatal(err)
			}
		}
		closeStore(t, s)
	}
	return files(t, fs, "s")
}

// wideTables returns the files of a closed store that one flush wrote into several tables. Open reads only the first: the cut is in
// it.
func wideTables(t testing.TB, w *workload) (all map[string][]byte, last string) {
	t.Helper()
	fs := statetest.NewMem()
	sh, err := state.NewShared(state.SharedOptions{FS: fs})
	if err != nil {
		t.Fatal(err)
	}
	s, err := state.Open("s", sh)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(32, 0))
	err = s.Apply(&w.cut, func(b state.Batch) error {
		for i := range 160 {
			v := make([]byte, 64<<10)
			for j := range v {
				v[j] = byte(rng.Uint32())
			}
			if err := b.Set(windowKey(int64(i), 0), v); err != nil {
				return err
			}
		}
		return nil
	})
	if err := errors.Join(err, s.Close(), sh.Close()); err != nil {
		t.Fatal(err)
	}
	all = files(t, fs, "s")
	for name := range all {
		if strings.HasSuffix(name, ".sst") {
			last = max(last, name)
		}
	}
	return all, last
}

// The same where a table can't be opened, and nobody but the one who counts what tables hold wants to.
func TestUnopenedTableStandsStill(t *testing.T) {
	w := newWorkload(33)
	w.step()
	all, last := wideTables(t, w)
	bad := damagedCopy(t, all, last, func(b []byte) []byte { b[len(b)-10] ^= 1; return b })
	synctest.Test(t, func(t *testing.T) {
		if got := standsStill(t, nil, bad, last); got == "not noticed" { // in Open, or just after it
			t.Errorf("%s is damaged: %s", last, got)
		}
	})
}

// A store that has stopped does nothing more (invariant 9): whatever byte of a table is wrong, and whoever of Pebble reads it, a
// compaction, a flush or the one who counts tombstones. Pebble repeats what failed at once and for ever; time in a bubble would
// stand still for it.
func TestStoppedStoreStandsStill(t *testing.T) {
	stopped := map[string]int{}
	for _, n := range []int{4, 15} {
		w := newWorkload(31)
		w.small = true // Pebble searches a bad block for the bit, in quadratic time
		all := manyTables(t, w, n)
		rng := rand.New(rand.NewPCG(31, uint64(n)))
		for name, data := range all {
			if !strings.HasSuffix(name, ".sst") {
				continue
			}
			for i := range 9 {
				at := rng.IntN(len(data))
				if i > 3 {
					at = len(data) - 1 - rng.IntN(min(len(data), 1<<(i+4))) // the footer, the properties, the index
				}
				bad := damagedCopy(t, all, name, func(b []byte) []byte { b[at] ^= 0x10; return b })
				synctest.Test(t, func(t *testing.T) {
					stopped[standsStill(t, w, bad, fmt.Sprintf("%d tables, %s, byte %d of %d", n, name, at, len(data)))]++
				})
			}
		}
	}
	t.Logf("%v", stopped)
	if stopped["stopped"] == 0 {
		t.Error("no store stopped")
	}
}

// standsStill opens the damaged store, lets it flush the cut of w if there is one, and looks at how long Pebble goes on.
func standsStill(t *testing.T, w *workload, fs state.FS, what string) string {
	t.Helper()
	const most = 10_000 // operations of the disk
	disk := statetest.NewFaulty(fs)
	sh, err := state.NewShared(state.SharedOptions{FS: disk.FS(), CacheBytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := sh.Close(); err != nil {
			t.Error(err)
		}
	}()
	var corrupt *state.CorruptError
	s, err := state.Open("s", sh)
	if err != nil {
		if !errors.As(err, &corrupt) {
			t.Errorf("%s: open: %v", what, err)
		}
		return "not opened"
	}
	if w != nil {
		if err = s.Apply(&w.cut, nil); err == nil {
			_, _, err = s.Checkpoint(t.Context(), blob.NewMemory(), options())
		}
	}
	if err != nil && !errors.As(err, &corrupt) {
		t.Errorf("%s: %v", what, err)
	}
	busy, once := make(chan struct{}), atomic.Bool{}
	disk.Fail(func(n int64, _, _ string) bool {
		if n > most && once.CompareAndSwap(false, true) {
			close(busy)
		}
		return false
	})
	select {
	case <-busy:
		t.Errorf("%s: Pebble goes on for ever, the store: %v", what, s.Err())
	case <-time.After(time.Minute):
	}
	dead, began := s.Err() != nil, time.Now()
	err = s.Close()
	if took := time.Since(began); took > 0 {
		t.Errorf("%s: Close took %v", what, took)
	}
	if dead && !errors.As(err, &corrupt) {
		t.Errorf("%s: Close: %v", what, err)
	}
	if dead {
		return "stopped"
	}
	return "not noticed"
}
