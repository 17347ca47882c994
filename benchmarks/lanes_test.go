package benchmarks

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tidemark-io/tidemark/lake/blob"
	"github.com/tidemark-io/tidemark/reconcile"
	"github.com/tidemark-io/tidemark/stream"
	"github.com/tidemark-io/tidemark/stream/curated"
	"github.com/tidemark-io/tidemark/stream/kafka"
	"github.com/tidemark-io/tidemark/stream/pipeline"
)

// events of one run. More gives steadier figures and takes longer.
const events = 500_000

// BenchmarkLanes runs a keyed one-minute window over 100,000 users through both lanes, everything on: exactly once, state in
// Pebble, checkpoints, landing; then the reconciler recomputes all of it. One iteration is one whole run.
func BenchmarkLanes(b *testing.B) {
	for _, c := range []struct{ name, eventID string }{{"plain", ""}, {"dedup", "  event_id: [event_id]\n"}} {
		b.Run(c.name, func(b *testing.B) {
			for range b.N {
				b.StopTimer()
				run := prepare(b, c.eventID)
				b.StartTimer()
				report(b, "stream-cpu-s/Mevent", func() { run.stream(b) })
				report(b, "reconcile-cpu-s/Mevent", func() { run.reconcile(b) })
			}
		})
	}
}

func report(b *testing.B, unit string, what func()) {
	before := cpu(b)
	what()
	b.ReportMetric((cpu(b)-before).Seconds()/(float64(events)/1e6), unit)
}

type lanes struct {
	kafka  kafka.Options
	plan   *pipeline.Plan
	bucket blob.Bucket
}

// prepare starts a broker and fills the topic.
func prepare(b *testing.B, eventID string) *lanes {
	b.Helper()
	l := &lanes{kafka: kafka.Options{Brokers: []string{startBroker(b)}}}
	dir := b.TempDir()
	for name, content := range map[string]string{
		"payment.avsc": paymentSchema, "payments.yaml": fmt.Sprintf(paymentPipeline, l.kafka.Brokers[0], eventID),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	p, err := pipeline.Load(filepath.Join(dir, "payments.yaml"), os.LookupEnv)
	if err != nil {
		b.Fatal(err)
	}
	if l.plan, err = p.Compile(); err != nil {
		b.Fatal(err)
	}
	if l.bucket, err = blob.Open(b.Context(), p.Lake.Bucket, p.Dir); err != nil {
		b.Fatal(err)
	}
	l.fill(b)
	return l
}

func (l *lanes) fill(b *testing.B) {
	b.Helper()
	const partitions = 4
	admin, err := kafka.NewAdmin(l.kafka)
	if err != nil {
		b.Fatal(err)
	}
	defer admin.Close()
	if err := admin.EnsureTopic(b.Context(), kafka.TopicSpec{Name: "payments", Partitions: partitions}); err != nil {
		b.Fatal(err)
	}
	producer, err := kafka.NewProducer(l.kafka)
	if err != nil {
		b.Fatal(err)
	}
	defer producer.Close()
	source := newPayments(1)
	for range events {
		key, value := source.next()
		if err := producer.Produce(b.Context(), &kafka.Record{Topic: "payments", Partition: curated.Partition(key, partitions), Key: key, Value: value}); err != nil {
			b.Fatal(err)
		}
	}
	if err := producer.Flush(b.Context()); err != nil {
		b.Fatal(err)
	}
}

func (l *lanes) stream(b *testing.B) {
	b.Helper()
	sum, err := stream.Run(b.Context(), stream.Options{Plan: l.plan, Kafka: l.kafka, Bucket: l.bucket, ID: "bench", UntilEnd: true, Now: time.Now})
	if err != nil {
		b.Fatal(err)
	}
	if sum.Counters.Consumed != events || !sum.Balanced() {
		b.Fatalf("%+v", sum.Counters)
	}
}

func (l *lanes) reconcile(b *testing.B) {
	b.Helper()
	r, err := reconcile.New(reconcile.Options{Plan: l.plan, Kafka: l.kafka, Bucket: l.bucket, Now: time.Now, Run: "bench"})
	if err != nil {
		b.Fatal(err)
	}
	report, err := r.Apply(b.Context(), reconcile.ApplyOptions{})
	if err != nil {
		b.Fatal(err)
	}
	if report.Certified == 0 {
		b.Fatal("nothing was certified")
	}
}
