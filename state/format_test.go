package state_test

import (
	"errors"
	"maps"
	"os"
	"regexp"
	"testing"

	"github.com/tidemark-io/tidemark/lake/blob"
	"github.com/tidemark-io/tidemark/state"
)

// oldCut is the cut in testdata/v1; FORMAT.md says how that was made.
func oldCut() state.Cut {
	c := base()
	c.Sources[0].Next, c.Journal = 1100, 5
	c.Counters.Consumed, c.Counters.Aggregated, c.Counters.Duplicate = 1070, 970, 10
	c.Counters.Outputs[0].Missed = 1
	return c
}

var oldContents = map[string]string{
	"\x12":                  "meta",
	string(windowKey(2, 0)): "window two",
	string(dedupKey(2, 7)):  "",
}

// old returns a bucket with the bytes of testdata/<version>.
func old(t *testing.T, version string) *blob.Memory {
	t.Helper()
	dir, err := blob.OpenDir("testdata/" + version + "/bucket")
	if err != nil {
		t.Fatal(err)
	}
	bucket := blob.NewMemory()
	if err := dir.List(t.Context(), "", func(o blob.Object) error {
		data, err := dir.Get(t.Context(), o.Key)
		return errors.Join(err, bucket.Put(t.Context(), o.Key, data))
	}); err != nil {
		t.Fatal(err)
	}
	return bucket
}

// Bytes that releases wrote: they can be read, and gone on from.
func TestOldBytes(t *testing.T) {
	for _, version := range []string{"v1", "v2"} {
		t.Run(version, func(t *testing.T) { oldBytes(t, old(t, version)) })
	}
}

func oldBytes(t *testing.T, bucket *blob.Memory) {
	t.Helper()
	names, err := state.Manifests(t.Context(), bucket, prefix)
	if err != nil || len(names) != 1 {
		t.Fatalf("checkpoints %v, %v", names, err)
	}
	m, err := state.LoadManifest(t.Context(), bucket, names[0].Key)
	if err != nil {
		t.Fatal(err)
	}
	want := oldCut()
	if err := state.SameState(&want, &m.Cut); err != nil {
		t.Error(err)
	}
	if got := m.CreatedTime(); !got.Equal(clock()) || len(m.Garbage) != 1 || m.SizeBytes() == 0 {
		t.Errorf("created %v, garbage %v, %d bytes", got, m.Garbage, m.SizeBytes())
	}
	sh := newMemShared(t)
	if err := state.CheckManifest(t.Context(), bucket, prefix, names[0].Key, "scratch", sh, func(f state.Fault) { t.Error(f) }); err != nil {
		t.Error(err)
	}
	if err := state.Restore(t.Context(), bucket, prefix, m, "s", sh); err != nil {
		t.Fatal(err)
	}
	s := open(t, sh, "s")
	if got := contents(t, s); !maps.Equal(got, oldContents) {
		t.Errorf("contents %q", got)
	}
	next := want
	next.Sources[0].Next++
	if err := s.Apply(&next, nil); err != nil {
		t.Error(err)
	}
	if _, stats, err := s.Checkpoint(t.Context(), bucket, options()); err != nil || stats.Collected != 1 {
		t.Errorf("the next checkpoint: %+v, %v", stats, err)
	}
	closeStore(t, s)
	noFaults(t, sh, "s")
}

// What this release writes is what the old bytes are. Sums are Pebble's
// affair, and so the manifest's own with them.
func TestNewBytes(t *testing.T) {
	want, err := os.ReadFile("testdata/v2/bucket/" + prefix + "/00000000000000001100-0000000005-0a1b2c3d4e5f.json")
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, newMemShared(t), "s")
	first, cut := base(), oldCut()
	if err := errors.Join(s.Apply(&first, nil), s.Apply(&cut, nil)); err != nil {
		t.Fatal(err)
	}
	bucket := blob.NewMemory()
	m, _, err := s.Checkpoint(t.Context(), bucket, options())
	if err != nil {
		t.Fatal(err)
	}
	got, err := bucket.Get(t.Context(), prefix+"/"+manifestKey(m))
	if err != nil {
		t.Fatal(err)
	}
	mask := func(b []byte) string {
		b = regexp.MustCompile(`"crc32c":"[0-9a-f]{8}"`).ReplaceAll(b, []byte(`"crc32c":"c"`))
		return string(regexp.MustCompile(`"files":\[\{("name":"[^"]+","size":\d+,"crc32c":"c","sha256":"[0-9a-f]{64}"(,"upload":"[0-9a-f]{16}")?(\},\{)?)+\}\].*`).
			ReplaceAll(b, []byte(`"files":F}}`)))
	}
	if g, w := mask(got), mask(want); g != w {
		t.Errorf("manifest\n%s\nwant\n%s", g, w)
	}
}
