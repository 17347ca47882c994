package kafka_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tidemark-io/tidemark/stream/kafka"
)

// A new producer of an id ends what the old one had open before it returns, and the old one can't commit (invariant 5).
func TestTxnProducerFences(t *testing.T) {
	onEach(t, func(t *testing.T, c *cluster) {
		ctx := context.Background()
		out, id := c.topic(t, "out", 1), c.name(t, "id")
		old, err := kafka.NewTxnProducer(ctx, c.o, id)
		must(t, err)
		defer old.Close()
		old.Produce(ctx, record(out, "kept"))
		must(t, old.Commit(ctx))
		old.Produce(ctx, record(out, "lost"))
		waitFor(t, func() bool { return c.high(t, out) == 3 }) // record, marker, record

		heir, err := kafka.NewTxnProducer(ctx, c.o, id)
		must(t, err)
		defer heir.Close()
		if err := old.Commit(ctx); !errors.Is(err, kafka.ErrFenced) {
			t.Errorf("the old producer's commit: %v; want ErrFenced", err)
		}
		old.Produce(ctx, record(out, "lost too"))
		if err := old.Commit(ctx); !errors.Is(err, kafka.ErrFenced) {
			t.Errorf("its second: %v; want ErrFenced", err)
		}
		heir.Produce(ctx, record(out, "heir's"))
		must(t, heir.Commit(ctx))
		must(t, heir.Commit(ctx)) // of nothing
		if got := c.values(t, out, 0); !slices.Equal(got, []string{"kept", "heir's"}) {
			t.Errorf("out holds %q", got)
		}
	})
}

// An aborted transaction leaves nothing, and the producer goes on.
func TestTxnProducerAborts(t *testing.T) {
	onEach(t, func(t *testing.T, c *cluster) {
		ctx := context.Background()
		out := c.topic(t, "out", 1, "max.message.bytes", "1000")
		p, err := kafka.NewTxnProducer(ctx, c.o, c.name(t, "id"))
		must(t, err)
		defer p.Close()
		for i := range 3 {
			p.Produce(ctx, record(out, fmt.Sprint("a", i)))
			must(t, p.Abort(ctx))
			p.Produce(ctx, record(out, fmt.Sprint("b", i)))
			must(t, p.Commit(ctx))
		}
		if got := c.values(t, out, 0); !slices.Equal(got, []string{"b0", "b1", "b2"}) {
			t.Errorf("out holds %q", got)
		}
		p.Produce(ctx, record(out, "good"))
		p.Produce(ctx, &kafka.Record{Topic: out, Value: noise(5000)})
		if err := p.Commit(ctx); err == nil || !strings.Contains(err.Error(), "MESSAGE_TOO_LARGE") {
			t.Errorf("a transaction with a refused record: %v", err)
		}
		if err := p.Commit(ctx); err == nil {
			t.Error("the producer went on after a failed commit")
		}
	})
}

// A producer whose answer to EndTxn is lost says that it does not know.
func TestTxnProducerUnknownOutcome(t *testing.T) {
	c := onFake(t, kfake.NumBrokers(1))
	ctx := context.Background()
	out := c.topic(t, "out", 1)
	p, err := kafka.NewTxnProducer(ctx, c.o, c.name(t, "id"))
	must(t, err)
	defer p.Close()
	p.Produce(ctx, record(out, "x"))
	c.fake.ControlKey(keyEndTxn, func(kmsg.Request) (kmsg.Response, error, bool) {
		c.fake.KeepControl()
		return nil, errors.New("the connection breaks"), true
	})
	if err := p.Commit(ctx); !errors.Is(err, kafka.ErrUnknownOutcome) {
		t.Errorf("Commit: %v; want ErrUnknownOutcome", err)
	}
}

// Records of a partition keep their order, and each is written once, while connections break.
func TestProducerKeepsOrder(t *testing.T) {
	const records = 2000
	c := onFake(t, kfake.NumBrokers(1))
	ctx := context.Background()
	out := c.topic(t, "out", 2)
	broken := 0
	c.fake.ControlKey(keyProduce, func(kmsg.Request) (kmsg.Response, error, bool) {
		c.fake.KeepControl()
		if broken++; broken%3 == 0 {
			return nil, errors.New("the connection breaks"), true
		}
		return nil, nil, false
	})
	p, err := kafka.NewProducer(c.o)
	must(t, err)
	defer p.Close()
	for i := range records {
		must(t, p.Produce(ctx, &kafka.Record{Topic: out, Partition: int32(i % 2), Value: fmt.Append(nil, i/2)}))
		if i%100 == 0 {
			must(t, p.Flush(ctx))
		}
	}
	must(t, p.Flush(ctx))
	if got := p.Acknowledged(); got != records {
		t.Errorf("%d acknowledged", got)
	}
	for partition := range int32(2) {
		if got := c.values(t, out, partition); !slices.Equal(got, wanted(0, records/2)) {
			t.Errorf("partition %d holds %d records, want %d in order", partition, len(got), records/2)
		}
	}
}

// Produce waits for room, and no longer than its context.
func TestProducerIsBounded(t *testing.T) {
	c := onFake(t, kfake.NumBrokers(1))
	out := c.topic(t, "out", 1)
	c.fake.ControlKey(keyProduce, func(kmsg.Request) (kmsg.Response, error, bool) {
		c.fake.KeepControl()
		return nil, errors.New("the connection breaks"), true
	})
	p, err := kafka.NewProducer(c.o)
	must(t, err)
	defer p.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
	defer cancel()
	value := make([]byte, 512<<10)
	for n := 0; ; n++ {
		if n > 100 {
			t.Fatal("50 MiB were buffered")
		}
		if err := p.Produce(ctx, &kafka.Record{Topic: out, Value: value}); errors.Is(err, context.DeadlineExceeded) {
			return
		}
	}
}

