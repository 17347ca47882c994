package state_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/tidemark-io/tidemark/lake/blob"
	"github.com/tidemark-io/tidemark/state"
)

// keyCount is the size of the benchmarks' state and of one commit: 100,000
// accumulators, of 33 and 40 bytes.
const keyCount = 100_000

type bench struct {
	s     *state.Store
	cut   state.Cut
	key   []byte
	value []byte
	rng   *rand.Rand
}

func newBench(b *testing.B, fs state.FS) *bench {
	b.Helper()
	sh, err := state.NewShared(state.SharedOptions{FS: fs})
	if err != nil {
		b.Fatal(err)
	}
	s, err := state.Open(filepath.Join(b.TempDir(), "2"), sh)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := s.Close(); err != nil {
			b.Error(err)
		}
		if err := sh.Close(); err != nil {
			b.Error(err)
		}
	})
	return &bench{s: s, cut: firstCut(), key: make([]byte, 33), value: make([]byte, 40), rng: rand.New(rand.NewPCG(1, 1))}
}

// commit writes n keys of the state.
func (x *bench) commit(b *testing.B, n int) {
	x.cut.Sources[0].Next++
	err := x.s.Apply(&x.cut, func(w state.Batch) error {
		for i := range n {
			if n < keyCount {
				i = x.rng.IntN(keyCount)
			}
			x.set(i)
			if err := w.Set(x.key, x.value); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
}

// set makes the key of group i, and some value.
func (x *bench) set(i int) {
	x.key[0] = 0x10
	binary.BigEndian.PutUint64(x.key[11:], uint64(i)*0x9e3779b97f4a7c15)
	binary.BigEndian.PutUint64(x.value, x.rng.Uint64())
	binary.BigEndian.PutUint64(x.value[8:], uint64(x.cut.Sources[0].Next))
}

func perKey(b *testing.B, n int) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/key")
}

// BenchmarkApply commits all 100,000 keys at once, on the disk.
func BenchmarkApply(b *testing.B) {
	x := newBench(b, nil)
	b.ReportAllocs()
	for b.Loop() {
		x.commit(b, keyCount)
	}
	perKey(b, keyCount)
}

// BenchmarkApplySmall commits 1,000 of them.
func BenchmarkApplySmall(b *testing.B) {
	x := newBench(b, nil)
	x.commit(b, keyCount)
	b.ReportAllocs()
	for b.Loop() {
		x.commit(b, 1000)
	}
	perKey(b, 1000)
}

// BenchmarkGet reads keys that are there, in random order.
func BenchmarkGet(b *testing.B) {
	x := newBench(b, nil)
	x.commit(b, keyCount)
	b.ReportAllocs()
	for b.Loop() {
		x.set(x.rng.IntN(keyCount))
		if _, ok, err := x.s.Get(x.key); !ok || err != nil {
			b.Fatal(ok, err)
		}
	}
}

// BenchmarkGetAbsent asks for identities that are new, which most are.
func BenchmarkGetAbsent(b *testing.B) {
	x := newBench(b, nil)
	x.commit(b, keyCount)
	if _, _, err := x.s.Checkpoint(b.Context(), blob.NewMemory(), options()); err != nil { // so that tables are asked
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		x.set(keyCount + x.rng.IntN(1<<30))
		if _, ok, err := x.s.Get(x.key); ok || err != nil {
			b.Fatal(ok, err)
		}
	}
}

// BenchmarkCheckpoint makes a checkpoint after 1,000 changes to a state of
// 100,000 keys, disk to disk.
func BenchmarkCheckpoint(b *testing.B) {
	x := newBench(b, nil)
	bucket, err := blob.OpenDir(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	x.commit(b, keyCount)
	var all, put int64
	for b.Loop() {
		b.StopTimer()
		x.commit(b, 1000)
		b.StartTimer()
		_, stats, err := x.s.Checkpoint(b.Context(), bucket, options())
		if err != nil {
			b.Fatal(err)
		}
		all, put = all+stats.Bytes, put+stats.BytesUploaded
	}
	b.ReportMetric(float64(all)/float64(b.N), "B/state")
	b.ReportMetric(float64(put)/float64(b.N), "B/uploaded")
}

// BenchmarkRestore restores 100,000 keys, disk to disk.
func BenchmarkRestore(b *testing.B) {
	x := newBench(b, nil)
	bucket, err := blob.OpenDir(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	x.commit(b, keyCount)
	m, _, err := x.s.Checkpoint(b.Context(), bucket, options())
	if err != nil {
		b.Fatal(err)
	}
	sh := newShared(b, nil)
	for n := 0; b.Loop(); n++ {
		if err := state.Restore(b.Context(), bucket, prefix, m, filepath.Join(b.TempDir(), "r"), sh); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkOpen opens and closes a store of 100,000 keys.
func BenchmarkOpen(b *testing.B) {
	x := newBench(b, nil)
	x.commit(b, keyCount)
	dir := x.s.Dir()
	if err := x.s.Close(); err != nil {
		b.Fatal(err)
	}
	sh := newShared(b, nil)
	for b.Loop() {
		s, err := state.Open(dir, sh)
		if err != nil {
			b.Fatal(err)
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// slowBucket answers after a while, as one far away does.
type slowBucket struct {
	blob.Bucket
	wait time.Duration
}

func (s slowBucket) Put(ctx context.Context, key string, p ...[]byte) error {
	time.Sleep(s.wait)
	return s.Bucket.Put(ctx, key, p...)
}

func (s slowBucket) GetRange(ctx context.Context, key string, off, n int64) ([]byte, error) {
	time.Sleep(s.wait)
	return s.Bucket.GetRange(ctx, key, off, n)
}

// BenchmarkFar uploads and restores a state of about 64 MB, with a bucket that takes 30 ms a call, one file at a time
// and several.
func BenchmarkFar(b *testing.B) {
	x := newBench(b, nil)
	x.value = make([]byte, 600)
	for i := range 60 {
		for j := range x.value {
			x.value[j] = byte(x.rng.Uint64())
		}
		x.cut.Sources[0].Next++
		err := x.s.Apply(&x.cut, func(w state.Batch) error {
			for n := range 2000 {
				x.set(i*2000 + n)
				for j := 16; j < len(x.value); j += 8 {
					binary.BigEndian.PutUint64(x.value[j:], x.rng.Uint64())
				}
				if err := w.Set(x.key, x.value); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	for _, parallel := range []int{1, 4, 16} {
		far := slowBucket{blob.NewMemory(), 30 * time.Millisecond}
		var m *state.Manifest
		b.Run(fmt.Sprintf("upload/parallel=%d", parallel), func(b *testing.B) {
			for b.Loop() {
				far.Bucket = blob.NewMemory()
				o := options()
				o.Parallel = parallel
				var err error
				if m, _, err = x.s.Checkpoint(b.Context(), far, o); err != nil {
					b.Fatal(err)
				}
				b.SetBytes(m.SizeBytes())
			}
		})
		b.Run(fmt.Sprintf("restore/parallel=%d", parallel), func(b *testing.B) {
			sh, err := state.NewShared(state.SharedOptions{})
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(m.SizeBytes())
			dir := b.TempDir()
			n := 0
			for b.Loop() {
				n++
				err := state.RestoreWith(b.Context(), far, prefix, m, filepath.Join(dir, fmt.Sprint(n)), sh, state.RestoreOptions{Parallel: parallel})
				if err != nil {
					b.Fatal(err)
				}
			}
			if err := sh.Close(); err != nil {
				b.Error(err)
			}
			b.ReportMetric(float64(len(m.Files)), "files")
		})
	}
}
