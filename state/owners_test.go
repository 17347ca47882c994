package state_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/tidemark-io/tidemark/lake/blob"
	"github.com/tidemark-io/tidemark/state"
	"github.com/tidemark-io/tidemark/state/statetest"
)

// A process is paused in the middle of a checkpoint, at each of its bucket
// calls in turn, while its successor makes some of its own and collects; then
// it wakes up, and the successor goes on. Nothing that is listed may be
// unrestorable: not the paused one's, whose files the successor has found to be
// garbage, nor the successor's.
func TestPausedOwner(t *testing.T) {
	again := 0
	for at := 1; at > 0; at++ {
		for _, meanwhile := range []int{1, 2, 4} {
			calls, puts := pausedOwner(t, at, meanwhile)
			if t.Failed() {
				t.Fatalf("paused before call %d for %d checkpoints", at, meanwhile)
			}
			if again += puts; calls < at {
				at = -1 // past the last call
				break
			}
		}
	}
	if again == 0 {
		t.Error("no file was ever collected under a paused owner: the test tests less than it says")
	}
}

// pausedOwner returns how many calls the paused checkpoint made, and how many
// files it put twice.
func pausedOwner(t *testing.T, at, meanwhile int) (calls, again int) {
	t.Helper()
	sh := newMemShared(t)
	bucket := blob.NewMemory()
	a, b := open(t, sh, "a/2"), open(t, sh, "b/2")
	paused, successor := newWorkload(41), newWorkload(41)
	step := func(w *workload, s *state.Store, bucket blob.Bucket, n int) {
		t.Helper()
		for range n {
			if err := w.apply(s); err != nil {
				t.Fatal(err)
			}
		}
		o := options()
		o.Keep = 6 // the paused one's stays for a while
		if _, _, err := s.Checkpoint(t.Context(), bucket, o); err != nil {
			t.Fatal(err)
		}
	}
	step(paused, a, bucket, 4)
	step(successor, b, bucket, 7)

	puts := map[string]int{}
	slow := &statetest.Bucket{Bucket: bucket, Hook: serial(func(method, key string) error {
		if sha, _, ok := strings.Cut(strings.TrimPrefix(key, prefix+"/files/"), "-"); ok && method == "put" {
			puts[sha]++
		}
		if calls++; calls == at {
			for range meanwhile {
				step(successor, b, bucket, 2)
			}
		}
		return nil
	})}
	step(paused, a, slow, 1)
	restorable(t, bucket, successor)
	for range 3 {
		step(successor, b, bucket, 1)
		restorable(t, bucket, successor)
	}
	for _, n := range puts {
		again += n - 1
	}
	return calls, again
}

// Each bucket call of some checkpoints fails, in turn, before or after it was
// done. The error is returned, whatever is listed can be restored, and the
// next checkpoint succeeds.
func TestBucketFails(t *testing.T) {
	for at := 1; ; at++ {
		for _, done := range []bool{false, true} {
			calls, failed := bucketFails(t, at, done)
			if t.Failed() {
				t.Fatalf("call %d, done %t", at, done)
			}
			if !failed {
				t.Logf("%d calls", calls)
				return
			}
		}
	}
}

var errBucket = errors.New("bucket does not answer")

func bucketFails(t *testing.T, at int, done bool) (calls int, failed bool) {
	t.Helper()
	sh := newMemShared(t)
	s := open(t, sh, "s")
	w := newWorkload(43)
	memory := blob.NewMemory()
	bucket := &statetest.Bucket{Bucket: memory}
	var mu sync.Mutex
	bucket.Hook = func(method, key string) error {
		mu.Lock()
		defer mu.Unlock()
		if calls++; calls != at {
			return nil
		}
		failed = true
		if done { // the call was made and its answer lost
			if err := perform(t, memory, method, key); err != nil {
				return err
			}
		}
		return errBucket
	}
	for round := range 4 {
		if err := w.apply(s); err != nil {
			t.Fatal(err)
		}
		o := options()
		o.Keep = 2
		_, _, err := s.Checkpoint(t.Context(), bucket, o)
		if err != nil && !errors.Is(err, errBucket) {
			t.Errorf("round %d: %v", round, err)
		}
		if err != nil {
			restorable(t, memory, w)
			if _, _, err := s.Checkpoint(t.Context(), bucket, o); err != nil {
				t.Errorf("round %d, again: %v", round, err)
			}
		}
	}
	restorable(t, memory, w)
	return calls, failed
}

