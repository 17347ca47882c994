package streamtest_test

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
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

// refusing starts a broker that refuses every n-th EndTxn, up to `most` of them: the transaction is aborted.
func refusing(t *testing.T, n, most int64) ([]string, *atomic.Int64) {
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.GroupMinSessionTimeout(100*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	var met, refused atomic.Int64
	c.ControlKey(int16(kmsg.EndTxn), func(req kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		if met.Add(1)%n != 0 || refused.Load() >= most {
			return nil, nil, false
		}
		refused.Add(1)
		resp := req.ResponseKind().(*kmsg.EndTxnResponse)
		resp.ErrorCode = kerr.ProducerFenced.Code
		return resp, nil, true
	})
	return c.ListenAddrs(), &refused
}

// What closes at once is published in many transactions (stream, publish.go), and some of them fail: whoever goes on publishes
// what is left and nothing twice, from its own state and from none (L4: the results of a closing and their order are
// functions of the cut).
func TestClosingInPortions(t *testing.T) {
	for _, n := range []int64{3, 4, 7} {
		for _, disk := range []bool{true, false} {
			t.Run(fmt.Sprintf("every=%d/disk=%v", n, disk), func(t *testing.T) {
				brokers, refused := refusing(t, n, 12)
				set := trial.Usual()
				set.Commit = 300 * time.Millisecond // much closes in a commit
				w := newWorld(t, brokers, set)
				log := streamtest.Profile{Seed: uint64(n), Events: 3000, Customers: 60, Late: 0.05, Duplicates: 0.05, Gaps: 3}.Log()
				w.Produce(log)
				o := w.Options("a")
				o.PortionRecordsMax = 5
				if !disk {
					o.ID = "b"
					ctx, cancel := cancelable(t)
					first := o
					first.ID, first.RetryFor = "a", time.Nanosecond // gives up at the first refusal
					_, err := stream.Run(ctx, first)
					cancel()
					if err == nil {
						t.Fatal("nothing was refused")
					}
					must(t, os.RemoveAll(filepath.Join(w.Dir, "state")))
				}
				ctx, cancel := cancelable(t)
				defer cancel()
				sum, err := stream.Run(ctx, o)
				must(t, err)
				if !sum.Balanced() || sum.Counters.Consumed != int64(len(log)) || refused.Load() == 0 {
					t.Fatalf("%d refused: %+v", refused.Load(), sum.Counters)
				}
				refused.Store(math.MaxInt32) // the reconciler's are not
				proveCorrected(t, w, log, true)
			})
		}
	}
}

// The same of sessions, joins and repartitioned pipelines.
func TestShapesCloseInPortions(t *testing.T) {
	for i, name := range trial.Shapes() {
		t.Run(name, func(t *testing.T) {
			every := int64(4)
			if name == "enriched" { // it commits seldom
				every = 2
			}
			brokers, refused := refusing(t, every, 10)
			s := newShape(t, brokers, name)
			s.Plan.Pipeline.Commit.Every = 300 * time.Millisecond
			s.Generate(uint64(i), 1500)
			s.Produce(0, len(s.Sent))
			ctx, cancel := cancelable(t)
			defer cancel()
			_, err := stream.Run(ctx, stream.Options{
				Plan: s.Plan, Kafka: s.Kafka, Bucket: s.Bucket, ID: "a", UntilEnd: true, Now: time.Now, RetryFor: 30 * time.Second, PortionRecordsMax: 5,
			})
			must(t, err)
			if refused.Load() == 0 {
				t.Fatal("nothing was refused")
			}
			refused.Store(math.MaxInt32) // the reconciler's are not
			s.Judge(len(s.Sent))
		})
	}
}
