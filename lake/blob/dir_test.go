package blob

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestDirFaults fails every single file operation of a put in turn (invariants
// 1 and 4): the error is reported, the object is whole or absent, and
// repeating the call on a healthy disk ends well.
func TestDirFaults(t *testing.T) {
	const key = "a/b/c"
	puts := map[string]func(*Dir, []byte) error{
		"put":           func(d *Dir, v []byte) error { return d.Put(t.Context(), key, v) },
		"put if absent": func(d *Dir, v []byte) error { return d.PutIfAbsent(t.Context(), key, v) },
	}
	for name, put := range puts {
		faults := 0
		for n := 1; ; n++ {
			d, trace := traced(t, t.TempDir())
			trace.failAt = n
			err := put(d, []byte("value"))
			if len(trace.ops) < n {
				break
			}
			faults++
			if !errors.Is(err, errDisk) {
				t.Errorf("%s, fault at %q: %v, want the fault", name, trace.ops[n-1], err)
			}
			got, err := d.Get(t.Context(), key)
			if !errors.Is(err, ErrNotFound) && (err != nil || string(got) != "value") {
				t.Errorf("%s, fault at %q: left %q, %v", name, trace.ops[n-1], got, err)
			}
			trace.failAt = 0
			if err := put(d, []byte("value")); err != nil && !errors.Is(err, ErrExists) {
				t.Errorf("%s, fault at %q: repeated: %v", name, trace.ops[n-1], err)
			}
			if got, err := d.Get(t.Context(), key); err != nil || string(got) != "value" {
				t.Errorf("%s, fault at %q: then %q, %v", name, trace.ops[n-1], got, err)
			}
		}
		if faults < 10 {
			t.Errorf("%s: only %d operations were failed", name, faults)
		}
	}
}

// TestDirLeftovers: what a crash left is never listed or read (invariant 6),
// goes once it is old, and what may belong to a live process stays.
func TestDirLeftovers(t *testing.T) {
	dir := t.TempDir()
	d, _ := traced(t, dir)
	if err := d.Put(t.Context(), "k", []byte("v")); err != nil {
		t.Fatal(err)
	}
	old, live := filepath.Join(dir, tempDir, "OLD"), filepath.Join(dir, tempDir, "LIVE")
	for _, name := range []string{old, live} {
		if err := os.WriteFile(name, []byte("half"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	before := time.Now().Add(-2 * leftoverAge)
	if err := os.Chtimes(old, before, before); err != nil {
		t.Fatal(err)
	}
	d, _ = traced(t, dir)
	if got := listed(t, d); got != "k" {
		t.Errorf("listed %q", got)
	}
	if err := d.Put(t.Context(), "k2", nil); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(old); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("an old leftover stayed: %v", err)
	}
	if _, err := os.Stat(live); err != nil {
		t.Errorf("a live temporary file went: %v", err)
	}
	if got := listed(t, d); got != "k k2" {
		t.Errorf("listed %q", got)
	}
	names, err := os.ReadDir(filepath.Join(dir, tempDir))
	if err != nil || len(names) != 1 {
		t.Errorf("%d temporary files are left, want the live one (%v)", len(names), err)
	}
}

// TestDirEscape: neither a key nor a link planted inside leads outside
// (invariant 5).
func TestDirEscape(t *testing.T) {
	outside, dir := t.TempDir(), t.TempDir()
	secret := filepath.Join(outside, "secret")
	if err := os.WriteFile(secret, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{"file": secret, "dir": outside, "up": "../.."} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	d, _ := traced(t, dir)
	for _, key := range []string{"file", "dir/secret", "up/x"} {
		if data, err := d.Get(t.Context(), key); err == nil {
			t.Errorf("get %s reached outside: %q", key, data)
		}
	}
	for _, key := range []string{"dir/new", "dir/sub/new", "up/new"} {
		if err := d.Put(t.Context(), key, []byte("x")); err == nil {
			t.Errorf("put %s reached outside", key)
		}
		if err := d.PutIfAbsent(t.Context(), key, []byte("x")); err == nil {
			t.Errorf("put %s if absent reached outside", key)
		}
	}
	if err := d.Put(t.Context(), "file", []byte("mine")); err != nil {
		t.Errorf("put over a planted link: %v", err)
	}
	if data, err := os.ReadFile(secret); err != nil || string(data) != "secret" {
		t.Errorf("the file outside is %q (%v)", data, err)
	}
	if names, err := os.ReadDir(outside); err != nil || len(names) != 1 {
		t.Errorf("%d names outside, want 1 (%v)", len(names), err)
	}
	if got := listed(t, d); got != "file" {
		t.Errorf("listed %q", got)
	}
}

// TestDirForeignFiles: what somebody else left in the directory is no object.
func TestDirForeignFiles(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"has space", ".hidden", "a:b", "fine"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	d, _ := traced(t, dir)
	if got := listed(t, d); got != "fine" {
		t.Errorf("listed %q", got)
	}
}

// TestDirRemovedBelow: a directory that an operator removed comes back.
func TestDirRemovedBelow(t *testing.T) {
	dir := t.TempDir()
	d, _ := traced(t, dir)
	for i := range 3 {
		err := d.PutIfAbsent(t.Context(), "a/b/c", []byte("x"))
		if i == 1 && err == nil || i != 1 && err != nil {
			t.Errorf("put %d: %v", i, err)
		}
		if i == 0 {
			if err := os.RemoveAll(filepath.Join(dir, "a")); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestDirNameTakenByDirectory(t *testing.T) {
	d, _ := traced(t, t.TempDir())
	if err := d.Put(t.Context(), "a/b", nil); err != nil {
		t.Fatal(err)
	}
	err := d.PutIfAbsent(t.Context(), "a", nil)
	if err == nil || errors.Is(err, ErrExists) || !strings.Contains(err.Error(), "directory") {
		t.Errorf("put over a directory: %v", err)
	}
}

func TestOpen(t *testing.T) {
	base := t.TempDir()
	for url, path := range map[string]string{
		"file://./lake":                    filepath.Join(base, "lake"),
		"file://./deep/er/lake":            filepath.Join(base, "deep/er/lake"),
		"file://../" + filepath.Base(base): base,
		"file://" + base + "/abs":          filepath.Join(base, "abs"),
		"file://./with%20space":            filepath.Join(base, "with space"),
	} {
		b, err := Open(t.Context(), url, base)
		if err != nil {
			t.Errorf("open %s: %v", url, err)
			continue
		}
		if err := b.Put(t.Context(), "probe", []byte(url)); err != nil {
			t.Error(err)
		}
		if got, err := os.ReadFile(filepath.Join(path, "probe")); err != nil || !bytes.Equal(got, []byte(url)) {
			t.Errorf("open %s is not %s: %v", url, path, err)
		}
	}
	if b, err := Open(t.Context(), "mem://x", base); err != nil || b.Put(t.Context(), "k", nil) != nil {
		t.Errorf("mem://: %v", err)
	}
	for url, hint := range map[string]string{
		"s3://bucket/prefix": "lake/blob/cloud", "gs://b": "lake/blob/cloud", "azblob://b": "lake/blob/cloud",
		"ftp://x": "unknown scheme", "./lake": "file://./lake", "": "no URL", "file://lake": "file://./lake",
		"file://./100%": "%25", "file://": "file://./",
	} {
		if _, err := Open(t.Context(), url, base); err == nil || !strings.Contains(err.Error(), hint) {
			t.Errorf("open %q: %v, want a hint at %q", url, err, hint)
		}
	}
}

func TestEncodeName(t *testing.T) {
	for name, segment := range map[string]string{
		"flights": "flights", "a.b-c_D9": "a.b-c_D9", ".hidden": "%2Ehidden", "..": "%2E.", "a/b": "a%2Fb",
		"a b": "a%20b", "é": "%C3%A9", "100%": "100%25", "\x00\xff": "%00%FF", "*": "%2A",
	} {
		got := EncodeName(name)
		if got != segment || ValidateKey(got) != nil {
			t.Errorf("EncodeName(%q) = %q, want %q", name, got, segment)
		}
		if back, err := DecodeName(got); err != nil || back != name {
			t.Errorf("DecodeName(%q) = %q, %v", got, back, err)
		}
	}
	for _, segment := range []string{"%", "%2", "%zz", "%2f", "%41", ".x", "a b"} {
		if name, err := DecodeName(segment); err == nil {
			t.Errorf("DecodeName(%q) = %q, want an error", segment, name)
		}
	}
}

func listed(t *testing.T, b Bucket) string {
	t.Helper()
	var keys []string
	if err := b.List(t.Context(), "", func(o Object) error { keys = append(keys, o.Key); return nil }); err != nil {
		t.Fatal(err)
	}
	return strings.Join(keys, " ")
}

func ExampleEncodeName() {
	fmt.Println("raw/" + EncodeName("orders/eu v2") + "/_topic.json")
	// Output: raw/orders%2Feu%20v2/_topic.json
}
