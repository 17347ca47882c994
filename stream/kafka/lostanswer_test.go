package kafka_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tidemark-io/tidemark/stream/kafka"
	"github.com/tidemark-io/tidemark/stream/streamtest/realkafka"
)

// Kafka's api keys of the requests that a commit is made of.
const (
	keyProduce         = 0
	keyFetch           = 1
	keyEndTxn          = 26
	keyTxnOffsetCommit = 28
)

// The EndTxn case, on Kafka: whatever becomes of the request that ends a transaction, Commit
// returns an error, and closing, building a new session and going on from the offsets that the broker
// holds publishes each record exactly once (invariant 1).
func TestEndTxnLost(t *testing.T) {
	for _, test := range []struct {
		name      string
		fate      realkafka.Fate
		key       int16
		timeout   time.Duration // of Commit; longer than the client's retries last, or shorter
		unknown   bool
		committed bool // what really happened to the transaction
	}{
		{"answer lost, retries exhausted", realkafka.LoseResponse, keyEndTxn, time.Minute, true, true},
		{"answer never comes", realkafka.Swallow, keyEndTxn, 2 * time.Second, true, true},
		{"request lost", realkafka.LoseRequest, keyEndTxn, 2 * time.Second, true, false},
		{"offsets lost", realkafka.LoseRequest, keyTxnOffsetCommit, 2 * time.Second, false, false},
		{"answer to offsets lost", realkafka.LoseResponse, keyTxnOffsetCommit, 2 * time.Second, false, false},
		{"records lost", realkafka.LoseRequest, keyProduce, 2 * time.Second, false, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := onKafka(t)
			proxy := c.real.Proxy(t)
			in, out := c.topic(t, "in", 1), c.topic(t, "out", 1)
			c.fill(t, in, 0, 0, 30)
			w := c.worker(t, c.name(t, "group"), "a", in, out)
			w.o.Brokers = []string{proxy.Addr()}
			w.o.CommitTimeout = test.timeout
			w.open(t).copyTo(t, 0, 10)
			must(t, w.commit(context.Background()))
			w.copyTo(t, 0, 20)

			proxy.Set(test.key, test.fate)
			err := w.commit(context.Background())
			if err == nil {
				t.Fatal("Commit confirmed what the broker had not")
			}
			if proxy.Met(test.key) == 0 {
				t.Fatal("the proxy lost nothing")
			}
			t.Logf("lost %d times: %v", proxy.Met(test.key), err)
			if got := errors.Is(err, kafka.ErrUnknownOutcome); test.unknown && !got {
				t.Errorf("Commit: %v; want ErrUnknownOutcome", err)
			}
			if again := w.commit(context.Background()); again == nil {
				t.Error("a second Commit of the session succeeded")
			}
			if _, polled := w.session.Poll(context.Background(), 1); polled == nil {
				t.Error("Poll went on after a commit that was not confirmed")
			}
			proxy.Set(test.key, realkafka.Pass)

			w.again(t).settle(t)
			// Nothing is pending now: the session's producer has fenced the one before.
			want := int64(10)
			if test.committed {
				want = 20
			}
			if at := w.at(0); at != want {
				t.Errorf("the new session starts at %d, want %d", at, want)
			}
			w.copyTo(t, 0, 30)
			must(t, w.commit(context.Background()))
			if got := c.values(t, out, 0); !slices.Equal(got, wanted(0, 30)) {
				t.Errorf("out holds %q, want each once", got)
			}
		})
	}
}

// waitFor waits for something that is on its way; the test's own deadline ends it.
func waitFor(t *testing.T, is func() bool) {
	t.Helper()
	for !is() {
		time.Sleep(5 * time.Millisecond)
	}
}

// loseEndTxn makes the worker's requests that end a transaction get lost, from when the result is called.
func (c *cluster) loseEndTxn(t *testing.T, w *worker) func() {
	t.Helper()
	if c.real != nil {
		proxy := c.real.Proxy(t)
		w.o.Brokers = []string{proxy.Addr()}
		return func() { proxy.Set(keyEndTxn, realkafka.LoseRequest) }
	}
	return func() {
		c.fake.ControlKey(keyEndTxn, func(kmsg.Request) (kmsg.Response, error, bool) {
			c.fake.KeepControl()
			return nil, errors.New("the connection breaks"), true
		})
	}
}
