package streamtest_test

import (
	"slices"
	"testing"

	"github.com/tidemark-io/tidemark/stream/streamtest"
	"github.com/tidemark-io/tidemark/stream/streamtest/trial"
)

// Laws L2 and L5: a change decision raises the watermark of every partition beyond all windows of before. Events of their times
// that come later are late, though the tasks that get them begin with empty state: no closed window opens again, and the
// reconciler takes them in.
func TestClosedWindowsStayClosedAfterAChange(t *testing.T) {
	w := newWorld(t, fakeBroker(t), trial.Usual())
	log := streamtest.Profile{Seed: 61, Events: 800, Customers: 8, Late: 0.1}.Log()
	w.Produce(log)
	w.Stream()
	w.reconciled()
	before := w.Published()

	w.edit("allowed_lateness: 2m", "allowed_lateness: 4m")
	w.mustChange()
	old := streamtest.Profile{Seed: 62, Events: 800, Customers: 8}.Log()[:80] // of the times where the first log began
	w.Produce(old)
	w.Stream()
	if !trial.SameHistory(before, w.Published()) {
		t.Error("a window of before the change was published by the stream again")
	}
	w.reconciled()
	all := slices.Concat(log, old)
	w.Compare(w.Oracle(all), w.Published())
	if trial.SameHistory(before, w.Published()) {
		t.Error("the late events change nothing: the test shows nothing")
	}
}
