package streamtest_test

import (
	"fmt"
	"testing"

	"github.com/tidemark-io/tidemark/reconcile"
	"github.com/tidemark-io/tidemark/stream/streamtest"
	"github.com/tidemark-io/tidemark/stream/streamtest/trial"
)

// profiles are logs with everything that goes wrong in real ones; the seed is in the name.
func profiles() []streamtest.Profile {
	return []streamtest.Profile{
		{Seed: 1, Events: 3000, Customers: 12},
		{Seed: 2, Events: 3000, Customers: 12, Late: 0.1, Duplicates: 0.05},
		{Seed: 3, Events: 2000, Customers: 3, Late: 0.1, Duplicates: 0.1, Conflicts: 0.05, Invalid: 0.03},
		{Seed: 4, Events: 2000, Customers: 40, Late: 0.05, Duplicates: 0.02, FarFuture: 2, Gaps: 3},
		{Seed: 5, Events: 5, Customers: 2},
	}
}

// TestStreamPlusCorrectionsIsBatchTruth proves L1 and L3 end to end: over the embedded broker, what the stream published
// plus what the reconciler corrected equals the oracle, for every window that the watermark has passed.
func TestStreamPlusCorrectionsIsBatchTruth(t *testing.T) {
	for _, p := range profiles() {
		t.Run(fmt.Sprintf("seed=%d", p.Seed), func(t *testing.T) {
			w := newWorld(t, fakeBroker(t), trial.Usual())
			proveTruth(t, w, p.Log(), p)
		})
	}
}

func proveTruth(t *testing.T, w *world, log []streamtest.Message, p streamtest.Profile) {
	t.Helper()
	w.Produce(log)
	sum := w.Stream()
	if !sum.Balanced() || sum.Counters.Consumed != int64(len(log)) {
		t.Fatalf("accounting %+v of %d records", sum.Counters, len(log))
	}
	if p.Late > 0 && sum.Counters.Late == 0 || p.Duplicates > 0 && sum.Counters.Duplicate == 0 || p.Invalid > 0 && sum.Counters.Invalid == 0 {
		t.Fatalf("the log does not test what it should: %+v", sum.Counters)
	}
	w.CheckLake("orders", int64(len(log)))

	proveCorrected(t, w, log, p.Late > 0)
}

// proveCorrected reconciles and holds the result against the oracle; a second reconcile must find nothing to do.
func proveCorrected(t *testing.T, w *world, log []streamtest.Message, late bool) {
	t.Helper()
	truth := w.Oracle(log)
	streamed := w.Published()
	for win, history := range streamed {
		if len(history) != 1 {
			t.Errorf("%+v was published %d times by the stream", win, len(history))
		}
	}
	report, err := w.Reconciler().Apply(t.Context(), reconcile.ApplyOptions{})
	if err != nil {
		t.Fatalf("reconcile: %v", err)
	}
	w.Compare(truth, w.Published())
	if late && report.Published == 0 {
		t.Error("late events and no corrections")
	}

	before := w.Published()
	again, err := w.Reconciler().Apply(t.Context(), reconcile.ApplyOptions{})
	if err != nil {
		t.Fatalf("second reconcile: %v", err)
	}
	if again.Published != 0 || again.Certified != 0 || !trial.SameHistory(before, w.Published()) {
		t.Errorf("a second reconcile did something: %+v", again)
	}
	audit, err := w.Reconciler().Audit(t.Context())
	if err != nil {
		t.Fatalf("audit: %v", err)
	}
	if !audit.OK() || len(audit.Behind) > 0 {
		t.Errorf("audit: %+v", audit)
	}
}
