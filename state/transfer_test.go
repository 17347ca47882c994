package state_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/tidemark-io/tidemark/lake/blob"
	"github.com/tidemark-io/tidemark/state"
)

// meter measures what is in memory at once on behalf of a transfer.
type meter struct {
	blob.Bucket
	both chan struct{} // closed when two calls are there; the first waits for it. nil: it doesn't

	arrived          atomic.Int64
	mu               sync.Mutex
	now, most, calls int64
}

func (m *meter) enter(n int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now += n
	m.calls++
	m.most = max(m.most, m.now)
}

func (m *meter) GetRange(ctx context.Context, key string, off, n int64) ([]byte, error) {
	m.enter(n)
	defer m.enter(-n)
	if m.both != nil {
		if m.arrived.Add(1) == 2 {
			close(m.both)
		}
		<-m.both
	}
	return m.Bucket.GetRange(ctx, key, off, n)
}

func (m *meter) Put(ctx context.Context, key string, pieces ...[]byte) error {
	var n int64
	for _, p := range pieces {
		n += int64(len(p))
	}
	m.enter(n)
	defer m.enter(-n)
	return m.Bucket.Put(ctx, key, pieces...)
}

// Invariants 8 and 10: a restore tells how far it is, and holds no more in
// memory than it may, however many files it fetches at once.
func TestRestoreProgressAndBound(t *testing.T) {
	w := newWorkload(81)
	bucket, m := checkpointed(t, w)
	largest := slices.MaxFunc(m.Files, func(a, b state.File) int { return int(a.Size - b.Size) }).Size
	far := &meter{Bucket: bucket}
	var told []int64
	o := state.RestoreOptions{Parallel: 8, FlightBytes: largest + 1, Progress: func(done, total int64) {
		if total != m.SizeBytes() {
			t.Errorf("%d bytes in all, want %d", total, m.SizeBytes())
		}
		told = append(told, done)
	}}
	if err := state.RestoreWith(t.Context(), far, prefix, m, "r", newMemShared(t), o); err != nil {
		t.Fatal(err)
	}
	if far.most > largest+1 {
		t.Errorf("%d bytes in flight, at most %d may be", far.most, largest+1)
	}
	if !slices.IsSorted(told) || told[0] != 0 || told[len(told)-1] != m.SizeBytes() {
		t.Errorf("progress %v of %d", told, m.SizeBytes())
	}
	// A bound below the size of any file makes them go one at a time.
	one := &meter{Bucket: bucket}
	if err := state.RestoreWith(t.Context(), one, prefix, m, "one", newMemShared(t), state.RestoreOptions{Parallel: 8, FlightBytes: 1}); err != nil {
		t.Fatal(err)
	}
	if one.most > largest {
		t.Errorf("%d bytes in flight, one file at a time has at most %d", one.most, largest)
	}
	if err := state.RestoreWith(t.Context(), bucket, prefix, m, "x", newMemShared(t), state.RestoreOptions{Parallel: -1}); err == nil {
		t.Error("-1 files at once are accepted")
	}
}

// Files are fetched at the same time: the first call waits for the second.
func TestRestoreIsParallel(t *testing.T) {
	bucket, m := checkpointed(t, newWorkload(82))
	far := &meter{Bucket: bucket, both: make(chan struct{})}
	if err := state.Restore(t.Context(), far, prefix, m, "r", newMemShared(t)); err != nil {
		t.Error(err)
	}
}

