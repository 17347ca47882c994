package trial

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/tidemark-io/tidemark/stream"
	"github.com/tidemark-io/tidemark/stream/curated"
	"github.com/tidemark-io/tidemark/stream/kafka"
	"github.com/tidemark-io/tidemark/stream/streamtest"
)

// Settings are what must not change a result.
type Settings struct {
	PollMax    int
	Commit     time.Duration // commit and checkpoint may be finer than the file allows; the real program obeys the file
	Checkpoint time.Duration
	Roll       string
	Partitions int32
	Landing    int64 // bytes; 0: the default
}

// Usual are the settings of most tests.
func Usual() Settings {
	return Settings{PollMax: 1000, Commit: 20 * time.Millisecond, Checkpoint: 100 * time.Millisecond, Roll: "1m", Partitions: 4}
}

// World is the orders pipeline of package streamtest: two outputs, every aggregate, every numeric type.
type World struct {
	*Site
	Set     Settings
	Summary *stream.Summary // of the last Stream
}

// New makes a world over a broker. Its bucket is the directory lake in Dir, its file orders.yaml.
func New(tb testing.TB, brokers []string, set Settings) *World {
	tb.Helper()
	s := newSite(tb, brokers, "orders.yaml", map[string]string{
		"orders.avsc": streamtest.OrdersSchema,
		"orders.yaml": fmt.Sprintf(streamtest.OrdersYAML, brokers[0], "file://./lake", set.Roll, "state"),
	})
	w := &World{Site: s, Set: set}
	w.Load()
	return w
}

// Load reads the pipeline file again.
func (w *World) Load() {
	w.TB.Helper()
	w.reload()
	w.Plan.Pipeline.State.CheckpointEvery, w.Plan.Pipeline.Commit.Every = w.Set.Checkpoint, w.Set.Commit
}

// Produce sends messages in their order, partitioned by key as Kafka's default partitioner does.
func (w *World) Produce(messages []streamtest.Message) {
	w.TB.Helper()
	w.makeTopics(w.Set.Partitions)
	var records []*kafka.Record
	for _, m := range messages {
		records = append(records, &kafka.Record{Topic: "orders", Partition: w.Partition(m.Key), Key: []byte(m.Key), Value: m.Value})
	}
	w.produce(records)
}

// Trickle produces the log evenly over a time, in portions.
func (w *World) Trickle(log []streamtest.Message, over time.Duration) {
	w.trickle(len(log), over, func(from, to int) { w.Produce(log[from:to]) })
}

// Partition is where Kafka's default partitioner puts a key.
func (w *World) Partition(key string) int32 { return curated.Partition([]byte(key), w.Set.Partitions) }

// Options of the fast lane in this process, to the end of what the topic holds.
func (w *World) Options(id string) stream.Options {
	o := stream.Options{
		Plan: w.Plan, Kafka: w.Kafka, Bucket: w.Bucket, ID: id, UntilEnd: true, Now: time.Now,
		PollRecordsMax: w.Set.PollMax, LandingBytesMax: w.Set.Landing, RetryFor: 20 * time.Second,
	}
	if testing.Verbose() {
		o.Log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelInfo}))
	}
	return o
}

// Stream runs the fast lane to the end, in this process.
func (w *World) Stream() *stream.Summary {
	w.TB.Helper()
	ctx, cancel := context.WithTimeout(w.TB.Context(), 2*time.Minute)
	defer cancel()
	sum, err := stream.Run(ctx, w.Options("a"))
	if err != nil {
		w.TB.Fatalf("stream: %v", err)
	}
	w.Summary = sum
	return sum
}
