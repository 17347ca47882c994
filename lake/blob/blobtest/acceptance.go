package blobtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/tidemark-io/tidemark/lake/blob"
)

// Acceptance runs the suite that every bucket passes; open gives a new, empty
// bucket, and the numbers are those of the invariants in package blob.
func Acceptance(t *testing.T, open func() blob.Bucket) {
	for _, c := range []struct {
		name string
		run  func(*testing.T, blob.Bucket)
	}{
		{"PutGet", putGet},
		{"Put replaces", putReplaces},
		{"PutIfAbsent keeps the first (invariant 2)", putIfAbsentKeeps},
		{"PutIfAbsent concurrent (invariant 2)", putIfAbsentRace},
		{"Large objects (invariants 1 and 2)", large},
		{"Put concurrent is never torn (invariant 1)", putConcurrent},
		{"GetRange", getRange},
		{"List", list},
		{"List order", listOrder},
		{"List stops at an error", listStops},
		{"List of many pages", listPages},
		{"Every byte that a key may have", oddKeys},
		{"Delete", deleteObject},
		{"Absent", absent},
		{"Bytes are not shared", notShared},
		{"Invalid keys (invariant 5)", invalidKeys},
		{"Cancelled context", cancelled},
		{"Cancelled on the way", cancelledOnTheWay},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, open()) })
	}
}

func putGet(t *testing.T, b blob.Bucket) {
	big := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	for key, pieces := range map[string][][]byte{
		"empty":                      nil,
		"one/piece":                  {[]byte("hello")},
		"dt=2013-01-05/hr=07/many":   {[]byte("a"), nil, []byte("bc"), {}, []byte("d")},
		"big":                        {big, big[:5]},
		"a-~!@$%&'()+,;=[]^_`{}.#/x": {{0, 0xff, '\n'}},
	} {
		must(t, b.PutIfAbsent(t.Context(), key, pieces...))
		want(t, b, key, slices.Concat(pieces...))
	}
}

func putReplaces(t *testing.T, b blob.Bucket) {
	for _, text := range []string{"a long first value", "second", ""} {
		must(t, b.Put(t.Context(), "k/e/y", []byte(text)))
		want(t, b, "k/e/y", []byte(text))
	}
}

func putIfAbsentKeeps(t *testing.T, b blob.Bucket) {
	must(t, b.PutIfAbsent(t.Context(), "x/first", []byte("first")))
	for range 2 {
		if err := b.PutIfAbsent(t.Context(), "x/first", []byte("second")); !errors.Is(err, blob.ErrExists) {
			t.Fatalf("a second put if absent: %v, want ErrExists", err)
		}
		want(t, b, "x/first", []byte("first"))
	}
	must(t, b.Delete(t.Context(), "x/first"))
	must(t, b.PutIfAbsent(t.Context(), "x/first", []byte("third")))
	want(t, b, "x/first", []byte("third"))
}

// putIfAbsentRace lets many writers race for each of many keys, in directories
// that do not exist yet.
func putIfAbsentRace(t *testing.T, b blob.Bucket) {
	const writers, keys = 20, 5
	for k := range keys {
		key := fmt.Sprintf("race/%d/entry", k)
		errs := make([]error, writers)
		start := make(chan struct{})
		var wg sync.WaitGroup
		for w := range writers {
			wg.Go(func() {
				<-start
				errs[w] = b.PutIfAbsent(t.Context(), key, []byte(fmt.Sprintf("writer %d", w)))
			})
		}
		close(start)
		wg.Wait()
		winner := slices.Index(errs, nil)
		for w, err := range errs {
			if w != winner && !errors.Is(err, blob.ErrExists) {
				t.Errorf("key %d: writer %d: %v, want ErrExists (writer %d won)", k, w, err, winner)
			}
		}
		if winner < 0 {
			t.Fatalf("key %d: nobody won", k)
		}
		want(t, b, key, []byte(fmt.Sprintf("writer %d", winner)))
	}
}

