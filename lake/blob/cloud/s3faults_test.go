package cloud_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidemark-io/tidemark/lake/blob"
	"github.com/tidemark-io/tidemark/lake/blob/blobtest/servers"
	"github.com/tidemark-io/tidemark/lake/blob/cloud"
)

// quick are options that let a test fail soon.
func quick() cloud.Options { return cloud.Options{Pause: time.Millisecond, Attempts: 4} }

// harmed is a bucket on a real S3 server with a proxy before it, and the same bucket without.
func harmed(t *testing.T, o cloud.Options) (b, direct blob.Bucket, p *servers.Proxy) {
	url, address := servers.S3At(t)
	direct = open(t, url, cloud.Options{})
	p = servers.NewProxy(t, address)
	t.Setenv("AWS_ENDPOINT_URL", p.URL())
	b = open(t, url, o)
	must(t, b.PutIfAbsent(t.Context(), "first", nil)) // the fence is found to hold
	return b, direct, p
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// once harms the n-th request.
func once(at int, h servers.Harm) func(int, *http.Request) servers.Harm {
	return func(n int, _ *http.Request) servers.Harm {
		if n == at {
			return h
		}
		return servers.Harm{}
	}
}

// TestHarmedOnce (invariants 1 and 2): whatever befalls one request, the call succeeds, and what it put is there once.
func TestHarmedOnce(t *testing.T) {
	b, direct, p := harmed(t, quick())
	big := bytes.Repeat([]byte("0123456789abcdef"), 66<<16) // 66 MiB, in nine parts
	i := 0
	for name, h := range map[string]servers.Harm{
		"dropped": {Drop: true}, "answer lost": {Lose: true}, "answer cut": {Half: true}, "503": {Status: 503}, "500": {Status: 500}, "429": {Status: 429},
	} {
		t.Run(name, func(t *testing.T) {
			for at := 1; at <= 2; at++ {
				i++
				key, data := fmt.Sprintf("k/%d", i), []byte(fmt.Sprintf("value %d", i))
				p.Harms(once(at, h))
				must(t, b.PutIfAbsent(t.Context(), key, data[:3], data[3:]))
				is(t, direct, key, data)
				p.Harms(once(at, h))
				if err := b.PutIfAbsent(t.Context(), key, []byte("other")); !errors.Is(err, blob.ErrExists) {
					t.Errorf("another value: %v, want ErrExists", err)
				}
				p.Harms(once(at, h))
				is(t, b, key, data)
				p.Harms(once(at, h))
				must(t, b.Put(t.Context(), key, data, data))
				is(t, direct, key, append(data, data...))
				p.Harms(once(at, h))
				if got := listed(t, b, key); got != key {
					t.Errorf("listed %q", got)
				}
				p.Harms(once(at, h))
				must(t, b.Delete(t.Context(), key))
				if _, err := b.Get(t.Context(), key); !errors.Is(err, blob.ErrNotFound) {
					t.Errorf("after delete: %v", err)
				}
			}
		})
	}
	for _, at := range []int{1, 4, 11} { // it is begun, a part, it is completed
		p.Harms(once(at, servers.Harm{Lose: true}))
		must(t, b.Put(t.Context(), "big", big))
		is(t, direct, "big", big)
	}
}

func is(t testing.TB, b blob.Bucket, key string, want []byte) {
	t.Helper()
	got, err := b.Get(t.Context(), key)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s: %d bytes %.20q (%v), want %d bytes %.20q", key, len(got), got, err, len(want), want)
	}
}

func listed(t testing.TB, b blob.Bucket, prefix string) string {
	t.Helper()
	var keys []string
	must(t, b.List(t.Context(), prefix, func(o blob.Object) error {
		keys = append(keys, o.Key)
		return nil
	}))
	return strings.Join(keys, " ")
}

// TestStoreIsIll (invariants 1 and 4): a store that stays ill is an error that says so, after as many attempts as are allowed
// and never ErrNotFound or ErrExists; and nothing has changed.
func TestStoreIsIll(t *testing.T) {
	var mu sync.Mutex
	results := map[string]int{}
	o := quick()
	o.Patience = 300 * time.Millisecond
	o.Observe = func(r cloud.Request) {
		mu.Lock()
		defer mu.Unlock()
		results[r.Op+" "+r.Result]++
	}
	b, direct, p := harmed(t, o)
	must(t, direct.Put(t.Context(), "there", []byte("x")))
	for _, c := range []struct {
		harm     servers.Harm
		hint     string
		requests int
		result   string
	}{
		{servers.Harm{Status: 503}, "503", 4, "busy"},
		{servers.Harm{Status: 507}, "full", 1, "full"},
		{servers.Harm{Status: 403}, "credentials", 1, "denied"},
		{servers.Harm{Drop: true}, "no answer", 4, "lost"},
		{servers.Harm{Wait: time.Minute}, "no answer in 300ms", 4, "lost"},
		{servers.Harm{Status: 404}, "404", 1, "not-found"},
	} {
		p.Harms(func(int, *http.Request) servers.Harm { return c.harm })
		clear(results)
		for op, err := range map[string]error{
			"put":           b.Put(t.Context(), "new", []byte("x")),
			"put-if-absent": b.PutIfAbsent(t.Context(), "new", []byte("x")),
			"get":           second(b.Get(t.Context(), "there")),
			"list":          b.List(t.Context(), "", func(blob.Object) error { return nil }),
		} {
			if err == nil || !strings.Contains(err.Error(), c.hint) || !strings.Contains(err.Error(), "s3://tidemark-test") ||
				errors.Is(err, blob.ErrExists) || errors.Is(err, blob.ErrNotFound) != (c.harm.Status == 404 && op == "get") {
				t.Errorf("%+v: %s: %v, want a hint at %q", c.harm, op, err, c.hint)
			}
			want := c.result
			if c.harm.Status == 404 && op != "get" {
				want = "failed" // it is the bucket that isn't there
			}
			if n := results[op+" "+want]; n != c.requests {
				t.Errorf("%+v: %s: %d requests, want %d (%v)", c.harm, op, n, c.requests, results)
			}
		}
	}
	p.Harms(func(int, *http.Request) servers.Harm { return servers.Harm{} })
	if got := listed(t, b, ""); got != "first there" {
		t.Errorf("there are %s", got)
	}
}

func second(_ []byte, err error) error { return err }

// TestGivenUp: a caller's cancellation ends a call at once, and is what the error says.
func TestGivenUp(t *testing.T) {
	b, _, p := harmed(t, cloud.Options{})
	p.Harms(func(int, *http.Request) servers.Harm { return servers.Harm{Status: 503} })
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := b.Put(ctx, "k", nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v, want the context's error", err)
	}
}

// TestNoFence (invariant 3): a server that ignores If-None-Match is refused before anything is put.
func TestNoFence(t *testing.T) {
	url, address := servers.S3At(t)
	p := servers.NewProxy(t, address)
	p.Harms(func(int, *http.Request) servers.Harm { return servers.Harm{Deaf: true} })
	t.Setenv("AWS_ENDPOINT_URL", p.URL())
	b := open(t, below(t, url, "unfenced"), quick())
	err := b.PutIfAbsent(t.Context(), "k", []byte("x"))
	if err == nil || !strings.Contains(err.Error(), "can't be used") || !strings.Contains(err.Error(), "If-None-Match") {
		t.Errorf("put if absent: %v, want a refusal", err)
	}
	if got := listed(t, b, ""); got != "" {
		t.Errorf("there are %s", got)
	}
}
