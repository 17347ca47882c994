package blobtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/tidemark-io/tidemark/lake/blob"
)

// largeBytes is more than the clouds' clients send in one request.
const largeBytes = 20 << 20

// large puts what has to be cut into parts on its way, also against the same of another writer.
func large(t *testing.T, b blob.Bucket) {
	data := noise(largeBytes)
	half := len(data) / 2
	must(t, b.Put(t.Context(), "large/put", data[:half], data[half:]))
	want(t, b, "large/put", data)
	got, err := b.GetRange(t.Context(), "large/put", int64(half)-3, 7)
	must(t, err)
	if !bytes.Equal(got, data[half-3:half+4]) {
		t.Errorf("range across the pieces: %x, want %x", got, data[half-3:half+4])
	}

	const writers = 3
	errs := make([]error, writers)
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			errs[w] = b.PutIfAbsent(t.Context(), "large/absent", []byte{byte(w)}, data)
		})
	}
	wg.Wait()
	winner := slices.Index(errs, nil)
	if winner < 0 {
		t.Fatalf("nobody won: %v", errs)
	}
	for w, err := range errs {
		if w != winner && !errors.Is(err, blob.ErrExists) {
			t.Errorf("writer %d: %v, want ErrExists (writer %d won)", w, err, winner)
		}
	}
	want(t, b, "large/absent", append([]byte{byte(winner)}, data...))
}

// noise is text that no compression on the way makes small.
func noise(n int) []byte {
	var seed [32]byte
	data := make([]byte, n)
	if _, err := rand.NewChaCha8(seed).Read(data); err != nil {
		panic(err) // it never fails
	}
	return data
}

// listPages lists more objects than any server gives at once.
func listPages(t *testing.T, b blob.Bucket) {
	const n, writers = 1100, 16
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := w; i < n; i += writers {
				if err := b.Put(t.Context(), fmt.Sprintf("many/%d/%d", i%7, i), []byte("x")); err != nil {
					t.Errorf("put: %v", err)
				}
			}
		})
	}
	wg.Wait()
	var found []string
	must(t, b.List(t.Context(), "many/", func(o blob.Object) error {
		found = append(found, o.Key)
		return nil
	}))
	if len(found) != n || !slices.IsSorted(found) || len(slices.Compact(found)) != n {
		t.Errorf("%d objects listed, in order %t, want %d", len(found), slices.IsSorted(found), n)
	}
}

// oddKeys uses each byte that ValidateKey allows, alone and in doubles, and the longest segment.
func oddKeys(t *testing.T, b blob.Bucket) {
	var wanted []string
	put := func(key string) {
		must(t, b.PutIfAbsent(t.Context(), key, []byte(key)))
		want(t, b, key, []byte(key))
		wanted = append(wanted, key)
	}
	for c := byte('!'); c < 0x7f; c++ {
		if one := "odd/" + string(c); blob.ValidateKey(one) == nil {
			put(one)
			put("odd2/" + string([]byte{'a', c, c, 'b'}) + "/x")
		}
	}
	for _, key := range []string{"odd3/%2F", "odd3/a../b", "odd3/__0x2f__", "odd3/__0x25__", "odd3/a%20b+c", "odd3/&amp;", "odd3/<", "odd3/" + string(bytes.Repeat([]byte("n"), 200))} {
		if blob.ValidateKey(key) == nil {
			put(key)
		}
	}
	slices.Sort(wanted)
	var found []string
	must(t, b.List(t.Context(), "odd", func(o blob.Object) error {
		found = append(found, o.Key)
		return nil
	}))
	if !slices.Equal(found, wanted) {
		t.Errorf("listed  %q\nwere put %q", found, wanted)
	}
	for _, key := range wanted {
		must(t, b.Delete(t.Context(), key))
	}
	if got := keys(t, b, "odd"); got != "" {
		t.Errorf("not deleted: %s", got)
	}
}

// cancelledOnTheWay ends a listing by its context: the error says so, and the bucket goes on working.
func cancelledOnTheWay(t *testing.T, b blob.Bucket) {
	for i := range 3 {
		must(t, b.Put(t.Context(), fmt.Sprintf("c/%d", i), []byte("x")))
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	seen := 0
	err := b.List(ctx, "c/", func(blob.Object) error {
		seen++
		cancel()
		return nil
	})
	if !errors.Is(err, context.Canceled) || seen != 1 {
		t.Errorf("after %d objects: %v, want Canceled after 1", seen, err)
	}
	want(t, b, "c/1", []byte("x"))
}
