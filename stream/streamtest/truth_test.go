package streamtest_test

import (
	"fmt"
	"maps"
	"testing"

	"github.com/tidemark-io/tidemark/reconcile"
	"github.com/tidemark-io/tidemark/stream/streamtest"
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
			w := newWorld(t, fakeBroker(t), usual())
			proveTruth(t, w, p.Log(), p)
		})
	}
}

func proveTruth(t *testing.T, w *world, log []streamtest.Message, p streamtest.Profile) {
	t.Helper()
	w.produce(log)
	sum := w.stream()
	if !sum.Balanced() || sum.Counters.Consumed != int64(len(log)) {
		t.Fatalf("accounting %+v of %d records", sum.Counters, len(log))
	}
	if p.Late > 0 && sum.Counters.Late == 0 || p.Duplicates > 0 && sum.Counters.Duplicate == 0 || p.Invalid > 0 && sum.Counters.Invalid == 0 {
		t.Fatalf("the log does not test what it should: %+v", sum.Counters)
	}
	w.checkLake("orders", int64(len(log)))

	proveCorrected(t, w, log, p.Late > 0)
}

// proveCorrected reconciles and holds the result against the oracle; a second reconcile must find nothing to do.
func proveCorrected(t *testing.T, w *world, log []streamtest.Message, late bool) {
	t.Helper()
	truth := w.oracle(log)
	streamed := w.published()
	for win, history := range streamed {
		if len(history) != 1 {
			t.Errorf("%+v was published %d times by the stream", win, len(history))
		}
	}
	report, err := w.reconciler().Apply(t.Context(), reconcile.ApplyOptions{})
	if err != nil {
		t.Fatalf("reconcile: %v", err)
	}
	w.compare(truth, w.published())
	if late && report.Published == 0 {
		t.Error("late events and no corrections")
	}

	before := w.published()
	again, err := w.reconciler().Apply(t.Context(), reconcile.ApplyOptions{})
	if err != nil {
		t.Fatalf("second reconcile: %v", err)
	}
	if again.Published != 0 || again.Certified != 0 || !sameHistory(before, w.published()) {
		t.Errorf("a second reconcile did something: %+v", again)
	}
	audit, err := w.reconciler().Audit(t.Context())
	if err != nil {
		t.Fatalf("audit: %v", err)
	}
	if !audit.OK() || len(audit.Behind) > 0 {
		t.Errorf("audit: %+v", audit)
	}
}

// oracle computes the truth, without the windows that only unconfirmed far-future events fall into.
func (w *world) oracle(log []streamtest.Message) map[streamtest.Window]map[string]string {
	w.t.Helper()
	var payloads [][]byte
	for _, m := range log {
		if m.Value != nil {
			payloads = append(payloads, m.Value)
		}
	}
	read := []string{"id", "at", "customer", "amount", "quantity", "weight", "pieces", "discount"}
	truth, err := streamtest.Oracle(streamtest.OrdersSchema, payloads, read, "at", streamtest.OrdersOutputs())
	if err != nil {
		w.t.Fatal(err)
	}
	const year2090 = 3_786_912_000_000
	for win := range truth {
		if win.Start > year2090 {
			delete(truth, win)
		}
	}
	return truth
}

// compare holds the newest value of every window against the truth, both ways.
func (w *world) compare(truth map[streamtest.Window]map[string]string, got map[streamtest.Window][]row) {
	w.t.Helper()
	wrong := 0
	for win, want := range truth {
		history := got[win]
		if len(history) == 0 {
			w.t.Errorf("%+v was never published", win)
		} else if last := newest(history); last.status == "RETRACTED" || !maps.Equal(last.values, want) {
			w.t.Errorf("%+v\n got %v %s\nwant %v", win, last.values, last.status, want)
		} else {
			continue
		}
		if wrong++; wrong > 5 {
			w.t.Fatal("and more")
		}
	}
	for win, history := range got {
		if _, ok := truth[win]; !ok && newest(history).status != "RETRACTED" {
			w.t.Errorf("%+v is published and not true", win)
		}
	}
}

// newest is the value with the highest revision; no two may have the same.
func newest(history []row) row {
	best := history[0]
	for _, r := range history[1:] {
		if r.revision > best.revision {
			best = r
		}
	}
	return best
}

func sameHistory(a, b map[streamtest.Window][]row) bool {
	return maps.EqualFunc(a, b, func(x, y []row) bool { return len(x) == len(y) })
}