// perform does what it can of a call whose answer is lost: deletes only, since
// what is put is not known here; TestManifestAnswerLost has the rest.
func perform(t *testing.T, bucket blob.Bucket, method, key string) error {
	if method == "delete" {
		return bucket.Delete(t.Context(), key)
	}
	return nil
}

// lossy loses the answer of one put-if-absent.
type lossy struct {
	blob.Bucket
	lost bool
}

func (b *lossy) PutIfAbsent(ctx context.Context, key string, pieces ...[]byte) error {
	if err := b.Bucket.PutIfAbsent(ctx, key, pieces...); err != nil || b.lost {
		return err
	}
	b.lost = true
	return errBucket
}

// The manifest was put, and the answer lost: the next checkpoint at the same
// cut finds an equal cut, which is success.
func TestManifestAnswerLost(t *testing.T) {
	s := open(t, newMemShared(t), "s")
	w := newWorkload(44)
	bucket := &lossy{Bucket: blob.NewMemory()}
	if err := w.apply(s); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Checkpoint(t.Context(), bucket, options()); !errors.Is(err, errBucket) {
		t.Fatalf("the answer was lost, and the error is %v", err)
	}
	m, stats, err := s.Checkpoint(t.Context(), bucket, options())
	if err != nil || !stats.Existed || stats.FilesUploaded != 0 {
		t.Fatalf("again: %+v, %v", stats, err)
	}
	if err := state.SameState(&m.Cut, &w.cut); err != nil {
		t.Error(err)
	}
	restorable(t, bucket, w)
}

// Two who checkpoint the same cut at the same time, each at every call of the
// other: one puts, the other finds.
func TestSameCutTwice(t *testing.T) {
	for at := 1; ; at++ {
		bucket := blob.NewMemory()
		sh := newMemShared(t)
		wa, wb := newWorkload(45), newWorkload(45)
		a, b := open(t, sh, "a"), open(t, sh, "b")
		if err := errors.Join(wa.apply(a), wb.apply(b), wb.apply(b), wa.apply(a)); err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex
		calls := 0
		var statsB state.CheckpointStats
		between := &statetest.Bucket{Bucket: bucket, Hook: func(string, string) (err error) {
			mu.Lock()
			defer mu.Unlock()
			if calls++; calls == at {
				_, statsB, err = b.Checkpoint(t.Context(), bucket, options())
			}
			return err
		}}
		_, statsA, err := a.Checkpoint(t.Context(), between, options())
		if err != nil {
			t.Fatalf("call %d: %v", at, err)
		}
		if calls < at {
			break
		}
		if statsA.Existed == statsB.Existed {
			t.Errorf("call %d: existed for a %t, for b %t", at, statsA.Existed, statsB.Existed)
		}
		restorable(t, bucket, wa)
	}
}

// The task goes on while its checkpoint is made: what the checkpoint holds is
// one of the cuts, whole.
func TestApplyDuringCheckpoint(t *testing.T) {
	s := open(t, newMemShared(t), "s")
	w := newWorkload(46)
	bucket := blob.NewMemory()
	if err := w.apply(s); err != nil {
		t.Fatal(err)
	}
	stop, done := make(chan struct{}), make(chan error, 1)
	go func() {
		for n := 0; ; n++ {
			select {
			case <-stop:
				done <- nil
				return
			default:
			}
			if n < 2000 {
				if err := w.apply(s); err != nil {
					done <- err
					return
				}
			}
		}
	}()
	for range 8 {
		if _, _, err := s.Checkpoint(t.Context(), bucket, options()); err != nil {
			t.Error(err)
		}
		if s.SizeBytes() == 0 {
			t.Error("the store has no size")
		}
	}
	close(stop)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	w.verify(t, s)
	restorable(t, bucket, w)
	if n, err := state.Manifests(t.Context(), bucket, prefix); err != nil || len(n) == 0 {
		t.Errorf("%d checkpoints, %v", len(n), err)
	}
}