func putConcurrent(t *testing.T, b blob.Bucket) {
	value := func(w int) []byte { return bytes.Repeat([]byte{byte('a' + w)}, 100_000+w) }
	must(t, b.Put(t.Context(), "same", value(0)))
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for range 5 {
				if err := b.Put(t.Context(), "same", value(w)); err != nil {
					t.Errorf("put: %v", err)
				}
				got, err := b.Get(t.Context(), "same")
				if err != nil || len(got) == 0 || !bytes.Equal(got, value(int(got[0]-'a'))) {
					t.Errorf("read of %d bytes is torn (%v)", len(got), err)
				}
			}
		})
	}
	wg.Wait()
}

func getRange(t *testing.T, b blob.Bucket) {
	must(t, b.Put(t.Context(), "r", []byte("0123456789")))
	for _, c := range []struct {
		off, n int64
		want   string
	}{
		{0, 10, "0123456789"}, {0, 0, ""}, {3, 4, "3456"}, {9, 1, "9"},
		{8, 100, "89"}, {10, 5, ""}, {1000, 5, ""}, {0, 1 << 50, "0123456789"},
	} {
		got, err := b.GetRange(t.Context(), "r", c.off, c.n)
		if err != nil || string(got) != c.want {
			t.Errorf("range of %d at %d: %q, %v, want %q", c.n, c.off, got, err, c.want)
		}
	}
	for _, c := range [][2]int64{{-1, 5}, {0, -1}} {
		if _, err := b.GetRange(t.Context(), "r", c[0], c[1]); err == nil {
			t.Errorf("range of %d at %d: no error", c[1], c[0])
		}
	}
}

func list(t *testing.T, b blob.Bucket) {
	for _, key := range []string{"raw/a/1", "raw/a/2", "raw/a-b/1", "raw/ab", "raw/a/sub/x", "other/1"} {
		must(t, b.PutIfAbsent(t.Context(), key, []byte(key)))
	}
	for prefix, wanted := range map[string]string{
		"":          "other/1 raw/a-b/1 raw/a/1 raw/a/2 raw/a/sub/x raw/ab",
		"raw/a":     "raw/a-b/1 raw/a/1 raw/a/2 raw/a/sub/x raw/ab",
		"raw/a/":    "raw/a/1 raw/a/2 raw/a/sub/x",
		"raw/a/1":   "raw/a/1",
		"raw/a/s":   "raw/a/sub/x",
		"raw/none":  "",
		"none/at/a": "",
		"raw/ab/":   "",
	} {
		if got := keys(t, b, prefix); got != wanted {
			t.Errorf("list %q: %s, want %s", prefix, got, wanted)
		}
	}
}

func listOrder(t *testing.T, b blob.Bucket) {
	var wanted []string
	for _, key := range []string{"d/a", "d/a-", "d/a.b", "d/a0", "d/b/c", "d/b-c", "d/b!/c", "d/Z", "d/~", "d/b0/a/b"} {
		must(t, b.Put(t.Context(), key, []byte("x")))
		wanted = append(wanted, key)
	}
	slices.Sort(wanted)
	if got := keys(t, b, "d/"); got != strings.Join(wanted, " ") {
		t.Errorf("listed as  %s\nin order is %s", got, strings.Join(wanted, " "))
	}
}

