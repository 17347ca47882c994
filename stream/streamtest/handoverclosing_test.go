package streamtest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tidemark-io/tidemark/state"
	"github.com/tidemark-io/tidemark/stream"
	"github.com/tidemark-io/tidemark/stream/kafka"
	"github.com/tidemark-io/tidemark/stream/streamtest"
	"github.com/tidemark-io/tidemark/stream/streamtest/trial"
)

// A stop in the midst of closings of many transactions is a clean one: each task that is closing ends at a portion, at most one
// more of each; what the others have done is committed, landed and checkpointed. Who comes next publishes the rest, and nothing twice.
func TestCleanStopInAClosing(t *testing.T) {
	others := 0
	for _, at := range []int64{5, 20, 30} {
		t.Run(fmt.Sprint(at), func(t *testing.T) { others += 4 - stopInAClosing(t, at) })
	}
	if others == 0 {
		t.Error("all tasks were closing at each stop: nothing was shown of others")
	}
}

// stopInAClosing stops at that portion, and returns how many tasks it met in the midst of a closing.
func stopInAClosing(t *testing.T, at int64) int {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.GroupMinSessionTimeout(100*time.Millisecond))
	must(t, err)
	t.Cleanup(cluster.Close)
	w := newWorld(t, cluster.ListenAddrs(), trial.Settings{PollMax: 100_000, Commit: time.Second, Checkpoint: time.Hour, Roll: "1m", Partitions: 4})
	log := streamtest.Profile{Seed: 59, Events: 600, Customers: 12, Late: 0.05}.Log()
	w.Produce(log)
	ctx, cancel := cancelable(t)
	defer cancel()
	var portions, ends, after atomic.Int64
	cluster.ControlKey(int16(kmsg.TxnOffsetCommit), func(req kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		if c := req.(*kmsg.TxnOffsetCommitRequest); strings.Contains(*c.Topics[0].Partitions[len(c.Topics[0].Partitions)-1].Metadata, "closing") {
			portions.Add(1)
		}
		return nil, nil, false
	})
	cluster.ControlKey(int16(kmsg.EndTxn), func(kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		if ctx.Err() != nil {
			after.Add(1)
		}
		if ends.Add(1); portions.Load() == at {
			cancel()
		}
		return nil, nil, false
	})
	o := w.Options("a")
	o.PortionRecordsMax = 4
	if _, err := stream.Run(ctx, o); !errors.Is(err, context.Canceled) || strings.Trim(strings.ReplaceAll(err.Error(), "context canceled", ""), "\n") != "" {
		t.Fatalf("the stop is not a clean one: %v", err)
	}
	if n := after.Load(); n > 5 { // a portion of each task, and what is left
		t.Errorf("%d transactions after the stop", n)
	}
	midst := w.handedOver(t)
	if midst == 0 {
		t.Error("no task was in the midst of a closing")
	}
	t.Logf("%d of 4 tasks in the midst, %d transactions, %d after the stop", midst, ends.Load(), after.Load())

	w.LoseDisk() // from checkpoints alone
	again, end := cancelable(t)
	defer end()
	sum, err := stream.Run(again, o)
	must(t, err)
	w.publishedOnce(t, sum)
	proveCorrected(t, w, log, true)
	return midst
}

// handedOver holds every task that isn't closing against its newest checkpoint and its lake, and counts those that are.
func (w *world) handedOver(t *testing.T) (midst int) {
	admin, err := kafka.NewAdmin(w.Kafka)
	must(t, err)
	defer admin.Close()
	committed, err := admin.Committed(t.Context(), "orders", "orders")
	must(t, err)
	if len(committed) != 4 {
		t.Fatalf("%d tasks have committed", len(committed))
	}
	for id, at := range committed {
		names, err := state.Manifests(t.Context(), w.Bucket, fmt.Sprintf("checkpoints/orders/%d", id))
		must(t, err)
		if strings.Contains(at.Metadata, "closing") {
			midst++
			continue
		}
		if len(names) == 0 {
			t.Errorf("task %d has no checkpoint", id)
			continue
		}
		m, err := state.LoadManifest(t.Context(), w.Bucket, names[0].Key)
		must(t, err)
		if next := m.Cut.Sources[0].Next; next != at.Next {
			t.Errorf("task %d: %d is committed, the newest checkpoint is at %d", id, at.Next, next)
		}
		landed, err := w.Bucket.Get(t.Context(), fmt.Sprintf("raw/orders/_log/%d/%020d.json", id, 0))
		if err != nil || !strings.Contains(string(landed), fmt.Sprint(at.Next)) {
			t.Errorf("task %d: %d is committed, the lake log holds %s, %v", id, at.Next, landed, err)
		}
	}
	return midst
}

// publishedOnce counts what is published against what was counted as closed: what is missing, a reconcile would mend.
func (w *world) publishedOnce(t *testing.T, sum *stream.Summary) {
	published, closed := w.Published(), int64(0)
	for i := range sum.Counters.Outputs {
		closed += sum.Counters.Outputs[i].Closed
	}
	if int64(len(published)) != closed {
		t.Errorf("%d windows were counted as closed, %d are published", closed, len(published))
	}
	for win, history := range published {
		if len(history) != 1 {
			t.Errorf("%+v was published %d times", win, len(history))
		}
	}
}
