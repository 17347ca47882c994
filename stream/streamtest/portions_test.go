package streamtest_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tidemark-io/tidemark/stream"
	"github.com/tidemark-io/tidemark/stream/streamtest"
	"github.com/tidemark-io/tidemark/stream/streamtest/trial"
)

// A closing that one transaction can't hold is published in portions, and the session ends between two of them, again and
// again: each result is published once all the same (law L4), by whoever goes on with what is left.
func TestClosingInPortionsPublishesOnce(t *testing.T) {
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.GroupMinSessionTimeout(100*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	var ends, failed atomic.Int64
	c.ControlKey(int16(kmsg.EndTxn), func(req kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		if ends.Add(1)%7 != 0 || failed.Load() == 8 {
			return nil, nil, false
		}
		failed.Add(1)
		resp := req.ResponseKind().(*kmsg.EndTxnResponse)
		resp.ErrorCode = kerr.ProducerFenced.Code
		return resp, nil, true
	})
	w := newWorld(t, c.ListenAddrs(), trial.Settings{PollMax: 100_000, Commit: time.Second, Checkpoint: time.Hour, Roll: "1m", Partitions: 2})
	log := streamtest.Profile{Seed: 59, Events: 400, Customers: 12, Late: 0.05}.Log()
	w.Produce(log)
	o := w.Options("a")
	o.PortionRecordsMax = 4
	sum, err := stream.Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if n := failed.Swap(8); n < 3 || ends.Load() < 20 { // none fails from here on
		t.Fatalf("%d transactions, %d of them failed: too few", ends.Load(), n)
	}
	if sum.Counters.Consumed != int64(len(log)) || !sum.Balanced() {
		t.Errorf("accounting: %+v", sum.Counters)
	}
	published, closed := w.Published(), int64(0)
	for i := range sum.Counters.Outputs {
		closed += sum.Counters.Outputs[i].Closed
	}
	if int64(len(published)) != closed { // what is missing, a reconcile would mend
		t.Errorf("%d windows were counted as closed, %d are published", closed, len(published))
	}
	for win, history := range published {
		if len(history) != 1 {
			t.Errorf("%+v was published %d times", win, len(history))
		}
	}
	proveCorrected(t, w, log, true)
}
