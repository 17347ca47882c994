package streamtest_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/linkedin/goavro/v2"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/tidemark-io/tidemark/lake"
	"github.com/tidemark-io/tidemark/lake/blob"
	"github.com/tidemark-io/tidemark/reconcile"
	"github.com/tidemark-io/tidemark/stream"
	"github.com/tidemark-io/tidemark/stream/curated"
	"github.com/tidemark-io/tidemark/stream/kafka"
	"github.com/tidemark-io/tidemark/stream/pipeline"
	"github.com/tidemark-io/tidemark/stream/streamtest"
)

// settings are what must not change a result.
type settings struct {
	pollMax    int
	commit     time.Duration
	checkpoint time.Duration // finer than the file allows
	roll       string
	partitions int32
	landing    int64 // bytes; 0: the default
}

func usual() settings {
	return settings{pollMax: 1000, commit: 20 * time.Millisecond, checkpoint: 100 * time.Millisecond, roll: "1m", partitions: 4}
}

// world is one broker, one bucket, one pipeline.
type world struct {
	t       *testing.T
	dir     string
	kafka   kafka.Options
	bucket  blob.Bucket
	set     settings
	plan    *pipeline.Plan
	summary *stream.Summary
}

// fakeBroker starts the embedded broker in memory.
func fakeBroker(t *testing.T) []string {
	t.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.GroupMinSessionTimeout(100*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c.ListenAddrs()
}

func newWorld(t *testing.T, brokers []string, set settings) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), set: set, kafka: kafka.Options{Brokers: brokers}}
	w.write("orders.avsc", streamtest.OrdersSchema)
	w.write("orders.yaml", fmt.Sprintf(streamtest.OrdersYAML, brokers[0], "file://./lake", set.roll, "state"))
	w.load()
	return w
}

func (w *world) write(name, text string) {
	w.t.Helper()
	if err := os.WriteFile(filepath.Join(w.dir, name), []byte(text), 0o644); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) load() {
	w.t.Helper()
	p, err := pipeline.Load(filepath.Join(w.dir, "orders.yaml"), os.LookupEnv)
	if err != nil {
		w.t.Fatal(err)
	}
	if w.plan, err = p.Compile(); err != nil {
		w.t.Fatal(err)
	}
	p.State.CheckpointEvery, p.Commit.Every = w.set.checkpoint, w.set.commit
	if w.bucket, err = blob.Open(w.t.Context(), p.Lake.Bucket, p.Dir); err != nil {
		w.t.Fatal(err)
	}
}

// produce sends messages in their order, partitioned by key as Kafka's default partitioner does.
func (w *world) produce(messages []streamtest.Message) {
	w.t.Helper()
	ctx := w.t.Context()
	admin, err := kafka.NewAdmin(w.kafka)
	if err != nil {
		w.t.Fatal(err)
	}
	defer admin.Close()
	if err := admin.EnsureTopic(ctx, kafka.TopicSpec{Name: "orders", Partitions: w.set.partitions, Configs: map[string]string{"retention.ms": "-1"}}); err != nil {
		w.t.Fatal(err)
	}
	p, err := kafka.NewProducer(w.kafka)
	if err != nil {
		w.t.Fatal(err)
	}
	defer p.Close()
	for _, m := range messages {
		if err := p.Produce(ctx, &kafka.Record{
			Topic: "orders", Partition: w.partition(m.Key), Key: []byte(m.Key), Value: m.Value,
		}); err != nil {
			w.t.Fatal(err)
		}
	}
	if err := p.Flush(ctx); err != nil {
		w.t.Fatal(err)
	}
}

// partition is where Kafka's default partitioner puts a key.
func (w *world) partition(key string) int32 { return curated.Partition([]byte(key), w.set.partitions) }

func (w *world) options(id string) stream.Options {
	o := stream.Options{
		Plan: w.plan, Kafka: w.kafka, Bucket: w.bucket, ID: id, UntilEnd: true, Now: time.Now,
		PollRecordsMax: w.set.pollMax, LandingBytesMax: w.set.landing, RetryFor: 20 * time.Second,
	}
	if testing.Verbose() {
		o.Log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelInfo}))
	}
	return o
}

// stream runs the fast lane to the end.
func (w *world) stream() *stream.Summary {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 2*time.Minute)
	defer cancel()
	sum, err := stream.Run(ctx, w.options("a"))
	if err != nil {
		w.t.Fatalf("stream: %v", err)
	}
	w.summary = sum
	return sum
}

