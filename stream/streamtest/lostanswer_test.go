package streamtest_test

import (
	"context"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tidemark-io/tidemark/stream"
	"github.com/tidemark-io/tidemark/stream/streamtest"
	"github.com/tidemark-io/tidemark/stream/streamtest/realkafka"
	"github.com/tidemark-io/tidemark/stream/streamtest/trial"
)

// The answer to EndTxn is lost, on a real broker, until the client has given up: the transaction was committed and nobody
// knows. Going on with the session would publish it twice. The stream rebuilds, and each result is
// published once.
func TestLostCommitAnswerPublishesOnce(t *testing.T) {
	broker := realkafka.Start(t)
	proxy := broker.Proxy(t)
	w := newWorld(t, []string{broker.Addr()}, trial.Settings{PollMax: 100, Commit: 10 * time.Millisecond, Checkpoint: time.Second, Roll: "1m", Partitions: 4})
	p := streamtest.Profile{Seed: 41, Events: 3000, Customers: 20, Late: 0.05, Duplicates: 0.05}
	log := p.Log()
	w.Produce(log)

	ctx, cancel := cancelable(t)
	defer cancel()
	o := w.Options("a")
	o.Kafka.Brokers = []string{proxy.Addr()}
	o.CommitTimeout = 2 * time.Second
	lost, rebuilt := false, false
	o.Observe = func(s stream.Status) {
		switch {
		case !lost && s.Commits["committed"] == 3:
			lost = true
			proxy.Set(int16(kmsg.EndTxn), realkafka.LoseResponse)
		case lost && s.Rebuilds > 0 && !rebuilt:
			rebuilt = true
		}
	}
	go func() { // the network heals once the answer has been lost often enough for the client to give up
		for ctx.Err() == nil && proxy.Met(int16(kmsg.EndTxn)) == 0 {
			pause(ctx, 10*time.Millisecond)
		}
		pause(ctx, 4*time.Second)
		proxy.Set(int16(kmsg.EndTxn), realkafka.Pass)
	}()
	sum, err := stream.Run(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	if !lost || !rebuilt || proxy.Met(int16(kmsg.EndTxn)) == 0 {
		t.Fatalf("no answer was lost (%d), or the session was not rebuilt (%v)", proxy.Met(int16(kmsg.EndTxn)), rebuilt)
	}
	if sum.Counters.Consumed != int64(len(log)) || !sum.Balanced() {
		t.Errorf("accounting: %+v", sum.Counters)
	}
	for win, history := range w.Published() {
		if len(history) != 1 {
			t.Errorf("%+v was published %d times", win, len(history))
		}
	}
	proveCorrected(t, w, log, true)
}

func pause(ctx context.Context, d time.Duration) {
	short, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	<-short.Done()
}
