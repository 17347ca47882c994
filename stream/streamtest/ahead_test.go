package streamtest_test

import (
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidemark-io/tidemark/stream"
	"github.com/tidemark-io/tidemark/stream/streamtest/trial"
)

// State is applied only when the broker has confirmed the transaction: after commits that fail it lies at a committed cut, and
// the next session goes on from it. A state that were ahead would be set aside and built anew, and nothing else would show.
func TestFailedCommitsLeaveNoStateAhead(t *testing.T) {
	var fail atomic.Int64
	set := trial.Settings{PollMax: 40, Commit: time.Millisecond, Checkpoint: time.Hour, Roll: "1m", Partitions: 4}
	w := newWorld(t, failing(t, &fail), set)
	w.Produce(small(53).Log())
	o := w.Options("a")
	before, rebuilds := int64(0), int64(0)
	o.Observe = func(s stream.Status) {
		if done := s.Commits["committed"]; done >= before+2 && s.Rebuilds < 3 && fail.Load() == 0 {
			before = done
			fail.Store(1)
		}
		rebuilds = s.Rebuilds
	}
	if _, err := stream.Run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if rebuilds < 2 {
		t.Fatalf("%d sessions failed: too few", rebuilds)
	}
	aside, err := filepath.Glob(filepath.Join(w.Dir, "state", "*", "*.aside-*"))
	must(t, err)
	all, err := filepath.Glob(filepath.Join(w.Dir, "state", "*", "*"))
	must(t, err)
	if len(aside) > 0 || len(all) == 0 {
		t.Errorf("set aside: %v of %v", aside, all)
	}
}