func (w *world) reconciler() *reconcile.Reconciler {
	w.t.Helper()
	r, err := reconcile.New(reconcile.Options{Plan: w.plan, Kafka: w.kafka, Bucket: w.bucket, Now: time.Now, Run: "test"})
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// row is a published value, in the oracle's words.
type row struct {
	values   map[string]string
	revision int64
	status   string
	cause    string
}

// published reads a curated topic as any consumer can: read committed, decoded by goavro with the published schema. It
// returns the history of each window, in the order of the topic.
func (w *world) published() map[streamtest.Window][]row {
	w.t.Helper()
	out := map[streamtest.Window][]row{}
	for i, spec := range streamtest.OrdersOutputs() {
		codec, err := goavro.NewCodec(w.plan.Codecs[i].ValueSchema())
		if err != nil {
			w.t.Fatal(err)
		}
		w.each(spec.Name, func(r *kafka.Record) {
			native, rest, err := codec.NativeFromBinary(r.Value)
			if err != nil || len(rest) > 0 {
				w.t.Fatalf("%s/%d@%d: %v, %d bytes left", r.Topic, r.Partition, r.Offset, err, len(rest))
			}
			f := plain(native.(map[string]any))
			win := streamtest.Window{Output: spec.Name, Group: streamtest.GroupText(f, spec.Group), Start: f["window_start"].(int64), End: f["window_end"].(int64)}
			v := row{values: map[string]string{}, revision: f["_revision"].(int64), status: f["_status"].(string), cause: f["_cause"].(string)}
			for _, a := range spec.Aggregates {
				v.values[a.Name] = streamtest.Text(f[a.Name])
			}
			out[win] = append(out[win], v)
		})
	}
	return out
}

// each reads every data record of a topic, partition by partition.
func (w *world) each(topic string, fn func(*kafka.Record)) {
	w.t.Helper()
	admin, err := kafka.NewAdmin(w.kafka)
	if err != nil {
		w.t.Fatal(err)
	}
	defer admin.Close()
	ends, err := admin.Offsets(w.t.Context(), topic)
	if err != nil {
		w.t.Fatal(err)
	}
	for p := range int32(len(ends)) {
		err := kafka.ReadRange(w.t.Context(), w.kafka, topic, p, ends[p].Start, ends[p].High, func(r *kafka.Record) error {
			if !r.Attrs.IsControl() {
				fn(r)
			}
			return nil
		})
		if err != nil {
			w.t.Fatal(err)
		}
	}
}

func plain(m map[string]any) streamtest.Fact {
	f := streamtest.Fact{}
	for k, v := range m {
		if u, ok := v.(map[string]any); ok && len(u) == 1 {
			for _, inner := range u {
				v = inner
			}
		}
		if ts, ok := v.(time.Time); ok {
			v = ts.UnixMilli()
		}
		f[k] = v
	}
	return f
}

// checkLake insists that every record lies in the lake exactly once.
func (w *world) checkLake(topic string, want int64) {
	w.t.Helper()
	sum, err := lake.Check(w.t.Context(), w.bucket, topic, func(f lake.Fault) {
		if !f.Kind.Harmless() {
			w.t.Errorf("lake of %s: %+v", topic, f)
		}
	})
	if err != nil {
		w.t.Fatal(err)
	}
	if got := sum.Records; got != want {
		w.t.Errorf("lake of %s holds %d records (%d quarantined), %d were produced", topic, got, sum.Quarantined, want)
	}
}

// cancelable is a context that ends with the test, or in two minutes.
func cancelable(t *testing.T) (context.Context, context.CancelFunc) {
	t.Helper()
	return context.WithTimeout(t.Context(), 2*time.Minute)
}

// loseDisk removes the local state of every task.
func (w *world) loseDisk() {
	w.t.Helper()
	if err := os.RemoveAll(filepath.Join(w.dir, "state")); err != nil {
		w.t.Fatal(err)
	}
}

// corruptDisk flips bytes in the middle of every table of every task's local state.
func (w *world) corruptDisk() {
	w.t.Helper()
	tables, err := filepath.Glob(filepath.Join(w.dir, "state", "orders", "*", "*", "*.sst"))
	if err != nil || len(tables) == 0 {
		w.t.Fatalf("no state to corrupt: %v", err)
	}
	for _, name := range tables {
		bytes, err := os.ReadFile(name)
		if err != nil {
			w.t.Fatal(err)
		}
		for i := len(bytes) / 3; i < len(bytes)/2; i++ {
			bytes[i] ^= 0xff
		}
		if err := os.WriteFile(name, bytes, 0o644); err != nil {
			w.t.Fatal(err)
		}
	}
}
