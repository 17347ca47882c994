package streamtest_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tidemark-io/tidemark/stream"
	"github.com/tidemark-io/tidemark/stream/kafka"
	"github.com/tidemark-io/tidemark/stream/streamtest"
	"github.com/tidemark-io/tidemark/stream/streamtest/realkafka"
	"github.com/tidemark-io/tidemark/stream/streamtest/trial"
)

const (
	commitTimeout = 2 * time.Second
	pastTimeout   = 4 * time.Second
	struckSlice   = 60 // messages sent at a time
)

// struckKeys are the requests of a commit, and the one that begins a session after a failed one.
var struckKeys = []kmsg.Key{kmsg.Produce, kmsg.AddPartitionsToTxn, kmsg.AddOffsetsToTxn, kmsg.TxnOffsetCommit, kmsg.EndTxn, kmsg.InitProducerID}

var strikes = map[string]realkafka.Strike{
	"lost before the broker":       {Fate: realkafka.LoseRequest},
	"lost after it":                {Fate: realkafka.LoseResponse},
	"arrives after its timeout":    {RequestLate: pastTimeout},
	"answered after its timeout":   {ResponseLate: pastTimeout},
	"the next but two lost before": {After: 2, Fate: realkafka.LoseRequest},
	"the next but two lost after":  {After: 2, Fate: realkafka.LoseResponse},
}

// What the matrix of package sim shows on a fake broker, shown on Kafka for the requests of a commit: each is lost before the
// broker or after it, or late, in one life of one process, TIDEMARK_N times over. L1 to L4: everything is judged in the end, and a
// reader was there all the time.
func TestCommitRequestsAreStruck(t *testing.T) {
	began := time.Now()
	rounds := trial.EnvInt(t, "TIDEMARK_N", 1)
	broker := realkafka.Start(t)
	proxy := broker.Proxy(t)
	w := newWorld(t, []string{broker.Addr()}, trial.Settings{PollMax: 100, Commit: 50 * time.Millisecond, Checkpoint: time.Second, Roll: "1m", Partitions: 2})
	w.KeepProducer()
	p := streamtest.Profile{Seed: uint64(trial.EnvInt(t, "TIDEMARK_SEED", 43)), Events: 4000 * rounds, Customers: 20, Late: 0.05, Duplicates: 0.05}
	l := &struckLife{world: w, t: t, proxy: proxy, log: p.Log(), counts: map[string]int64{}}
	l.send(struckSlice)
	seen := w.Watch()

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	o := w.Options("a")
	o.Kafka.Brokers, o.CommitTimeout, o.UntilEnd, o.RetryFor = []string{proxy.Addr()}, commitTimeout, false, time.Minute
	done := make(chan error, 1)
	go func() {
		_, err := stream.Run(ctx, o)
		done <- err
	}()
	l.settled()
	for range rounds {
		for _, key := range struckKeys {
			for name, s := range strikes {
				if rounds == 1 && s.After > 0 {
					continue // the many rounds' own
				}
				l.strike(key, name, s, done)
			}
		}
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Fatalf("the run ended: %v", err)
	}
	w.Produce(l.log[l.sent:])
	if sum := w.Stream(); sum.Counters.Consumed != int64(len(l.log)) || !sum.Balanced() {
		t.Errorf("accounting: %+v", sum.Counters)
	}
	for win, history := range w.Published() {
		if len(history) != 1 {
			t.Errorf("%+v was published %d times", win, len(history))
		}
	}
	w.Judge(l.log)
	l.counts["seen by the reader"] = int64(seen.Stop())
	failures := 0
	if t.Failed() {
		failures = 1
	}
	t.Logf("%v", l.counts)
	trial.Record(t, trial.Result{
		Campaign: "requests of a commit lost or late", N: int(l.counts["strikes"]), Seed: p.Seed, Failures: failures, Counts: l.counts,
		Broker: "Apache Kafka 4.1.0", Seconds: time.Since(began).Seconds(),
	})
}

// struckLife is the life that all strikes fall into.
type struckLife struct {
	*world
	t      *testing.T
	proxy  *realkafka.Proxy
	log    []streamtest.Message
	sent   int
	counts map[string]int64
}

func (l *struckLife) send(n int) {
	to := min(l.sent+n, len(l.log))
	l.Produce(l.log[l.sent:to])
	l.sent = to
}

// strike lets a request meet something, and sends until it has and all of it is committed all the same.
func (l *struckLife) strike(key kmsg.Key, name string, s realkafka.Strike, done <-chan error) {
	l.t.Helper()
	api := int16(key)
	if l.proxy.Asked(api) == 0 {
		l.counts["not sent to this broker: "+key.Name()]++
		return
	}
	if key == kmsg.InitProducerID {
		l.proxy.Strike(int16(kmsg.EndTxn), realkafka.Strike{ResponseLate: pastTimeout}) // a session is needed that begins
		s.After = 0
	}
	before := l.proxy.Met(api)
	l.proxy.Strike(api, s)
	for tries := 0; l.proxy.Met(api) == before; tries++ {
		if tries == 20 || l.sent == len(l.log) {
			l.t.Fatalf("%s %s: never met, %d messages sent", key.Name(), name, l.sent)
		}
		l.send(struckSlice)
		for i := 0; i < 100 && l.proxy.Met(api) == before; i++ {
			select {
			case err := <-done:
				l.t.Fatalf("%s %s: the run ended: %v", key.Name(), name, err)
			case <-time.After(20 * time.Millisecond):
			}
		}
	}
	l.counts["strikes"]++
	l.counts[fmt.Sprintf("%s %s", key.Name(), name)]++
	l.settled()
}

// settled waits until all that was sent is committed.
func (l *struckLife) settled() {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(l.t.Context(), time.Minute)
	defer cancel()
	admin, err := kafka.NewAdmin(l.Kafka)
	if err != nil {
		l.t.Fatal(err)
	}
	defer admin.Close()
	for {
		ends, err := admin.Offsets(ctx, "orders")
		if err != nil {
			l.t.Fatal(err)
		}
		committed, err := admin.Committed(ctx, l.Plan.Pipeline.Group(), "orders")
		if err != nil {
			l.t.Fatal(err)
		}
		behind := false
		for p, e := range ends {
			behind = behind || committed[p].Next < e.High
		}
		if !behind {
			return
		}
		pause(ctx, 50*time.Millisecond)
	}
}
