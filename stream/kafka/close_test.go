package kafka_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/tidemark-io/tidemark/stream/kafka"
	"github.com/tidemark-io/tidemark/stream/streamtest/realkafka"
)

// Close does not wait for a join that another member holds up: here one that would do so for five
// minutes, far longer than this test may take (invariant 6).
func TestCloseWhileJoining(t *testing.T) {
	onEach(t, func(t *testing.T, c *cluster) {
		ctx := context.Background()
		in, out := c.topic(t, "in", 2), c.topic(t, "out", 1)
		c.fill(t, in, 0, 0, 1)
		group := c.name(t, "group")
		blocker, err := kgo.NewClient(kgo.SeedBrokers(c.o.Brokers...), kgo.ConsumerGroup(group), kgo.InstanceID("blocker"),
			kgo.ConsumeTopics(in), kgo.Balancers(kafka.Sticky()), kgo.BlockRebalanceOnPoll(),
			kgo.RebalanceTimeout(5*time.Minute), kgo.FetchMaxWait(100*time.Millisecond))
		must(t, err)
		defer blocker.CloseAllowingRebalance()
		blocker.PollFetches(ctx)

		w := c.worker(t, group, "a", in, out).open(t)
		poll, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
		defer cancel()
		if err := w.step(poll, 1); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Poll: %v; want to wait", err)
		}
		w.session.Close()
		w.session.Close()
		if w.at(0) >= 0 {
			t.Error("the join was not held up")
		}
		if err := w.step(ctx, 1); err == nil {
			t.Error("Poll of a closed session")
		}
		if err := w.session.Commit(ctx, cutAt(1, "")); err == nil {
			t.Error("Commit of a closed session")
		}
	})
}

// Close ends the context of a restore that is under way, and waits for it.
func TestCloseWhileAssigning(t *testing.T) {
	onEach(t, func(t *testing.T, c *cluster) {
		in := c.topic(t, "in", 1)
		w := c.worker(t, c.name(t, "group"), "a", in, in)
		restoring := make(chan struct{})
		var ended atomic.Bool
		w.o.OnAssigned = func(ctx context.Context, _ []int32) (kafka.Starts, error) {
			close(restoring)
			<-ctx.Done()
			ended.Store(true)
			return nil, ctx.Err()
		}
		w.open(t)
		<-restoring
		w.session.Close()
		if !ended.Load() {
			t.Error("OnAssigned was still running when Close returned")
		}
		if lost := w.lost(); len(lost) > 0 {
			t.Errorf("Close reported %v as revoked", lost)
		}
	})
}

// With the broker gone silent, everything is bounded: Commit by its timeout, Close by nothing it has to wait for (invariants 6 and 7).
func TestSilentBroker(t *testing.T) {
	c := onKafka(t)
	ctx := context.Background()
	proxy := c.real.Proxy(t)
	in, out := c.topic(t, "in", 1), c.topic(t, "out", 1)
	c.fill(t, in, 0, 0, 30)
	w := c.worker(t, c.name(t, "group"), "a", in, out)
	w.o.Brokers = []string{proxy.Addr()}
	w.o.CommitTimeout = 3 * time.Second
	w.open(t).copyTo(t, 0, 10)
	must(t, w.commit(ctx))
	for key := range int16(100) {
		proxy.Set(key, realkafka.Swallow)
	}
	w.session.Produce(ctx, record(out, "x"))
	if err := w.commit(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Commit: %v; want its own deadline", err)
	}
	w.session.Close()

	short, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
	defer cancel()
	o := kafka.Options{Brokers: []string{proxy.Addr()}}
	if _, err := kafka.NewSession(short, w.o); err == nil {
		t.Error("a session with a silent broker")
	}
	if _, err := kafka.NewTxnProducer(short, o, c.name(t, "id")); err == nil {
		t.Error("a producer with a silent broker")
	}
	if err := kafka.ReadRange(short, o, in, 0, 0, 1, nil); err == nil {
		t.Error("a range from a silent broker")
	}
}

// A broker that is not there is an error that names the address, not a wait for ever.
func TestNoBroker(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	o := kafka.Options{Brokers: []string{"127.0.0.1:1"}}
	admin, err := kafka.NewAdmin(o)
	must(t, err)
	defer admin.Close()
	if _, err := admin.Topic(ctx, "t"); err == nil {
		t.Error("a topic of no broker")
	}
	if _, err := kafka.NewTxnProducer(ctx, o, "id"); err == nil {
		t.Error("a producer of no broker")
	}
}

// A broker that restarts is no reason to end a session that has nothing to commit, and none to lose or repeat a record.
func TestBrokerRestarts(t *testing.T) {
	real := realkafka.Start(t)
	c := at(t, kafka.Options{Brokers: []string{real.Addr()}})
	ctx := context.Background()
	in, out := c.topic(t, "in", 1), c.topic(t, "out", 1)
	c.fill(t, in, 0, 0, 20)
	w := c.worker(t, c.name(t, "group"), "a", in, out).open(t)
	w.copyTo(t, 0, 10)
	must(t, w.commit(ctx))
	w.copyTo(t, 0, 20)
	real.Kill(t)
	real.Restart(t)
	for err := w.commit(ctx); err != nil; err = w.commit(ctx) {
		t.Logf("after the broker came back: %v", err)
		w.again(t).copyTo(t, 0, 20)
	}
	c.fill(t, in, 0, 20, 30)
	w.copyTo(t, 0, 30)
	must(t, w.commit(ctx))
	if got := c.values(t, out, 0); len(got) != 30 {
		t.Errorf("out holds %q", got)
	}
}
