package state_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/tidemark-io/tidemark/lake/blob"
	"github.com/tidemark-io/tidemark/state"
	"github.com/tidemark-io/tidemark/state/statetest"
)

// Invariant 7, in the long run: what is in the bucket is what the kept
// checkpoints name, and what lost its name within the last two.
func TestCollectKeepsUp(t *testing.T) {
	sh := newMemShared(t)
	s := open(t, sh, "s")
	k := &desk{t: t, bucket: blob.NewMemory()}
	w := newWorkload(31)
	var collected, pruned int
	var last state.CheckpointStats
	for range 30 {
		for range 10 {
			if err := w.apply(s); err != nil {
				t.Fatal(err)
			}
		}
		before := k.named()
		m, stats, err := s.Checkpoint(t.Context(), k.bucket, options())
		if err != nil {
			t.Fatal(err)
		}
		k.referenced(m, before)
		collected, pruned, last = collected+stats.Collected, pruned+stats.Pruned, stats
	}
	if n := len(k.manifests()); n != 3 || pruned != 27 {
		t.Errorf("%d checkpoints stay, %d were pruned", n, pruned)
	}
	if collected == 0 {
		t.Error("no file was ever collected")
	}
	if got, most := len(k.files()), len(k.named())+3*last.Files; got > most {
		t.Errorf("%d files in the bucket, %d are named", got, len(k.named()))
	}
	restorable(t, k.bucket, w)
}

// Tables that the checkpoint before had are neither read nor put again. A
// store that was opened again reads them once, and puts none.
func TestCheckpointShares(t *testing.T) {
	fs := statetest.NewMem()
	var mu sync.Mutex // a compaction may be at work on the disk
	reads := map[string]int{}
	sh := newShared(t, statetest.Tracing(fs, func(line string) {
		mu.Lock()
		defer mu.Unlock()
		reads[line]++
	}))
	s := open(t, sh, "s")
	w := newWorkload(8)
	var puts map[string]int
	bucket := &statetest.Bucket{Bucket: blob.NewMemory(), Hook: func(method, key string) error {
		puts[method+" "+key]++
		return nil
	}}
	bucket.Hook = serial(bucket.Hook)
	var prev *state.Manifest
	checkpoint := func(wantReads int) (shared int) {
		t.Helper()
		for range 5 {
			if err := w.apply(s); err != nil {
				t.Fatal(err)
			}
		}
		mu.Lock()
		reads, puts = map[string]int{}, map[string]int{}
		mu.Unlock()
		m, _, err := s.Checkpoint(t.Context(), bucket, options())
		if err != nil {
			t.Fatal(err)
		}
		mu.Lock()
		defer mu.Unlock()
		for _, f := range m.Files {
			if prev == nil || !immutableTable(f.Name) || !slices.Contains(prev.Files, f) {
				continue
			}
			shared++
			if n := reads["open: s.checkpoint/"+f.Name+" (options: *vfs.sequentialReadsOption)"]; n != wantReads {
				t.Errorf("a table of the checkpoint before is read %d times, want %d", n, wantReads)
			}
			if n := puts["put "+prefix+"/files/"+f.Object()]; n != 0 {
				t.Errorf("a table of the checkpoint before is put %d times", n)
			}
		}
		prev = m
		return shared
	}
	shared, afterRestart := 0, 0
	for range 8 {
		shared += checkpoint(0)
		closeStore(t, s)
		s = open(t, sh, "s")
		afterRestart += checkpoint(1)
	}
	if shared == 0 || afterRestart == 0 {
		t.Errorf("%d tables were shared, %d after a restart: the test tests nothing", shared, afterRestart)
	}
	restorable(t, bucket, w)
}

// serial makes calls of a hook one at a time.
func serial(hook func(string, string) error) func(string, string) error {
	var mu sync.Mutex
	return func(method, key string) error {
		mu.Lock()
		defer mu.Unlock()
		return hook(method, key)
	}
}

// File numbers are used again after a restore of an older checkpoint, with
// other content. No sum may outlive the open store.
func TestFileNumbersUsedAgain(t *testing.T) {
	sh := newMemShared(t)
	k := &desk{t: t, sh: sh, bucket: blob.NewMemory(), stores: map[string]*state.Store{}}
	checkpoint := func(next int64) *state.Manifest {
		t.Helper()
		if err := k.apply("a", next, 0, 0); err != nil {
			t.Fatal(err)
		}
		o := options()
		o.Keep = 20
		m, _, err := k.open("a").Checkpoint(t.Context(), k.bucket, o)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	checkpoint(100)
	var old []*state.Manifest
	for next := range int64(6) {
		old = append(old, checkpoint(200+next))
	}
	closeStore(t, k.open("a"))
	delete(k.stores, "a")
	if _, err := state.SetAside("dir/a", "a test", sh); err != nil {
		t.Fatal(err)
	}
	if out, err := k.restore("a", "100-0"); err != nil || out != "cut 100, state 100\n" {
		t.Fatalf("restore: %s, %v", out, err)
	}
	reused := 0
	for next := range int64(10) {
		for _, f := range checkpoint(300 + next).Files {
			for _, m := range old {
				reused += count(m.Files, func(g state.File) bool {
					return immutableTable(f.Name) && f.Name == g.Name && f.Size == g.Size && f.SHA256 != g.SHA256
				})
			}
		}
	}
	if reused == 0 {
		t.Error("no file number was used again: the test tests nothing")
	}
	for i, n := range k.manifests() {
		name := fmt.Sprint("r", i)
		out, err := k.restore(name, fmt.Sprintf("%d-0", n.Next[0]))
		if err != nil || out != fmt.Sprintf("cut %d, state %d\n", n.Next[0], n.Next[0]) {
			t.Errorf("restore %s: %s, %v", n.Key, out, err)
		}
		closeStore(t, k.open(name))
	}
	closeStore(t, k.open("a"))
}

func count[T any](list []T, is func(T) bool) (n int) {
	for _, v := range list {
		if is(v) {
			n++
		}
	}
	return n
}

func immutableTable(name string) bool { return len(name) == 10 && name[6:] == ".sst" }