// What is wrong is named: the manifest, the file, and the object.
func TestCorruptFileIsNamed(t *testing.T) {
	bucket, m := checkpointed(t, newWorkload(83))
	at := slices.IndexFunc(m.Files, func(f state.File) bool { return immutableTable(f.Name) })
	f := m.Files[at]
	for what, damage := range map[string]func() error{
		"is missing":  func() error { return bucket.Delete(t.Context(), prefix+"/files/"+f.Object()) },
		"has 3 bytes": func() error { return bucket.Put(t.Context(), prefix+"/files/"+f.Object(), []byte("bad")) },
	} {
		if err := damage(); err != nil {
			t.Fatal(err)
		}
		sh := newMemShared(t)
		err := state.Restore(t.Context(), bucket, prefix, m, "r", sh)
		var corrupt *state.CorruptError
		if !errors.As(err, &corrupt) || corrupt.File != f.Name || corrupt.Manifest != prefix+"/"+manifestKey(m) ||
			corrupt.Path != prefix+"/files/"+f.Object() || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", what, err)
		}
		if left, err := sh.FS().List(""); err != nil || len(left) > 0 {
			t.Errorf("left behind: %v, %v", left, err)
		}
	}
}

// Replace keeps what was there, and keeps it in its place when the checkpoint is bad.
func TestReplace(t *testing.T) {
	w := newWorkload(84)
	bucket, m := checkpointed(t, w)
	sh := newMemShared(t)
	if err := state.Restore(t.Context(), bucket, prefix, m, "d/2", sh); err != nil {
		t.Fatal(err)
	}
	aside, err := state.Replace(t.Context(), bucket, prefix, m, "d/2", "a test", sh, state.RestoreOptions{})
	if err != nil || aside != "d/2.aside-1" {
		t.Fatalf("aside %q, %v", aside, err)
	}
	noFaults(t, sh, "d/2")
	noFaults(t, sh, aside)
	if aside, err = state.Replace(t.Context(), bucket, prefix, m, "new", "a test", sh, state.RestoreOptions{}); err != nil || aside != "" {
		t.Errorf("aside %q, %v", aside, err)
	}
	if err := bucket.Delete(t.Context(), prefix+"/files/"+m.Files[slices.IndexFunc(m.Files, func(f state.File) bool { return f.Size > 0 })].Object()); err != nil {
		t.Fatal(err)
	}
	var corrupt *state.CorruptError
	if aside, err = state.Replace(t.Context(), bucket, prefix, m, "d/2", "a test", sh, state.RestoreOptions{}); aside != "" || !errors.As(err, &corrupt) {
		t.Errorf("aside %q, %v", aside, err)
	}
	noFaults(t, sh, "d/2")
}

// Invariant 7: Prune leaves what Keep says, whole, and no note; a dry run says the same and changes nothing.
func TestPrune(t *testing.T) {
	s := open(t, newMemShared(t), "s")
	w := newWorkload(85)
	bucket := blob.NewMemory()
	o := options()
	o.Keep = 9
	for range 5 {
		for range 6 {
			if err := w.apply(s); err != nil {
				t.Fatal(err)
			}
		}
		if _, _, err := s.Checkpoint(t.Context(), bucket, o); err != nil {
			t.Fatal(err)
		}
	}
	p := state.PruneOptions{Prefix: prefix, Keep: 2, Now: clock, DryRun: true}
	would, err := state.Prune(t.Context(), bucket, p)
	if err != nil || len(would.Manifests) != 3 || len(would.Kept) != 2 || len(would.Files) == 0 || would.Bytes == 0 {
		t.Fatalf("%+v, %v", would, err)
	}
	p.DryRun = false
	did, err := state.Prune(t.Context(), bucket, p)
	if err != nil || !slices.Equal(did.Files, would.Files) || !slices.Equal(did.Manifests, would.Manifests) || did.Bytes != would.Bytes {
		t.Fatalf("%+v, %v; want %+v", did, err, would)
	}
	restorable(t, bucket, w)
	if again, err := state.Prune(t.Context(), bucket, p); err != nil || len(again.Files)+len(again.Manifests) > 0 {
		t.Errorf("again: %+v, %v", again, err)
	}
	var notes []string
	if err := bucket.List(t.Context(), prefix+"/0-", func(o blob.Object) error {
		notes = append(notes, o.Key)
		return nil
	}); err != nil || len(notes) > 0 {
		t.Errorf("notes %q, %v", notes, err)
	}
	p.Keep = 0
	if _, err := state.Prune(t.Context(), bucket, p); err == nil {
		t.Error("nothing is to be kept, and that is accepted")
	}
}
