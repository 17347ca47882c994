package streamtest_test

import (
	"strings"
	"testing"

	"github.com/tidemark-io/tidemark/stream"
	"github.com/tidemark-io/tidemark/stream/journal"
	"github.com/tidemark-io/tidemark/stream/kafka"
	"github.com/tidemark-io/tidemark/stream/streamtest"
	"github.com/tidemark-io/tidemark/stream/streamtest/trial"
)

// A topic that grows under a running stream moves keys by itself. The stop says so, and what to do, whichever record is the first
// that isn't where the old number of partitions puts it: the declared key is as it was.
func TestGrownUnderARun(t *testing.T) {
	set := trial.Usual()
	set.Partitions = 2
	w := newWorld(t, fakeBroker(t), set)
	log := streamtest.Profile{Seed: 46, Events: 900, Customers: 10}.Log()
	w.Produce(log[:300])
	admin, err := kafka.NewAdmin(w.Kafka)
	must(t, err)
	defer admin.Close()
	o := w.Options("a")
	o.UntilEnd = false
	grown := false
	ended := make(chan error, 1)
	ctx, cancel := cancelable(t)
	defer cancel()
	o.Observe = func(st stream.Status) { // the loop waits for it: it polls the new records before its client hears of the growth
		if grown || total(&st) < 300 {
			return
		}
		grown = true
		must(t, admin.GrowTopic(t.Context(), "orders", 5))
		w.Set.Partitions = 5
		w.Produce(log[300:])
	}
	go func() { _, err := stream.Run(ctx, o); ended <- err }()
	err = <-ended
	if err == nil || !strings.Contains(err.Error(), "the topic has 5 partitions, it had 2") || !strings.Contains(err.Error(), "tidemark change") || strings.Contains(err.Error(), "source.key") {
		t.Errorf("it ended with %v", err)
	}
	if told := w.outside(0); told == nil || !strings.Contains(told.Error, "it had 2") {
		t.Errorf("from outside: %+v", told)
	}
	w.stopsWith("expected 5", "tidemark change")
	w.mustChange()
	w.Stream()
	w.reconciled()
	w.Compare(w.Oracle(log), w.Published())
}

// A topic that has grown, and that retention has gone on in: each text leads to the next step, the loss is accepted by an order that
// the change carries out, a run doesn't, and all that is left is counted once (laws L2, L3, L5).
func TestGrownAndPurged(t *testing.T) {
	set := trial.Usual()
	set.Partitions = 2
	w := newWorld(t, fakeBroker(t), set)
	log := streamtest.Profile{Seed: 47, Events: 900, Customers: 10, Late: 0.1}.Log()
	w.Produce(log[:300])
	w.Stream()
	kept := append([]streamtest.Message{}, log[:300]...)
	lost := 0
	for _, m := range log[300:600] {
		if w.Partition(m.Key) == 1 {
			lost++
			continue
		}
		kept = append(kept, m)
	}
	w.loseUnread(log[300:600], 1)
	admin, err := kafka.NewAdmin(w.Kafka)
	must(t, err)
	defer admin.Close()
	must(t, admin.GrowTopic(t.Context(), "orders", 5))
	w.Set.Partitions = 5
	w.Produce(log[600:700])

	w.stopsWith("expected 5", "tidemark change")
	if told := w.outside(1); told == nil || !strings.Contains(told.Error, "before that: offsets ") || !strings.Contains(told.Error, "tidemark resume -f FILE --task 1") {
		t.Errorf("from outside: %+v", told)
	}
	if told := w.outside(0); told == nil || strings.Contains(told.Error, "resume") {
		t.Errorf("nothing of task 0 is gone: %+v", told)
	}
	for _, dry := range []bool{true, false} {
		if _, err := w.change(dry); err == nil || !strings.Contains(err.Error(), "tidemark resume -f FILE --task 1") || !strings.Contains(err.Error(), "again") || strings.Contains(err.Error(), "forwarded") {
			t.Errorf("change, dry %v: %v", dry, err)
		}
	}
	if _, _, err := w.resume(9); err == nil || !strings.Contains(err.Error(), "there is no task 9") {
		t.Errorf("a task that there is not: %v", err)
	}
	if _, given, err := w.resume(1); !given || err != nil {
		t.Fatal(given, err)
	}
	w.stopsWith("expected 5", "tidemark change")
	if told := w.outside(1); told == nil || !strings.Contains(told.Error, "which order 1 accepts") || strings.Contains(told.Error, "tidemark resume") {
		t.Errorf("from outside, with an order: %+v", told)
	}
	must(t, admin.GrowTopic(t.Context(), "orders-journal", 5)) // a change that died here: its topics are as wide, and nothing is decided
	w.stopsWith("the topic has 5 partitions, it had 2", "which order 1 accepts")
	if changes := w.decisions(journal.Change); len(changes) > 0 {
		t.Errorf("a run began a task anew beside others that know of fewer partitions: %+v", changes)
	}
	dry, err := w.change(true)
	must(t, err)
	if report := w.mustChange(); report.Time != dry.Time || len(report.Tasks) != 5 {
		t.Errorf("decided %+v, the dry run said %+v", report, dry)
	}
	w.Produce(log[700:])
	if sum := w.Stream(); !sum.Balanced() {
		t.Errorf("accounting: %+v", sum.Counters)
	}
	if told := w.outside(1); told != nil {
		t.Errorf("still stopped from outside: %+v", told)
	}
	w.CheckLake("orders", int64(len(log)-lost))
	w.reconciled()
	w.Compare(w.Oracle(append(kept, log[600:]...)), w.Published())
}