func listStops(t *testing.T, b blob.Bucket) {
	for i := range 5 {
		must(t, b.Put(t.Context(), fmt.Sprintf("s/%d", i), nil))
	}
	enough, seen := errors.New("enough"), 0
	err := b.List(t.Context(), "s/", func(blob.Object) error {
		if seen++; seen == 2 {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) || seen != 2 {
		t.Errorf("after %d objects: %v, want the callback's error after 2", seen, err)
	}
}

func deleteObject(t *testing.T, b blob.Bucket) {
	must(t, b.Put(t.Context(), "a/b/c", []byte("x")))
	must(t, b.Delete(t.Context(), "a/b/c"))
	must(t, b.Delete(t.Context(), "a/b/c"))
	must(t, b.Delete(t.Context(), "never/was"))
	if _, err := b.Get(t.Context(), "a/b/c"); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("get after delete: %v", err)
	}
	if got := keys(t, b, ""); got != "" {
		t.Errorf("listed after delete: %s", got)
	}
}

func absent(t *testing.T, b blob.Bucket) {
	must(t, b.Put(t.Context(), "dir/file", []byte("x")))
	for _, key := range []string{"none", "dir", "dir/none", "dir/file/below"} {
		if _, err := b.Get(t.Context(), key); !errors.Is(err, blob.ErrNotFound) {
			t.Errorf("get %s: %v, want ErrNotFound", key, err)
		}
		if _, err := b.GetRange(t.Context(), key, 0, 1); !errors.Is(err, blob.ErrNotFound) {
			t.Errorf("get range of %s: %v, want ErrNotFound", key, err)
		}
	}
}

func notShared(t *testing.T, b blob.Bucket) {
	data := []byte("stable")
	must(t, b.Put(t.Context(), "k", data))
	data[0] = 'X'
	got, err := b.Get(t.Context(), "k")
	must(t, err)
	got[1] = 'Y'
	part, err := b.GetRange(t.Context(), "k", 0, 6)
	must(t, err)
	part[2] = 'Z'
	want(t, b, "k", []byte("stable"))
}

func invalidKeys(t *testing.T, b blob.Bucket) {
	long := strings.Repeat("x", 256)
	for _, key := range []string{
		"", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/../b", "a/..", "./a", ".hidden", "a/.b",
		`a\b`, "a b", "a\x00b", "a\nb", "é", "c:d", "a?b", "a*", long, strings.Repeat("abc/", 300) + "d",
	} {
		for op, err := range map[string]error{
			"put":           b.Put(t.Context(), key, []byte("x")),
			"put if absent": b.PutIfAbsent(t.Context(), key, []byte("x")),
			"get":           second(b.Get(t.Context(), key)),
			"get range":     second(b.GetRange(t.Context(), key, 0, 1)),
			"delete":        b.Delete(t.Context(), key),
		} {
			if !errors.Is(err, blob.ErrInvalidKey) {
				t.Errorf("%s %q: %v, want ErrInvalidKey", op, key, err)
			}
		}
	}
	for _, prefix := range []string{"/", "..", "../", "a/../b", ".tmp/", "a//", `a\`} {
		if err := b.List(t.Context(), prefix, func(blob.Object) error { return nil }); !errors.Is(err, blob.ErrInvalidKey) {
			t.Errorf("list %q: %v, want ErrInvalidKey", prefix, err)
		}
	}
	if got := keys(t, b, ""); got != "" {
		t.Errorf("invalid keys left %s", got)
	}
}

func cancelled(t *testing.T, b blob.Bucket) {
	must(t, b.Put(t.Context(), "k", []byte("x")))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for op, err := range map[string]error{
		"put":           b.Put(ctx, "k", []byte("y")),
		"put if absent": b.PutIfAbsent(ctx, "n", []byte("y")),
		"get":           second(b.Get(ctx, "k")),
		"get range":     second(b.GetRange(ctx, "k", 0, 1)),
		"list":          b.List(ctx, "", func(blob.Object) error { return nil }),
		"delete":        b.Delete(ctx, "k"),
	} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s with a cancelled context: %v", op, err)
		}
	}
	want(t, b, "k", []byte("x"))
}

func keys(t *testing.T, b blob.Bucket, prefix string) string {
	t.Helper()
	var found []string
	must(t, b.List(t.Context(), prefix, func(o blob.Object) error {
		data, err := b.Get(t.Context(), o.Key)
		if err != nil || int64(len(data)) != o.Size {
			t.Errorf("listed %s with %d bytes, it has %d (%v)", o.Key, o.Size, len(data), err)
		}
		found = append(found, o.Key)
		return nil
	}))
	return strings.Join(found, " ")
}

func want(t *testing.T, b blob.Bucket, key string, data []byte) {
	t.Helper()
	got, err := b.Get(t.Context(), key)
	if err != nil {
		t.Fatalf("get %s: %v", key, err)
	}
	if !bytes.Equal(got, data) {
		t.Fatalf("get %s: %d bytes %.40q, want %d bytes %.40q", key, len(got), got, len(data), data)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func second(_ []byte, err error) error { return err }
