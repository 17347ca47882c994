package streamtest_test

import (
	"strings"
	"testing"

	"github.com/tidemark-io/tidemark/stream"
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
