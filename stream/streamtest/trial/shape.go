package trial

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/tidemark-io/tidemark/stream"
	"github.com/tidemark-io/tidemark/stream/curated"
	"github.com/tidemark-io/tidemark/stream/kafka"
)

// Shape is a pipeline of one of the shapes in which events come to windows: rekeyed, sessions, interval, enriched, cogroup.
type Shape struct {
	*Site
	Sent []Sent // what there is to produce, in order
}

// Sent is a record of a source.
type Sent struct {
	Source    int
	Partition int32
	Value     []byte
}

// ShapeWidth is how many partitions each source has.
const ShapeWidth = 3

// NewShape makes a pipeline of a shape over a broker. Its bucket is the directory lake in Dir, its file shape.yaml.
func NewShape(tb testing.TB, brokers []string, name string) *Shape {
	tb.Helper()
	text, known := pipelines[name]
	if !known {
		tb.Fatalf("there is no shape %q", name)
	}
	s := &Shape{Site: newSite(tb, brokers, "shape.yaml", map[string]string{
		"click.avsc": clickSchema, "shape.yaml": fmt.Sprintf(head, brokers[0]) + text + tail,
	})}
	s.Load()
	return s
}

// Load reads the pipeline file again.
func (s *Shape) Load() {
	s.TB.Helper()
	s.reload()
	s.Plan.Pipeline.State.CheckpointEvery = 100 * time.Millisecond
}

// Generate makes events of every source: late ones, copies (of an unkeyed topic in any partition), values that are no event.
func (s *Shape) Generate(seed uint64, events int) {
	r := rand.New(rand.NewPCG(seed, 7))
	now := int64(1_362_880_000_000) // some hours before clocks are set forward in New York, on 10 March 2013
	for i := range events {
		now += int64(r.IntN(60_000))
		source := r.IntN(len(s.Plan.Sources))
		at := now - int64(r.IntN(40_000))
		if r.IntN(8) == 0 {
			at -= int64(r.IntN(7_200_000))
		}
		user := fmt.Sprintf("u%d", r.IntN(5))
		page := "null"
		if r.IntN(4) > 0 {
			page = fmt.Sprintf(`"p%d"`, r.IntN(4))
		}
		text := fmt.Sprintf(`{"id":"e%d","user":%q,"page":%s,"at":%d,"ms":%d}`, i, user, page, at, r.IntN(1000))
		if r.IntN(30) == 0 {
			text = text[:r.IntN(len(text))]
		}
		s.send(r, source, user, text)
		if r.IntN(6) == 0 {
			s.send(r, source, user, text)
		}
	}
}

func (s *Shape) send(r *rand.Rand, source int, user, text string) {
	partition := curated.Partition([]byte(user), ShapeWidth)
	if len(s.Plan.Sources[source].Spec.Key) == 0 {
		partition = r.Int32N(ShapeWidth)
	}
	s.Sent = append(s.Sent, Sent{source, partition, []byte(text)})
}

// Produce sends a stretch of Sent.
func (s *Shape) Produce(from, to int) {
	s.TB.Helper()
	s.makeTopics(ShapeWidth)
	var records []*kafka.Record
	for _, m := range s.Sent[from:to] {
		records = append(records, &kafka.Record{Topic: s.Plan.Sources[m.Source].Topic, Partition: m.Partition, Value: m.Value})
	}
	s.produce(records)
}

// Trickle produces the rest evenly over a time.
func (s *Shape) Trickle(from int, over time.Duration) {
	s.trickle(len(s.Sent)-from, over, func(a, b int) { s.Produce(from+a, from+b) })
}

// Run runs the fast lane to the end, in this process.
func (s *Shape) Run(id string) (*stream.Summary, error) {
	ctx, cancel := context.WithTimeout(s.TB.Context(), 2*time.Minute)
	defer cancel()
	return stream.Run(ctx, stream.Options{
		Plan: s.Plan, Kafka: s.Kafka, Bucket: s.Bucket, ID: id, UntilEnd: true, Now: time.Now, PollRecordsMax: 100, RetryFor: 30 * time.Second,
	})
}

// RunBoth runs it as two processes, a and b, which share the tasks.
func (s *Shape) RunBoth() *stream.Summary {
	s.TB.Helper()
	var wg sync.WaitGroup
	sums, errs := make([]*stream.Summary, 2), make([]error, 2)
	for i, id := range []string{"a", "b"} {
		wg.Go(func() { sums[i], errs[i] = s.Run(id) })
	}
	wg.Wait()
	for _, err := range errs {
		s.must(err)
	}
	return sums[0]
}
