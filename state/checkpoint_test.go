package state_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/tidemark-io/tidemark/lake/blob"
	"github.com/tidemark-io/tidemark/state"
	"github.com/tidemark-io/tidemark/state/statetest"
)

// desk runs the scripts in testdata/checkpoints: stores by name, one bucket.
type desk struct {
	t      *testing.T
	sh     *state.Shared
	bucket *blob.Memory
	stores map[string]*state.Store
}

// Invariants 5 to 9: what is kept, what goes, who wins.
func TestCheckpoints(t *testing.T) {
	datadriven.Walk(t, "testdata/checkpoints", func(t *testing.T, path string) {
		sh, err := state.NewShared(state.SharedOptions{FS: statetest.NewMem(), CacheBytes: 1 << 20})
		if err != nil {
			t.Fatal(err)
		}
		k := &desk{t: t, sh: sh, bucket: blob.NewMemory(), stores: map[string]*state.Store{}}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			k.t = t
			out, err := k.run(d)
			if err != nil {
				out += errorLine(err)
			}
			return out
		})
		for _, s := range k.stores {
			closeStore(t, s)
		}
		if err := sh.Close(); err != nil {
			t.Error(err)
		}
	})
}

// sums are not ours to promise: Pebble's next release writes other tables.
var sums = regexp.MustCompile(`\b([0-9a-f]{64}(-[0-9a-f]{16})?|[0-9a-f]{8}|\d+ bytes|want \d+|\d{6}[.]sst)\b`)

// errorLine says of which of the kinds an error is that callers tell apart.
func errorLine(err error) string {
	var corrupt *state.CorruptError
	switch {
	case errors.As(err, &corrupt):
		return fmt.Sprintf("CORRUPT %v\n", sums.ReplaceAllString(err.Error(), "<sum>"))
	case errors.Is(err, state.ErrNewerVersion):
		return fmt.Sprintf("NEWER %v\n", err)
	case errors.Is(err, state.ErrNotEmpty):
		return fmt.Sprintf("NOT EMPTY %v\n", err)
	}
	return fmt.Sprintf("error %v\n", err)
}

func (k *desk) run(d *datadriven.TestData) (string, error) {
	name, next, keep, journal, late := "a", 0, 3, 0, 0
	d.MaybeScanArgs(k.t, "store", &name)
	d.MaybeScanArgs(k.t, "next", &next)
	d.MaybeScanArgs(k.t, "journal", &journal)
	d.MaybeScanArgs(k.t, "keep", &keep)
	d.MaybeScanArgs(k.t, "late", &late)
	switch d.Cmd {
	case "apply":
		return "", k.apply(name, int64(next), int64(journal), int64(late))
	case "checkpoint":
		o := options()
		o.Keep = keep
		before := k.named()
		m, stats, err := k.open(name).Checkpoint(k.t.Context(), k.bucket, o)
		if err != nil {
			return "", err
		}
		verb := "put"
		if stats.Existed {
			verb = "existed"
		}
		k.referenced(m, before)
		return fmt.Sprintf("%s %s, pruned %d\n", verb, short(m), stats.Pruned), nil
	case "ls":
		return k.list(), nil
	case "damage":
		return "", k.damage(d.CmdArgs[0].Key, d.CmdArgs[1].Key, d.Input)
	case "restore":
		return k.restore(name, d.CmdArgs[0].Key)
	case "aside":
		closeStore(k.t, k.open(name))
		delete(k.stores, name)
		return state.SetAside("dir/"+name, "a test", k.sh)
	}
	d.Fatalf(k.t, "unknown command")
	return "", nil
}

func (k *desk) open(name string) *state.Store {
	if k.stores[name] == nil {
		s, err := state.Open("dir/"+name, k.sh)
		if err != nil {
			k.t.Fatal(err)
		}
		k.stores[name] = s
	}
	return k.stores[name]
}

// apply brings the store to a cut whose state says the cut.
func (k *desk) apply(name string, next, journal, late int64) error {
	cut := firstCut()
	cut.Sources[0].Next, cut.Journal = next, journal
	cut.Counters.Consumed, cut.Counters.Aggregated = next, next-late
	cut.Counters.Late = late
	return k.open(name).Apply(&cut, func(b state.Batch) error {
		return errors.Join(b.Set(windowKey(1, 0), fmt.Append(nil, next)), b.Set(windowKey(next, 0), noise(next)))
	})
}

// noise doesn't compress, so that tables of one commit have one size.
func noise(seed int64) []byte {
	b := make([]byte, 2000)
	rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)}).Read(b)
	return b
}

