package state_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/tidemark-io/tidemark/lake/blob"
	"github.com/tidemark-io/tidemark/state"
)

// Whatever byte of a manifest is altered, it is corrupt: nobody restores from
// it, or counts files that it doesn't name as garbage.
func TestManifestDamage(t *testing.T) {
	bucket, m := checkpointed(t, newWorkload(71))
	key := prefix + "/" + manifestKey(m)
	data, err := bucket.Get(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	for at := range data {
		for _, bit := range []byte{1, 0x20} {
			bad := slices.Clone(data)
			bad[at] ^= bit
			corrupt(t, bucket, key, bad, m, fmt.Sprintf("bit %02x of byte %d, %q", bit, at, data[max(0, at-5):min(len(data), at+5)]))
		}
		if at < len(data)-1 { // the last byte is a line feed
			corrupt(t, bucket, key, data[:at], m, fmt.Sprintf("cut at %d", at))
		}
		if t.Failed() {
			break
		}
	}
}

// corrupt fails the test unless the manifest is corrupt, or means the same:
// the case of a JSON name doesn't matter.
func corrupt(t *testing.T, bucket blob.Bucket, key string, data []byte, was *state.Manifest, what string) {
	t.Helper()
	if err := bucket.Put(t.Context(), key, data); err != nil {
		t.Fatal(err)
	}
	m, err := state.LoadManifest(t.Context(), bucket, key)
	var corrupt *state.CorruptError
	if !errors.As(err, &corrupt) && (err != nil || !reflect.DeepEqual(m, was)) {
		t.Errorf("%s: %v", what, err)
	}
}

func manifestKey(m *state.Manifest) string {
	return fmt.Sprintf("%020d-%010d-%s.json", m.Cut.Sources[0].Next, m.Cut.Journal, m.Cut.Fingerprint)
}

// FuzzManifest: a manifest is input. Any bytes are a manifest that holds or an
// error.
func FuzzManifest(f *testing.F) {
	f.Add([]byte(`{"crc32c":"be43dd74","manifest":{"version":3}}`))
	f.Add([]byte(`{"crc32c":"00000000","manifest":null}`))
	f.Add([]byte(`{"crc32c":"","manifest":{"version":1,"cut":{"version":1,"sources":[{}]},"files":[{}]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		bucket := blob.NewMemory()
		key := prefix + "/00000000000000000000-0000000000-0.json"
		if err := bucket.Put(t.Context(), key, data); err != nil {
			t.Fatal(err)
		}
		m, err := state.LoadManifest(t.Context(), bucket, key)
		if err == nil {
			err = m.Validate()
		}
		var corrupt *state.CorruptError
		if err != nil && !errors.As(err, &corrupt) && !errors.Is(err, state.ErrNewerVersion) {
			t.Errorf("%q: %v", data, err)
		}
	})
}

// Names sort as cuts do, and what is no manifest's name is passed over.
func TestManifestNames(t *testing.T) {
	bucket := blob.NewMemory()
	for _, name := range []string{
		"00000000000000000009-0000000000-abc.json", "00000000000000000010-0000000000-abc.json",
		"00000000000000000010-0000000002-abc.json", "09223372036854775807-9999999999-abc.json",
		"00000000000000000010.00000000000000000005-0000000010-abc.json",
		// and these are not:
		"00000000000000000010-0000000000-abc", "0000000000000000010-0000000000-abc.json", "00000000000000000010-0-abc.json",
		"00000000000000000010-0000000000-.json", "09223372036854775808-0000000000-abc.json", "0-0-0.json",
		"000000000000000000+1-0000000000-abc.json", "files/00", "00000000000000000010-0000000000-abc.json/x",
	} {
		if err := bucket.Put(t.Context(), prefix+"/"+name, nil); err != nil {
			t.Fatal(err)
		}
	}
	names, err := state.Manifests(t.Context(), bucket, prefix)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, n := range names {
		got = append(got, fmt.Sprint(n.Next, " ", n.Journal, " ", n.Fingerprint))
	}
	want := []string{"[9223372036854775807] 9999999999 abc", "[10 5] 10 abc", "[10] 2 abc", "[10] 0 abc", "[9] 0 abc"}
	if !slices.Equal(got, want) {
		t.Errorf("names %q, want %q", got, want)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	if _, err := state.NewShared(state.SharedOptions{CacheBytes: 1, MemTableBytes: 1 << 40, OpenFilesMax: 1}); err == nil {
		t.Error("shared options that can't be are accepted")
	}
	s := open(t, newMemShared(t), "s")
	w := newWorkload(1)
	if err := w.apply(s); err != nil {
		t.Fatal(err)
	}
	for name, o := range map[string]state.CheckpointOptions{
		"no clock": {Prefix: prefix}, "no prefix": {Now: clock}, "negative": {Prefix: prefix, Now: clock, Keep: -1, Parallel: -1},
	} {
		if _, _, err := s.Checkpoint(t.Context(), blob.NewMemory(), o); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// Manifests of two tasks at the same offsets have the same name: one in the other's place is told by what it says.
func TestManifestOfAnotherTask(t *testing.T) {
	s := open(t, newMemShared(t), "s")
	w := newWorkload(3)
	if err := w.apply(s); err != nil {
		t.Fatal(err)
	}
	bucket := blob.NewMemory()
	m, _, err := s.Checkpoint(t.Context(), bucket, options())
	if err != nil {
		t.Fatal(err)
	}
	data, err := bucket.Get(t.Context(), prefix+"/"+manifestKey(m))
	if err != nil {
		t.Fatal(err)
	}
	other := "checkpoints/flights/3/" + manifestKey(m)
	if err := bucket.Put(t.Context(), other, data); err != nil {
		t.Fatal(err)
	}
	var corrupt *state.CorruptError
	if _, err := state.LoadManifest(t.Context(), bucket, other); !errors.As(err, &corrupt) || corrupt.Path != other {
		t.Errorf("a manifest of task 2 among those of task 3: %v", err)
	}
}