// A producer whose broker is gone gives up, flushing and waiting for room alike (invariant 7).
func TestProducerGivesUp(t *testing.T) {
	c := onFake(t, kfake.NumBrokers(1))
	ctx := context.Background()
	out := c.topic(t, "out", 1)
	p, err := kafka.NewProducer(c.o)
	must(t, err)
	defer p.Close()
	p.SetStall(200 * time.Millisecond)
	must(t, p.Produce(ctx, record(out, "x")))
	must(t, p.Flush(ctx))
	c.fake.Close()
	must(t, p.Produce(ctx, record(out, "y")))
	if err := p.Flush(ctx); err == nil || !strings.Contains(err.Error(), "acknowledged nothing for 200ms") {
		t.Errorf("Flush: %v", err)
	}
	for range 100 {
		if err = p.Produce(ctx, &kafka.Record{Topic: out, Value: make([]byte, 512<<10)}); err != nil {
			break
		}
	}
	if err == nil || !strings.Contains(err.Error(), "acknowledged nothing for 200ms") {
		t.Errorf("Produce: %v", err)
	}
}

// A record may be as old as its event: what `tidemark produce` sends often is.
func TestProducerTakesOldTimestamps(t *testing.T) {
	onEach(t, func(t *testing.T, c *cluster) {
		out := c.topic(t, "out", 1, "retention.ms", "-1")
		p, err := kafka.NewProducer(c.o)
		must(t, err)
		defer p.Close()
		must(t, p.Produce(context.Background(), &kafka.Record{Topic: out, Value: []byte("x"), Timestamp: time.Unix(1357020000, 0)}))
		must(t, p.Flush(context.Background()))
	})
}

func TestAdminTopics(t *testing.T) {
	onEach(t, func(t *testing.T, c *cluster) {
		ctx := context.Background()
		topic := c.topic(t, "t", 3, "cleanup.policy", "compact")
		must(t, c.admin.EnsureTopic(ctx, kafka.TopicSpec{Name: topic, Partitions: 3}))
		if err := c.admin.EnsureTopic(ctx, kafka.TopicSpec{Name: topic, Partitions: 4}); err == nil || !strings.Contains(err.Error(), "has 3 partitions, not 4") {
			t.Errorf("another number of partitions: %v", err)
		}
		if err := c.admin.EnsureTopic(ctx, kafka.TopicSpec{Name: "no/name", Partitions: 1}); err == nil && c.real != nil {
			t.Error("a topic with an impossible name") // kfake takes any
		}
		info, err := c.admin.Topic(ctx, topic)
		must(t, err)
		if info.Partitions != 3 || len(info.LeaderEpochs) != 3 || info.Name != topic {
			t.Errorf("described as %+v", info)
		}
		configs, err := c.raw(t).DescribeTopicConfigs(ctx, topic)
		must(t, err)
		for _, config := range configs[0].Configs {
			if config.Key == "cleanup.policy" && *config.Value != "compact" {
				t.Errorf("cleanup.policy is %s", *config.Value)
			}
		}
	})
}

func TestAdminOffsetsAfterTime(t *testing.T) {
	onEach(t, func(t *testing.T, c *cluster) {
		ctx := context.Background()
		topic := c.topic(t, "t", 2)
		p, err := kafka.NewProducer(c.o)
		must(t, err)
		defer p.Close()
		at := time.Now().Truncate(time.Second)
		for i := range 5 {
			must(t, p.Produce(ctx, &kafka.Record{Topic: topic, Value: []byte("v"), Timestamp: at.Add(time.Duration(i) * time.Second)}))
			must(t, p.Flush(ctx))
		}
		for seconds, want := range map[time.Duration]int64{-10: 0, 0: 0, 2: 2, 4: 4, 5: 5} {
			got, err := c.admin.OffsetsAfterTime(ctx, topic, at.Add(seconds*time.Second))
			if err != nil || got[0] != want || got[1] != 0 {
				t.Errorf("after %d s: %v (%v), want %d and 0", seconds, got, err, want)
			}
		}
	})
}

// While a commit is on its way, committed offsets are waited for: what was committed before it is not an answer.
func TestCommittedWaitsForStable(t *testing.T) {
	onEach(t, func(t *testing.T, c *cluster) {
		ctx := context.Background()
		in, out := c.topic(t, "in", 1), c.topic(t, "out", 1)
		w := c.worker(t, c.name(t, "group"), "a", in, out)
		w.o.CommitTimeout = time.Second
		lose := c.loseEndTxn(t, w)
		w.open(t).settle(t)
		must(t, w.session.Commit(ctx, cutAt(0, "before")))
		c.committed(t, w, 0, 0, "before")
		lose()
		if err := w.session.Commit(ctx, cutAt(5, "on its way")); err == nil {
			t.Fatal("a commit whose end was lost was confirmed")
		}
		short, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
		defer cancel()
		if got, err := c.admin.Committed(short, w.o.Group, in); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("committed %v (%v); want to wait", got, err)
		}
		// The transaction is ended by who takes over its id, or by its timeout.
		p, err := kafka.NewTxnProducer(ctx, c.o, w.o.TransactionalID)
		must(t, err)
		defer p.Close()
		c.committed(t, w, 0, 0, "before")
	})
}