func short(m *state.Manifest) string {
	return fmt.Sprintf("%d-%d", m.Cut.Sources[0].Next, m.Cut.Journal)
}

func (k *desk) manifests() []state.ManifestName {
	names, err := state.Manifests(k.t.Context(), k.bucket, prefix)
	if err != nil {
		k.t.Fatal(err)
	}
	return names
}

func (k *desk) key(cut string) string {
	for _, n := range k.manifests() {
		if fmt.Sprintf("%d-%d", n.Next[0], n.Journal) == cut {
			return n.Key
		}
	}
	k.t.Fatalf("no checkpoint %s", cut)
	return ""
}

func (k *desk) list() string {
	var b strings.Builder
	for _, n := range k.manifests() {
		fmt.Fprintf(&b, "%d-%d", n.Next[0], n.Journal)
		if _, err := state.LoadManifest(k.t.Context(), k.bucket, n.Key); err != nil {
			b.WriteString(" " + errorLine(err)[:6])
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// named returns the contents that valid manifests name, and fails the test
// unless they are there.
func (k *desk) named() map[string]bool {
	set := map[string]bool{}
	for _, n := range k.manifests() {
		m, err := state.LoadManifest(k.t.Context(), k.bucket, n.Key)
		if err != nil {
			continue
		}
		for _, f := range m.Files {
			set[f.Object()] = true
		}
	}
	return set
}

// referenced fails the test unless every file that the new manifest names is
// there, and every one that no manifest names is named as garbage by the new
// one, or had a name until this checkpoint pruned its manifest.
func (k *desk) referenced(made *state.Manifest, before map[string]bool) {
	for _, f := range made.Files {
		if slices.Contains(slices.Concat(made.Garbage, made.Condemned), f.Object()) {
			k.t.Errorf("checkpoint %s takes its own %s for garbage", short(made), f.Name)
		}
		if _, err := k.bucket.Get(k.t.Context(), prefix+"/files/"+f.Object()); err != nil && f.Size > 0 {
			k.t.Errorf("checkpoint %s names %s: %v", short(made), f.Name, err)
		}
	}
	known := k.named()
	maps.Copy(known, before)
	for _, g := range slices.Concat(made.Garbage, made.Condemned) {
		known[g] = true
	}
	for _, sha := range k.files() {
		if !known[sha] {
			k.t.Errorf("after checkpoint %s nobody knows of file %s", short(made), sha)
		}
	}
}

func (k *desk) files() []string {
	var list []string
	if err := k.bucket.List(k.t.Context(), prefix+"/files/", func(o blob.Object) error {
		list = append(list, strings.TrimPrefix(o.Key, prefix+"/files/"))
		return nil
	}); err != nil {
		k.t.Fatal(err)
	}
	return list
}

func (k *desk) damage(cut, how, input string) error {
	key := k.key(cut)
	data, err := k.bucket.Get(k.t.Context(), key)
	if err != nil {
		return err
	}
	m, err := state.LoadManifest(k.t.Context(), k.bucket, key)
	if err != nil {
		return err
	}
	var table state.File
	for _, f := range m.Files {
		if strings.HasSuffix(f.Name, ".sst") {
			table = f
		}
	}
	file := prefix + "/files/" + table.Object()
	switch how {
	case "flip":
		data[len(data)/2] ^= 1
		return k.bucket.Put(k.t.Context(), key, data)
	case "replace":
		return k.bucket.Put(k.t.Context(), key, []byte(input))
	case "lose-table":
		return k.bucket.Delete(k.t.Context(), file)
	case "cut-table":
		return k.bucket.Put(k.t.Context(), file, make([]byte, table.Size-1))
	case "change-table":
		return k.bucket.Put(k.t.Context(), file, make([]byte, table.Size))
	case "rename":
		return k.bucket.Put(k.t.Context(), strings.Replace(key, "-0000000000-", "-0000000009-", 1), data)
	}
	return fmt.Errorf("no way %q to damage", how)
}

// restore puts a checkpoint into the place of the store.
func (k *desk) restore(name, cut string) (string, error) {
	if s := k.stores[name]; s != nil {
		closeStore(k.t, s)
		delete(k.stores, name)
	}
	m, err := state.LoadManifest(k.t.Context(), k.bucket, k.key(cut))
	if err != nil {
		return "", err
	}
	if err := state.Restore(k.t.Context(), k.bucket, prefix, m, "dir/"+name, k.sh); err != nil {
		return "", err
	}
	s := k.open(name)
	v, _, err := s.Get(windowKey(1, 0))
	return fmt.Sprintf("cut %d, state %s\n", mustCut(k.t, s).Sources[0].Next, v), err
}
