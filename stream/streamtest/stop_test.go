package streamtest_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/tidemark-io/tidemark/stream"
	"github.com/tidemark-io/tidemark/stream/streamtest"
	"github.com/tidemark-io/tidemark/stream/streamtest/trial"
)

// small is a log that runs in a moment.
func small(seed uint64) streamtest.Profile {
	return streamtest.Profile{Seed: seed, Events: 200, Customers: 8, Late: 0.1, Duplicates: 0.05}
}

// stopsWith runs the pipeline and insists that it ends with an error that names what, where and what to do.
func (w *world) stopsWith(words ...string) error {
	w.TB.Helper()
	ctx, cancel := cancelable(w.TB)
	defer cancel()
	_, err := stream.Run(ctx, w.Options("a"))
	if err == nil {
		w.TB.Fatal("the run went on")
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			w.TB.Errorf("%q is not in: %v", word, err)
		}
	}
	var stopped *stream.StoppedError
	if errors.As(err, &stopped) {
		w.toldFromOutside(stopped)
	}
	return err
}

// toldFromOutside insists that the bucket says of each stopped task that it has stopped, why, and what to do.
func (w *world) toldFromOutside(stopped *stream.StoppedError) {
	w.TB.Helper()
	told := 0
	for task := range w.Set.Partitions {
		stop, err := stream.ReadStop(w.TB.Context(), w.Bucket, w.Plan.Pipeline.Name, task)
		must(w.TB, err)
		if stop == nil {
			continue
		}
		if told++; !strings.Contains(stopped.Error(), stop.Error) || stop.Process != "a" || len(stop.Inputs) != 1 {
			w.TB.Errorf("told from outside: %+v, stopped: %v", stop, stopped)
		}
	}
	if told != len(stopped.Tasks) {
		w.TB.Errorf("%d tasks have stopped, %d from outside", len(stopped.Tasks), told)
	}
}

// edit changes the pipeline file: pairs of old and new text.
func (w *world) edit(pairs ...string) {
	w.TB.Helper()
	text, err := os.ReadFile(filepath.Join(w.Dir, "orders.yaml"))
	if err != nil {
		w.TB.Fatal(err)
	}
	for i := 0; i < len(pairs); i += 2 {
		if !bytes.Contains(text, []byte(pairs[i])) {
			w.TB.Fatalf("%q is not in the pipeline file", pairs[i])
		}
	}
	w.Write("orders.yaml", strings.NewReplacer(pairs...).Replace(string(text)))
	w.Load()
}

// An unknown schema id stops its task before the record, and nothing else: the other tasks go on, everything before it is
// committed and landed, and with the id declared the run completes with nothing lost.
func TestUnknownSchemaIDStopsItsTaskOnly(t *testing.T) {
	w := newWorld(t, fakeBroker(t), trial.Usual())
	w.edit("format: avro-raw", "format: avro", "schema: {file: orders.avsc}", "schema: {file: orders.avsc, ids: [7]}")
	log := small(21).Log()
	for i := range log {
		id := byte(7)
		if i == 100 {
			id = 8
		}
		log[i].Value = append([]byte{0, 0, 0, 0, id}, log[i].Value...)
	}
	w.Produce(log)
	err := w.stopsWith("schema id 8", "source.schema.ids", "orders/")
	var stopped *stream.StoppedError
	if !errors.As(err, &stopped) || len(stopped.Tasks) != 1 {
		t.Fatalf("want one stopped task: %v", err)
	}
	w.edit("ids: [7]", "ids: [7, 8]")
	sum := w.Stream()
	if sum.Counters.Consumed != int64(len(log)) || !sum.Balanced() {
		t.Errorf("accounting after the schema is known: %+v", sum.Counters)
	}
	w.CheckLake("orders", int64(len(log)))
}

// A record in a partition that its key does not belong to would split a group over two tasks.
func TestKeyMismatchStops(t *testing.T) {
	w := newWorld(t, fakeBroker(t), trial.Usual())
	log := small(22).Log()
	log[50].Key = "somebody else" // decides the partition; the event's own customer field stays
	for log[50].Value != nil && samePartition(w, log, 50) {
		log[50].Key += "!"
	}
	w.Produce(log)
	w.stopsWith("source.key [customer]", "belongs to partition", "produce with the default (murmur2) partitioner")
}

func samePartition(w *world, log []streamtest.Message, i int) bool {
	good := small(22).Log()[i]
	return w.Partition(good.Key) == w.Partition(log[i].Key)
}

// Offsets are never reset: neither when the group's are gone, nor when the topic is another one.
func TestLostOffsetsStop(t *testing.T) {
	w := newWorld(t, fakeBroker(t), trial.Usual())
	w.Produce(small(23).Log())
	w.Stream()
	w.admin(func(ctx context.Context, adm *kadm.Client) error {
		_, err := adm.DeleteGroup(ctx, "orders")
		return err
	})
	w.stopsWith("the task has lived before", "new name")
}

func TestRecreatedTopicStops(t *testing.T) {
	w := newWorld(t, fakeBroker(t), trial.Usual())
	w.Produce(small(24).Log())
	w.Stream()
	w.admin(func(ctx context.Context, adm *kadm.Client) error {
		_, err := adm.DeleteTopic(ctx, "orders")
		return err
	})
	w.Produce(small(25).Log())
	w.stopsWith("orders", "topic")
}

// Another definition of the results must not run on the old one's state, nor publish.
func TestChangedFingerprintRefuses(t *testing.T) {
	w := newWorld(t, fakeBroker(t), trial.Usual())
	w.Produce(small(26).Log())
	w.Stream()
	before := w.Published()
	w.edit("amount > 100.0", "amount > 50.0")
	err := w.stopsWith("fingerprint", "tidemark change -f FILE --reason")
	var fp *stream.FingerprintError
	if !errors.As(err, &fp) {
		t.Errorf("not a FingerprintError: %v", err)
	}
	if !trial.SameHistory(before, w.Published()) {
		t.Error("it published")
	}
	w.edit("amount > 50.0", "amount > 100.0")
	w.Stream()
}

