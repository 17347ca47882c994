package kafka_test

import (
	"testing"
	"time"

	"github.com/tidemark-io/tidemark/stream/kafka"
)

// Commits of offsets alone may follow each other at once: a transaction whose markers are still being written is waited for, and
// doesn't end the session.
func TestOffsetsInARow(t *testing.T) {
	onEach(t, func(t *testing.T, c *cluster) {
		ctx := t.Context()
		in, out := c.topic(t, "in", 2), c.topic(t, "out", 2)
		c.fill(t, in, 0, 0, 100)
		w := c.worker(t, c.name(t, "group"), "a", in, out).open(t)
		for w.at(0) < 0 || w.at(1) < 0 {
			if _, err := w.session.Poll(ctx, 1); err != nil {
				t.Fatal(err)
			}
		}
		began := time.Now()
		for i := range int64(60) {
			if i%7 == 6 { // and behind one that published something
				w.session.Produce(ctx, record(out, "x"))
			}
			if err := w.session.Commit(ctx, []kafka.Commit{{Partition: 0, Next: i, LeaderEpoch: -1}, {Partition: 1, LeaderEpoch: -1}}); err != nil {
				t.Fatalf("commit %d: %v", i, err)
			}
		}
		t.Logf("60 commits in %s", time.Since(began))
	})
}
