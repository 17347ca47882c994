package damage_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/tidemark-io/tidemark/lake/blob"
	"github.com/tidemark-io/tidemark/reconcile"
	"github.com/tidemark-io/tidemark/state"
	"github.com/tidemark-io/tidemark/stream"
	"github.com/tidemark-io/tidemark/stream/kafka"
	"github.com/tidemark-io/tidemark/stream/pipeline"
)

// world is one broker, one bucket, one disk and one pipeline, inside a bubble of virtual time.
type world struct {
	t      testing.TB
	kafka  kafka.Options
	bucket blob.Bucket
	disk   state.FS
	plan   *pipeline.Plan
	log    []sent // all that there will be
	have   int    // of it, produced so far
	said   notes

	overlaps bool // entries of a log may reach over the next ones
}

// notes keeps what the program logs as a warning or an error.
type notes struct {
	mu    sync.Mutex
	lines []string
}

func (n *notes) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelWarn }
func (n *notes) WithAttrs([]slog.Attr) slog.Handler           { return n }
func (n *notes) WithGroup(string) slog.Handler                { return n }

func (n *notes) Handle(_ context.Context, r slog.Record) error {
	var b strings.Builder
	b.WriteString(r.Message)
	r.Attrs(func(a slog.Attr) bool { fmt.Fprintf(&b, " %s", a); return true })
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lines = append(n.lines, b.String())
	return nil
}

func (n *notes) take() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	lines := n.lines
	n.lines = nil
	return lines
}

// now is virtual time, moved behind the events.
func now() time.Time { return time.Now().AddDate(26, 0, 0) }

// newWorld starts a broker; it must be called in the bubble in which all else happens.
func newWorld(t testing.TB, plan *pipeline.Plan, log []sent, bucket blob.Bucket, disk state.FS) *world {
	t.Helper()
	net := new(kfake.VirtualNetwork)
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.GroupMinSessionTimeout(100*time.Millisecond), kfake.ListenFn(net.Listen), kfake.Ports(9092))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	w := &world{t: t, plan: plan, log: log, bucket: bucket, disk: disk}
	w.kafka = kafka.Options{Brokers: c.ListenAddrs(), Dial: net.DialContext}
	admin, err := kafka.NewAdmin(w.kafka)
	w.must(err)
	defer admin.Close()
	for i := range plan.Sources {
		w.must(admin.EnsureTopic(t.Context(), kafka.TopicSpec{Name: plan.Sources[i].Topic, Partitions: width, Configs: map[string]string{"retention.ms": "-1"}}))
	}
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// produce sends the records of the log up to number n.
func (w *world) produce(n int) {
	w.t.Helper()
	ctx := w.t.Context()
	p, err := kafka.NewProducer(w.kafka)
	w.must(err)
	defer p.Close()
	for _, m := range w.log[w.have:n] {
		w.must(p.Produce(ctx, &kafka.Record{Topic: w.plan.Sources[m.source].Topic, Partition: m.partition, Value: m.value}))
	}
	w.must(p.Flush(ctx))
	w.have = n
}

func (w *world) options() stream.Options {
	return stream.Options{
		Plan: w.plan, Kafka: w.kafka, Bucket: w.bucket, StateFS: w.disk, ID: "a", Now: now, Log: slog.New(&w.said),
		PollRecordsMax: 20, RetryFor: 8 * time.Second,
	}
}

const hangs = "the stream still ran after"

// runLimit, of virtual time, is what no run may take: one that does hangs.
const runLimit = 20 * time.Second

// toEnd runs the stream to the end of what was produced, and closes all windows.
func (w *world) toEnd() (*stream.Summary, error) {
	ctx, cancel := context.WithTimeout(w.t.Context(), runLimit)
	defer cancel()
	o := w.options()
	o.UntilEnd = true
	sum, err := stream.Run(ctx, o)
	if ctx.Err() != nil {
		return nil, fmt.Errorf("%s %v: %w", hangs, runLimit, err)
	}
	return sum, err
}

// toHere runs the stream until all that was produced is consumed, and stops it: windows stay open.
func (w *world) toHere() error {
	ctx, cancel := context.WithTimeout(w.t.Context(), runLimit)
	defer cancel()
	o := w.options()
	o.Observe = func(s stream.Status) {
		n := int64(0)
		for i := range s.Tasks {
			n += s.Tasks[i].Counters.Consumed
		}
		if n >= int64(w.have) {
			cancel()
		}
	}
	if _, err := stream.Run(ctx, o); !errors.Is(err, context.Canceled) {
		return fmt.Errorf("the stream did not stop when told to: %w", err)
	}
	return nil
}

func (w *world) reconciler() *reconcile.Reconciler {
	w.t.Helper()
	r, err := reconcile.New(reconcile.Options{Plan: w.plan, Kafka: w.kafka, Bucket: w.bucket, Now: now, Run: "damage", Log: slog.New(&w.said)})
	w.must(err)
	return r
}

// apply runs the reconciler.
func (w *world) apply() (*reconcile.Report, error) {
	ctx, cancel := context.WithTimeout(w.t.Context(), runLimit)
	defer cancel()
	return w.reconciler().Apply(ctx, reconcile.ApplyOptions{})
}
