package rough_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/tidemark-io/tidemark/stream/streamtest"
	"github.com/tidemark-io/tidemark/stream/streamtest/realkafka"
	"github.com/tidemark-io/tidemark/stream/streamtest/trial"
)

// scene says how a world is to be.
type scene struct {
	seed        uint64
	tags        []string // of the program
	session     time.Duration
	transaction time.Duration
	partitions  int32
	events      int // at most so many can be fed
	proxied     bool
}

// world is a broker of its own with a pipeline on it, a source that goes on and on, and two who watch.
type world struct {
	*trial.World
	program string
	broker  *realkafka.Broker
	proxy   *realkafka.Proxy
	ledger  *ledger
	log     []streamtest.Message
	flags   []string // of every run

	fed     atomic.Int64
	endFeed context.CancelFunc
	fedDone chan error
}

func newWorld(t *testing.T, s scene) *world {
	t.Helper()
	w := &world{program: trial.Program(t, s.tags...)}
	w.broker = realkafka.StartWith(t, realkafka.Options{Settings: map[string]string{
		"group.min.session.timeout.ms":                                "1000",
		"transaction.abort.timed.out.transaction.cleanup.interval.ms": "250",
	}})
	addr := w.broker.Addr()
	if s.proxied {
		w.proxy = w.broker.Proxy(t)
		addr = w.proxy.Addr()
	}
	set := trial.Usual()
	set.Roll = "500ms"
	if s.partitions > 0 {
		set.Partitions = s.partitions
	}
	w.World = trial.New(t, []string{addr}, set)
	old := fmt.Sprintf("kafka: {brokers: [%q]}", addr)
	quick := fmt.Sprintf("kafka: {brokers: [%q], session_timeout: %s, transaction_timeout: %s}", addr, s.session, s.transaction)
	text := strings.NewReplacer(old, quick, "commit: {every: 20ms}", "commit: {every: 100ms}").
		Replace(fmt.Sprintf(streamtest.OrdersYAML, addr, "file://./lake", set.Roll, "state"))
	if !strings.Contains(text, quick) || !strings.Contains(text, "100ms") {
		t.Fatal("the pipeline file has changed: the timeouts are not in it")
	}
	w.Write(w.File, text)
	w.Load()
	w.Kafka.Brokers = []string{w.broker.Addr()} // who judges stands out of the rain
	w.log = streamtest.Profile{Seed: s.seed, Events: s.events, Customers: 20, Late: 0.05, Duplicates: 0.04, Conflicts: 0.01, Invalid: 0.01}.Log()
	return w
}

// feedTick is the time between two portions of the source.
const feedTick = 50 * time.Millisecond

// begin makes the topic, begins to watch, and feeds the source at so many records a second from then on.
func (w *world) begin(perSecond int) {
	w.TB.Helper()
	w.Produce(w.log[:10])
	w.fed.Store(10)
	w.Watch()
	w.ledger = openLedger(w.World)
	ctx, end := context.WithCancel(context.Background())
	w.endFeed, w.fedDone = end, make(chan error, 1)
	go func() { w.fedDone <- w.feed(ctx, perSecond) }()
	w.TB.Cleanup(end)
}

// feed has the patience that a source without a deadline has: each record is written once, however long the broker is away.
func (w *world) feed(ctx context.Context, perSecond int) error {
	cl, err := kgo.NewClient(kgo.SeedBrokers(w.Kafka.Brokers...), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.UnknownTopicRetries(-1))
	if err != nil {
		return err
	}
	defer cl.Close()
	portion := max(int64(perSecond)*int64(feedTick)/int64(time.Second), 1)
	for ctx.Err() == nil {
		from := w.fed.Load()
		to := min(from+portion, int64(len(w.log)))
		var records []*kgo.Record
		for _, m := range w.log[from:to] {
			records = append(records, &kgo.Record{Topic: "orders", Partition: w.Partition(m.Key), Key: []byte(m.Key), Value: m.Value})
		}
		if err := cl.ProduceSync(context.Background(), records...).FirstErr(); err != nil {
			return fmt.Errorf("the source, at %d: %w", from, err)
		}
		w.fed.Store(to)
		rest(ctx, feedTick)
	}
	return nil
}

// finish ends the source, runs the pipeline to its end, and holds everything to what is promised.
func (w *world) finish() {
	w.TB.Helper()
	w.endFeed()
	if err := <-w.fedDone; err != nil {
		w.TB.Error(err)
	}
	n := w.fed.Load()
	if int(n) == len(w.log) {
		w.TB.Errorf("the log of %d events was too short", n)
	}
	w.Must(w.program, 0, "run", "-f", w.File, "--id", "a", "--listen", "", "--until", "end")
	w.Judge(w.log[:n])
	for _, err := range w.ledger.check() {
		w.TB.Error(err)
	}
	if w.TB.Failed() {
		w.TB.Logf("the world is at %s", w.Dir)
	}
}

// rest waits.
func rest(ctx context.Context, d time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	<-ctx.Done()
}

// awaitMax is how long anything may take that must come.
const awaitMax = 4 * time.Minute

// await waits until something is so, and tells how long it took; the test ends if it never is.
func (w *world) await(what func() string, ok func() bool) time.Duration {
	w.TB.Helper()
	began := time.Now()
	ctx, cancel := context.WithTimeout(w.TB.Context(), awaitMax)
	defer cancel()
	for !ok() {
		if ctx.Err() != nil {
			w.TB.Fatalf("never: %s", what())
		}
		rest(ctx, 20*time.Millisecond)
	}
	return time.Since(began)
}

// told is a message that needs no making.
func told(what string) func() string { return func() string { return what } }

// allMove waits until every task has a commit that is later than everything in the ledger now.
func (w *world) allMove(who ...*process) time.Duration {
	w.TB.Helper()
	from := len(w.ledger.snapshot())
	return w.await(func() string {
		text := fmt.Sprintf("a commit of every task; the last are %+v", owners(w.ledger.snapshot()))
		for _, p := range who {
			text += fmt.Sprintf("\n--- %s\n%s", p.id, p.tail())
		}
		return text
	}, func() bool { return len(owners(w.ledger.snapshot()[from:])) == int(w.Set.Partitions) })
}