// A changed setting that decides no result does not stand in the way.
func TestOtherSettingsMayChange(t *testing.T) {
	w := newWorld(t, fakeBroker(t), trial.Usual())
	w.Produce(small(27).Log())
	w.Stream()
	w.edit("memory_max: 192MiB", "memory_max: 256MiB", "bytes_max: 1MiB", "bytes_max: 2MiB")
	w.Stream()
}

// One event of 10 MB, a huge length prefix, a null and truncated bytes: each has its fate, and memory its bounds.
func TestHostileRecords(t *testing.T) {
	broker := fakeBroker(t)
	w := newWorld(t, broker, trial.Usual())
	log := small(28).Log()
	big := streamtest.Message{Key: "c1", Value: streamtest.BigOrder("c1", 10<<20)}
	hostile := []streamtest.Message{
		{Key: "c1", Value: []byte{0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}},
		{Key: "c1", Value: nil},
		{Key: "c1", Value: log[0].Value[:len(log[0].Value)/2]},
		{Key: "", Value: []byte("not avro at all")},
	}
	w.Produce(append(log[:100:100], hostile...))
	w.produceBig(big)
	w.Produce(log[100:])
	sum := w.Stream()
	if sum.Counters.Invalid != 4 || !sum.Balanced() {
		t.Errorf("accounting: %+v, want 4 invalid", sum.Counters)
	}
	w.CheckLake("orders", int64(len(log)+len(hostile)+1))
	proveCorrected(t, w, append(log, big), true)
}

// produceBig sends a message beyond the usual limits of topics and producers.
func (w *world) produceBig(m streamtest.Message) {
	w.TB.Helper()
	limit := "16777216"
	w.admin(func(ctx context.Context, adm *kadm.Client) error {
		_, err := adm.AlterTopicConfigs(ctx, []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "max.message.bytes", Value: &limit}}, "orders")
		return err
	})
	cl, err := kgo.NewClient(kgo.SeedBrokers(w.Kafka.Brokers...), kgo.ProducerBatchMaxBytes(16<<20), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		w.TB.Fatal(err)
	}
	defer cl.Close()
	r := &kgo.Record{Topic: "orders", Partition: w.Partition(m.Key), Key: []byte(m.Key), Value: m.Value}
	if err := cl.ProduceSync(w.TB.Context(), r).FirstErr(); err != nil {
		w.TB.Fatal(err)
	}
}

// admin lets a test do to the cluster what an operator may.
func (w *world) admin(fn func(context.Context, *kadm.Client) error) {
	w.TB.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(w.Kafka.Brokers...))
	if err != nil {
		w.TB.Fatal(err)
	}
	defer cl.Close()
	if err := fn(w.TB.Context(), kadm.NewClient(cl)); err != nil {
		w.TB.Fatal(err)
	}
}

// A topic that has grown has moved keys between partitions.
func TestGrownTopicRefuses(t *testing.T) {
	w := newWorld(t, fakeBroker(t), trial.Usual())
	w.Produce(small(29).Log())
	w.Stream()
	w.admin(func(ctx context.Context, adm *kadm.Client) error {
		_, err := adm.CreatePartitions(ctx, 1, "orders")
		return err
	})
	w.stopsWith("orders-journal has 4 partitions, expected 5", "tidemark change")
}

// When neither disk nor checkpoint is left, retention has passed what would have to be replayed, and the lake doesn't hold it
// either, tasks stop: a state that begins in the middle would give wrong results that look right.
func TestReplayPastRetentionAndLakeStops(t *testing.T) {
	w := newWorld(t, fakeBroker(t), trial.Usual())
	w.Produce(small(30).Log())
	w.Stream()
	w.LoseDisk()
	for _, gone := range []string{"checkpoints", filepath.Join("raw", "orders", "_log")} {
		if err := os.RemoveAll(filepath.Join(w.Dir, "lake", gone)); err != nil {
			t.Fatal(err)
		}
	}
	w.admin(func(ctx context.Context, adm *kadm.Client) error {
		ends, err := adm.ListEndOffsets(ctx, "orders")
		if err != nil {
			return err
		}
		_, err = adm.DeleteRecords(ctx, ends.Offsets())
		return err
	})
	w.Load()
	before := w.Published()
	w.stopsWith("offsets 0 to", "nothing of it is in the lake", "retention has passed what the task must read", "is it the right bucket?")
	if !trial.SameHistory(before, w.Published()) {
		t.Error("it published")
	}
}

// Two processes of one id would fence each other off for ever: the second is refused before it touches the group.
func TestSecondProcessOfOneIDIsRefused(t *testing.T) {
	w := newWorld(t, fakeBroker(t), trial.Usual())
	w.Produce(small(35).Log())
	ctx, cancel := cancelable(t)
	defer cancel()
	running, ended := make(chan bool), make(chan error, 1)
	o := w.Options("a")
	o.UntilEnd = false
	once := sync.OnceFunc(func() { close(running) })
	var rebuilds int64
	o.Observe = func(s stream.Status) {
		rebuilds = s.Rebuilds
		if len(s.Tasks) == 4 {
			once()
		}
	}
	go func() { _, err := stream.Run(ctx, o); ended <- err }()
	<-running
	w.stopsWith("runs as \"a\" already", "--id")
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) || rebuilds != 0 {
		t.Errorf("the first was disturbed: %v, %d rebuilds", err, rebuilds)
	}
}
