package kafka_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func wanted(from, to int) []string {
	var all []string
	for i := from; i < to; i++ {
		all = append(all, fmt.Sprint(i))
	}
	return all
}

// A loop that is torn down at random points, committed or not, publishes each record exactly once (invariants 1, 3 and 5).
func TestExactlyOnceLoop(t *testing.T) {
	const records = 400
	onEach(t, func(t *testing.T, c *cluster) {
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		rng := rand.New(rand.NewPCG(seed, 1))
		in, out := c.topic(t, "in", 2), c.topic(t, "out", 2)
		c.fill(t, in, 0, 0, records)
		c.fill(t, in, 1, 0, records)
		w := c.worker(t, c.name(t, "group"), "a", in, out).open(t)
		for done := false; !done; {
			must(t, w.step(context.Background(), 1+rng.IntN(60)))
			switch rng.IntN(6) {
			case 0: // the process dies with a transaction open
				w.again(t)
			case 1, 2, 3:
				must(t, w.commit(context.Background()))
				done = w.at(0) == records && w.at(1) == records
			}
			if w.at(0) == records && w.at(1) == records && !done {
				must(t, w.commit(context.Background()))
				done = true
			}
		}
		for p := range int32(2) {
			if got := c.values(t, out, p); !slices.Equal(got, wanted(0, records)) {
				t.Errorf("partition %d holds %d records, want each of %d once, in order", p, len(got), records)
			}
		}
		committed, err := c.admin.Committed(context.Background(), w.o.Group, in)
		must(t, err)
		for p := range int32(2) {
			if at := committed[p]; at.Next != records || at.Metadata != "cut" {
				t.Errorf("committed for partition %d: %+v", p, at)
			}
		}
		if c.real != nil {
			seen := strings.Fields(c.real.ConsoleConsumer(t, out))
			slices.SortFunc(seen, func(a, b string) int { return len(a) - len(b) })
			if len(seen) != 2*records {
				t.Errorf("Kafka's console consumer, read_committed, sees %d records, want %d", len(seen), 2*records)
			}
		}
	})
}

// A decision is committed without a record polled since the last commit: offsets and metadata reach
// the broker, and the journal record with them (invariant 3, L5).
func TestCommitWithoutPolling(t *testing.T) {
	onEach(t, func(t *testing.T, c *cluster) {
		ctx := context.Background()
		in, out := c.topic(t, "in", 1), c.topic(t, "out", 1)
		w := c.worker(t, c.name(t, "group"), "a", in, out).open(t).settle(t)
		for i, metadata := range []string{"one", "two"} {
			w.session.Produce(ctx, record(out, metadata))
			cut := w.cut()
			cut[0].Metadata = metadata
			must(t, w.session.Commit(ctx, cut))
			c.committed(t, w, 0, 0, metadata)
			if got := c.values(t, out, 0); len(got) != i+1 {
				t.Errorf("journal holds %q", got)
			}
		}
		// Offsets alone, and then offsets below what was polled.
		must(t, w.session.Commit(ctx, cutAt(0, "three")))
		c.committed(t, w, 0, 0, "three")
		c.fill(t, in, 0, 0, 20)
		w.copyTo(t, 0, 20)
		must(t, w.session.Commit(ctx, cutAt(7, "four")))
		c.committed(t, w, 0, 7, "four")
		// Reading goes on where it was, not at what was committed.
		c.fill(t, in, 0, 20, 30)
		w.copyTo(t, 0, 30)
		must(t, w.commit(ctx))
		if got := c.values(t, out, 0); !slices.Equal(got[2:], wanted(0, 30)) {
			t.Errorf("out holds %q", got)
		}
		if n := w.assignments(); n != 1 {
			t.Errorf("%d assignments in one session (invariant 2)", n)
		}
	})
}
