package streamtest_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tidemark-io/tidemark/stream/kafka"
	"github.com/tidemark-io/tidemark/stream/streamtest"
	"github.com/tidemark-io/tidemark/stream/streamtest/realkafka"
	"github.com/tidemark-io/tidemark/stream/streamtest/trial"
)

// TestTruthOnKafka is the main scenario on a real broker. Its source is written by transactions of which every third is
// aborted, so the log is full of control records and of records that nobody may see, at its end, too; its
// results are read by Kafka's own console consumer, which must see each just once.
func TestTruthOnKafka(t *testing.T) {
	broker := realkafka.Start(t)
	w := newWorld(t, []string{broker.Addr()}, trial.Usual())
	p := streamtest.Profile{Seed: 11, Events: 3000, Customers: 20, Late: 0.08, Duplicates: 0.05, Conflicts: 0.02, Invalid: 0.01, FarFuture: 1, Gaps: 2}
	log := p.Log()
	w.Produce(nil) // makes the topic
	w.produceInTransactions(log)

	sum := w.Stream()
	if !sum.Balanced() || sum.Counters.Consumed != int64(len(log)) {
		t.Fatalf("accounting %+v of %d records", sum.Counters, len(log))
	}
	w.CheckLake("orders", int64(len(log)))
	for _, output := range sum.Counters.Outputs {
		seen := consoleLines(t, broker, output.Name)
		if int64(len(seen)) != output.Closed {
			t.Errorf("%s: the console consumer sees %d results, %d windows were closed", output.Name, len(seen), output.Closed)
		}
		for key, n := range seen {
			if n != 1 {
				t.Errorf("%s: the console consumer sees %q %d times", output.Name, key, n)
			}
		}
	}
	proveCorrected(t, w, log, true)

	// Events of 2023 must outlive the broker's retention of a week: it goes by the record's timestamp, which is the time of
	// writing, never the event's.
	for _, topic := range []string{"orders", "orders-10m", "orders-7m", "orders-journal"} {
		w.Each(topic, func(r *kafka.Record) {
			if age := time.Since(r.Timestamp); age > time.Hour || age < -time.Hour {
				t.Fatalf("%s/%d@%d is of %s", r.Topic, r.Partition, r.Offset, r.Timestamp)
			}
		})
	}
}

// produceInTransactions sends the log in transactions of up to 100 records. Every third one is preceded by an aborted one of
// the same records, and the log ends with an aborted one.
func (w *world) produceInTransactions(log []streamtest.Message) {
	w.TB.Helper()
	ctx := w.TB.Context()
	p, err := kafka.NewTxnProducer(ctx, w.Kafka, "source")
	if err != nil {
		w.TB.Fatal(err)
	}
	defer p.Close()
	send := func(messages []streamtest.Message) {
		for _, m := range messages {
			p.Produce(ctx, &kafka.Record{Topic: "orders", Partition: w.Partition(m.Key), Key: []byte(m.Key), Value: m.Value})
		}
	}
	for i := 0; i < len(log); i += 100 {
		chunk := log[i:min(i+100, len(log))]
		if last := i+100 >= len(log); i/100%3 == 0 {
			send(chunk)
			if err := p.Abort(ctx); err != nil {
				w.TB.Fatal(err)
			}
		} else if last {
			defer func() {
				send(chunk)
				if err := p.Abort(ctx); err != nil {
					w.TB.Error(err)
				}
			}()
		}
		send(chunk)
		if err := p.Commit(ctx); err != nil {
			w.TB.Fatal(err)
		}
	}
}

// consoleLines counts what Kafka's console consumer prints of a topic, by key.
func consoleLines(t *testing.T, b *realkafka.Broker, topic string) map[string]int {
	t.Helper()
	out := b.ConsoleConsumer(t, topic,
		"--property", "print.key=true", "--property", "print.value=false",
		"--property", "key.deserializer=org.apache.kafka.common.serialization.BytesDeserializer")
	seen := map[string]int{}
	for _, line := range strings.Split(strings.TrimSpace(out), "\n") {
		if line != "" {
			seen[line]++
		}
	}
	return seen
}
