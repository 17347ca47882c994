package state_test

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/tidemark-io/tidemark/state"
	"github.com/tidemark-io/tidemark/state/statetest"
)

func readAll(t testing.TB, fs state.FS, path string) []byte {
	t.Helper()
	f, err := fs.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(f)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	return data
}

func writeAll(t testing.TB, fs state.FS, path string, data []byte) {
	t.Helper()
	f, err := fs.Create(path, vfs.WriteCategoryUnspecified)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Write(slices.Clone(data))
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
}

// files returns the contents of all files in dir.
func files(t testing.TB, fs state.FS, dir string) map[string][]byte {
	t.Helper()
	names, err := fs.List(dir)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]byte{}
	for _, name := range names {
		all[name] = readAll(t, fs, dir+"/"+name)
	}
	return all
}

// damagedCopy makes a file system that has the files in dir "s", one of them altered.
func damagedCopy(t testing.TB, all map[string][]byte, name string, alter func([]byte) []byte) state.FS {
	t.Helper()
	fs := statetest.NewMem()
	if err := fs.MkdirAll("s", 0o755); err != nil {
		t.Fatal(err)
	}
	for n, data := range all {
		if n == name {
			if data = alter(slices.Clone(data)); data == nil {
				continue
			}
		}
		writeAll(t, fs, "s/"+n, data)
	}
	return fs
}

// closedStore returns the files of a closed store with several tables.
func closedStore(t testing.TB, w *workload) map[string][]byte {
	t.Helper()
	fs := statetest.NewMem()
	sh := newShared(t, fs)
	for range 6 { // a table each, and a compaction
		s := open(t, sh, "s")
		for range 15 {
			if err := w.apply(s); err != nil {
				t.Fatal(err)
			}
		}
		closeStore(t, s)
	}
	return files(t, fs, "s")
}

// Whatever byte is wrong: the error is a *CorruptError, or nothing is missing.
// Never a panic, other contents, or an empty store.
func TestDamage(t *testing.T) {
	w := newWorkload(21)
	w.small = true // Pebble searches a bad block for the bit, in quadratic time
	all := closedStore(t, w)
	rng := rand.New(rand.NewPCG(21, 0))
	found := map[string]int{}
	for name, data := range all {
		damage := map[string]func([]byte) []byte{
			"removed": func([]byte) []byte { return nil },
		}
		if len(data) > 0 {
			damage["emptied"] = func([]byte) []byte { return []byte{} }
			damage["doubled"] = func(b []byte) []byte { return append(b, b...) }
		}
		for i := range tries(name, len(data)) {
			at, bit := rng.IntN(len(data)), byte(1)<<rng.IntN(8)
			switch {
			case strings.HasPrefix(name, "MANIFEST"):
				at = min(6*i+i%6, len(data)-1) // all over it: a bad record may read as the end of the file
			case i < 6:
				at = len(data) - 1 - i // the footer
			}
			damage[fmt.Sprintf("bit %02x at %d of %d", bit, at, len(data))] = func(b []byte) []byte { b[at] ^= bit; return b }
			damage[fmt.Sprintf("cut at %d of %d", at, len(data))] = func(b []byte) []byte { return b[:at] }
		}
		for what, alter := range damage {
			kind, _, _ := strings.Cut(strings.TrimLeft(name, "0123456789"), "-")
			found[kind+" "+damageFound(t, w, damagedCopy(t, all, name, alter), name+" "+what)]++
		}
	}
	t.Logf("%v", found)
	if found[".sst corrupt"] == 0 || found["MANIFEST corrupt"] == 0 {
		t.Error("no damage was noticed")
	}
}

// tries is how many places of a file are damaged.
func tries(name string, size int) int {
	switch {
	case size == 0:
		return 0
	case strings.HasPrefix(name, "MANIFEST"):
		return size / 6
	}
	return 15
}

// damageFound opens the damaged store and reads it.
func damageFound(t *testing.T, w *workload, fs state.FS, what string) string {
	t.Helper()
	sh, err := state.NewShared(state.SharedOptions{FS: fs, CacheBytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	faults := 0
	said := func(text string) {
		if strings.Contains(text, "<corruption") || strings.Contains(text, "\n") {
			t.Errorf("%s: not for people: %q", what, text)
		}
	}
	check := func(f state.Fault) {
		faults++
		said(f.String())
	}
	if err := state.Check("s", sh, check); err != nil {
		t.Errorf("%s: check: %v", what, err)
	}
	got := map[string]string{}
	s, err := state.Open("s", sh)
	if err == nil {
		err = s.Scan(nil, nil, func(k, v []byte) error { got[string(k)] = string(v); return nil })
		if err != nil {
			said(err.Error())
		}
		if err == nil {
			if steps := w.verify(t, s); steps == 0 {
				t.Errorf("%s: the store is empty", what)
			}
		}
		cerr := s.Close()
		if err == nil {
			err = cerr
		}
	}
	if err := sh.Close(); err != nil {
		t.Error(err)
	}
	var corrupt *state.CorruptError
	switch {
	case err == nil && faults == 0:
		return "harmless"
	case err == nil:
		return "found by Check only"
	case !errors.As(err, &corrupt):
		t.Errorf("%s: not a *CorruptError: %v", what, err)
	case faults == 0:
		t.Errorf("%s: Check found nothing, Open and Scan: %v", what, err)
	}
	return "corrupt"
}
