package lake_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/tidemark-io/tidemark/lake"
	"github.com/tidemark-io/tidemark/lake/blob"
)

// countingGets counts how often an entry of a log is asked for.
type countingGets struct {
	blob.Bucket
	entries atomic.Int64
}

func (c *countingGets) Get(ctx context.Context, key string) ([]byte, error) {
	if strings.Contains(key, "/_log/") {
		c.entries.Add(1)
	}
	return c.Bucket.Get(ctx, key)
}

// A landing costs the same however many there were before it: whoever opens a lander again and again walks on from where
// the log was last seen to end, also where another writer has moved it on.
func TestOpeningALanderAgainWalksOn(t *testing.T) {
	b := &countingGets{Bucket: blob.NewMemory()}
	topic := openTopic(t, b)
	o := lake.LanderOptions{Now: newClock().Now}
	if end, ok := topic.Landed(3); ok {
		t.Errorf("before anything was seen: %d", end)
	}
	const n = 30
	for i := range int64(n) {
		at := b.entries.Load()
		who := topic
		if i%3 == 2 { // another process lands this one
			who = openTopic(t, b)
			at = -1
		}
		l := openLander(t, who, 3, o)
		if l.Next() != i {
			t.Fatalf("landing %d begins at offset %d", i, l.Next())
		}
		appendAll(t, l, reading(3, i, 1000*i, "x"))
		land(t, l)
		l.Close()
		if gets := b.entries.Load() - at; at >= 0 && gets > 3 {
			t.Errorf("landing %d asked for %d entries", i, gets)
		}
	}
	if end, ok := topic.Landed(3); !ok || end < n-1 {
		t.Errorf("seen up to %d, %v", end, ok)
	}
	if found, _ := readAll(t, b, 3); len(found) != n {
		t.Errorf("%d records in the lake", len(found))
	}
}
