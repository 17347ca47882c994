package streamtest_test

import (
	"testing"

	"github.com/tidemark-io/tidemark/stream"
	"github.com/tidemark-io/tidemark/stream/kafka"
	"github.com/tidemark-io/tidemark/stream/streamtest"
	"github.com/tidemark-io/tidemark/stream/streamtest/trial"
)

// stint runs one process until it has consumed so many records, stops it, and lets it leave the group for good.
func stint(t *testing.T, w *world, id string, until int64) {
	t.Helper()
	ctx, cancel := cancelable(t)
	defer cancel()
	o := w.Options(id)
	o.Observe = func(s stream.Status) {
		if total(&s) >= until {
			cancel()
		}
	}
	if _, err := stream.Run(ctx, o); err == nil || ctx.Err() == nil {
		t.Fatalf("%s ran to the end, or failed: %v", id, err)
	}
	admin, err := kafka.NewAdmin(w.Kafka)
	must(t, err)
	defer admin.Close()
	must(t, admin.LeaveGroup(t.Context(), "orders", w.Plan.Pipeline.TransactionalID(id)))
}

// A process whose tasks lived elsewhere in between, and that comes back with its old disk, ends with the state of one that never
// was away (laws L1 and L4).
func TestAProcessReturnsWithItsOldDisk(t *testing.T) {
	log := streamtest.Profile{Seed: 78, Events: 900, Customers: 12, Late: 0.1, Duplicates: 0.08}.Log()
	want := runVariant(t, log, variant{name: "plain", set: trial.Usual()})
	set := trial.Usual()
	set.PollMax = 40
	w := newWorld(t, fakeBroker(t), set)
	w.Produce(log)
	stint(t, w, "p0", 150)
	stint(t, w, "p1", 450)
	runAll(t, w, 1)
	collect(t, w).mustEqual(t, want)
}
