package state_test

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/tidemark-io/tidemark/lake/blob"
	"github.com/tidemark-io/tidemark/state"
)

// clinic is one process with one store, "a", and a bucket that damage is done to.
type clinic struct {
	*desk
	next int64
}

func newClinic(t *testing.T) *clinic {
	return &clinic{desk: &desk{t: t, sh: newMemShared(t), bucket: blob.NewMemory(), stores: map[string]*state.Store{}}, next: 100}
}

// end closes what is open.
func (k *clinic) end() {
	for _, s := range k.stores {
		closeStore(k.t, s)
	}
}

// step brings the store on, and into the bucket.
func (k *clinic) step(keep int) (*state.Manifest, state.CheckpointStats) {
	k.t.Helper()
	k.next += 100
	if err := k.apply("a", k.next, 0, 0); err != nil {
		k.t.Fatal(err)
	}
	o := options()
	o.Keep = keep
	m, stats, err := k.open("a").Checkpoint(k.t.Context(), k.bucket, o)
	if err != nil {
		k.t.Fatal(err)
	}
	return m, stats
}

// flip alters the objects of a checkpoint whose names begin or end as given.
func (k *clinic) flip(m *state.Manifest, part string) (flipped []string) {
	k.t.Helper()
	for _, f := range m.Files {
		if f.Size == 0 || !strings.HasPrefix(f.Name, part) && !strings.HasSuffix(f.Name, part) {
			continue
		}
		key := prefix + "/files/" + f.Object()
		data, err := k.bucket.Get(k.t.Context(), key)
		if err != nil {
			k.t.Fatal(err)
		}
		data = slices.Clone(data)
		data[len(data)/2] ^= 1
		if err := k.bucket.Put(k.t.Context(), key, data); err != nil {
			k.t.Fatal(err)
		}
		flipped = append(flipped, f.Object())
	}
	if len(flipped) == 0 {
		k.t.Fatalf("%s names no %s", short(m), part)
	}
	return flipped
}

// restores says why the checkpoint can't be restored onto an empty disk of a process that knows nothing; nil if it can.
func (k *clinic) restores(m *state.Manifest) error {
	k.t.Helper()
	return state.Restore(k.t.Context(), k.bucket, prefix, m, "s", newMemShared(k.t))
}

func (k *clinic) mustRestore(m *state.Manifest) {
	k.t.Helper()
	if err := k.restores(m); err != nil {
		k.t.Error(err)
	}
}

// A file of a checkpoint is damaged in the bucket. Whoever finds that out puts
// it anew: what he checkpoints from then on can be restored from.
func TestFoundDamageIsNotShared(t *testing.T) {
	for _, part := range []string{"OPTIONS", "MANIFEST", ".sst"} {
		t.Run(part, func(t *testing.T) {
			k := newClinic(t)
			defer k.end()
			k.step(5)
			m, _ := k.step(5)
			damaged := k.flip(m, part)
			var corrupt *state.CorruptError
			if err := state.Restore(t.Context(), k.bucket, prefix, m, "elsewhere", k.sh); !errors.As(err, &corrupt) {
				t.Fatalf("restored from damage: %v", err)
			}
			for range 2 {
				made, _ := k.step(5)
				for _, f := range made.Files {
					if slices.Contains(damaged, f.Object()) && corrupt.Path == prefix+"/files/"+f.Object() {
						t.Errorf("%s names %s of %s again, which was found damaged", short(made), f.Name, short(m))
					}
				}
				if part != ".sst" { // of several tables the restore found only the first
					k.mustRestore(made)
				}
			}
			made, _ := k.step(5)
			k.mustRestore(made)
		})
	}
}

// Nobody has read what is damaged: neither does it get into all the
// checkpoints that are kept. A process that was started again knows no more.
func TestUnfoundDamageIsReadBack(t *testing.T) {
	for _, again := range []bool{false, true} {
		t.Run(fmt.Sprintf("again=%t", again), func(t *testing.T) {
			k := newClinic(t)
			defer k.end()
			k.step(5)
			m, _ := k.step(5)
			for _, part := range []string{"OPTIONS", ".sst"} {
				k.flip(m, part)
			}
			if again {
				closeStore(t, k.open("a"))
				delete(k.stores, "a")
				k.sh = sameDisk(t, k.sh)
			}
			var made *state.Manifest
			for range 4 {
				made, _ = k.step(5)
			}
			k.mustRestore(made)
		})
	}
}

// sameDisk is another process on the same disk.
func sameDisk(t *testing.T, sh *state.Shared) *state.Shared {
	t.Helper()
	return newShared(t, sh.FS())
}

// A damaged checkpoint is none of those that stay, and the last whole one goes
// only when there are others.
func TestDamagedDoNotCount(t *testing.T) {
	k := newClinic(t)
	defer k.end()
	first, _ := k.step(2)
	second, _ := k.step(2)
	k.flip(second, "MANIFEST")
	if err := state.Restore(t.Context(), k.bucket, prefix, second, "elsewhere", k.sh); err == nil {
		t.Fatal("restored from damage")
	}
	third, stats := k.step(2)
	if stats.Pruned != 0 || len(stats.Whole) != 2 {
		t.Errorf("%d pruned, whole are %v", stats.Pruned, stats.Whole)
	}
	k.mustRestore(first)
	k.mustRestore(third)
	if _, stats = k.step(2); stats.Pruned != 2 || len(stats.Whole) != 2 {
		t.Errorf("%d pruned, whole are %v", stats.Pruned, stats.Whole)
	}
	for range 3 { // the damaged object goes with its manifest
		k.step(2)
	}
	for _, f := range second.Files {
		if f.Size > 0 && strings.HasPrefix(f.Name, "MANIFEST") && slices.Contains(k.files(), f.Object()) {
			t.Error("the damaged object is still there")
		}
	}
}

// Prune reads what it is to keep. What it finds damaged a running process puts
// anew at its next checkpoint.
func TestPruneKeepsWholeOnes(t *testing.T) {
	k := newClinic(t)
	defer k.end()
	oldest, _ := k.step(5)
	whole, _ := k.step(5)
	newest, _ := k.step(5)
	key := func(m *state.Manifest) string { return k.key(short(m)) }
	k.flip(newest, "OPTIONS")
	o := state.PruneOptions{Prefix: prefix, Keep: 1, Now: clock}
	p, err := state.Prune(t.Context(), k.bucket, o)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Damaged) != 1 || p.Damaged[0].Key != key(newest) || !slices.Equal(p.Kept, []string{key(whole)}) || p.BytesRead < whole.SizeBytes() {
		t.Errorf("%+v", p)
	}
	if len(p.Manifests) != 1 || path.Base(p.Manifests[0]) != manifestKey(oldest) {
		t.Errorf("deleted %v", p.Manifests)
	}
	k.mustRestore(whole)

	made, _ := k.step(5)
	k.flip(made, ".sst")
	if p, err := state.Prune(t.Context(), k.bucket, o); err == nil { // all checkpoints share that table: it leaves a note, no more
		t.Errorf("with nothing that is whole: %+v", p)
	}
	made, _ = k.step(5)
	k.mustRestore(made)

	for _, n := range k.manifests() {
		m, err := state.LoadManifest(t.Context(), k.bucket, n.Key)
		if err != nil {
			t.Fatal(err)
		}
		k.flip(m, "MANIFEST")
	}
	if p, err := state.Prune(t.Context(), k.bucket, o); err == nil {
		t.Errorf("with nothing that is whole: %+v", p)
	}
}
