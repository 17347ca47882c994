package kafka_test

import (
	"context"
	"crypto/rand"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/tidemark-io/tidemark/stream/kafka"
)

// raw is a client for what tests do to a cluster behind the package's back.
func (c *cluster) raw(t *testing.T) *kadm.Client {
	t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(c.o.Brokers...))
	must(t, err)
	t.Cleanup(cl.Close)
	return kadm.NewClient(cl)
}

// startAt makes the worker start its partition 0 at the offset.
func (w *worker) startAt(offset int64) *worker {
	w.o.OnAssigned = func(context.Context, []int32) (kafka.Starts, error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.assigned++
		w.next = map[int32]int64{0: offset}
		return kafka.Starts{w.o.Topics[0]: maps.Clone(w.next)}, nil
	}
	return w
}

// An offset that is not in the log is an error, never a reset: not to the beginning, not to the end (invariant 4).
func TestOffsetOutOfRange(t *testing.T) {
	onEach(t, func(t *testing.T, c *cluster) {
		ctx := context.Background()
		in, out := c.topic(t, "in", 1), c.topic(t, "out", 1)
		c.fill(t, in, 0, 0, 10)
		var offsets kadm.Offsets
		offsets.Add(kadm.Offset{Topic: in, Partition: 0, At: 5})
		_, err := c.raw(t).DeleteRecords(ctx, offsets)
		must(t, err)
		for _, start := range []int64{0, 4, 11} {
			w := c.worker(t, c.name(t, "group"), "a", in, out).startAt(start).open(t)
			err := w.step(ctx, 10)
			if !errors.Is(err, kafka.ErrOutOfRange) || !strings.Contains(err.Error(), in+"/0") {
				t.Errorf("a session at %d: %v; want ErrOutOfRange with the partition", start, err)
			}
			w.session.Close()
			if err := kafka.ReadRange(ctx, c.o, in, 0, start, 12, func(*kafka.Record) error { return nil }); !errors.Is(err, kafka.ErrOutOfRange) {
				t.Errorf("a range at %d: %v; want ErrOutOfRange", start, err)
			}
		}
		w := c.worker(t, c.name(t, "group"), "a", in, out).startAt(5).open(t)
		w.copyTo(t, 0, 10)
	})
}

// A topic that is deleted and created again is another topic: it has another id, and a session does not read on (pinot#8309).
func TestTopicRecreated(t *testing.T) {
	onEach(t, func(t *testing.T, c *cluster) {
		ctx := context.Background()
		in, out := c.topic(t, "in", 1), c.topic(t, "out", 1)
		before, err := c.admin.Topic(ctx, in)
		must(t, err)
		c.fill(t, in, 0, 0, 5)
		w := c.worker(t, c.name(t, "group"), "a", in, out).open(t)
		w.copyTo(t, 0, 5)
		must(t, w.commit(ctx))

		_, err = c.raw(t).DeleteTopic(ctx, in)
		must(t, err)
		if err := w.step(ctx, 10); !errors.Is(err, kafka.ErrNoTopic) {
			t.Errorf("a session of a deleted topic: %v; want ErrNoTopic", err)
		}
		waitFor(t, func() bool { _, err := c.admin.Topic(ctx, in); return errors.Is(err, kafka.ErrNoTopic) })
		c.topic(t, "in", 1)
		c.fill(t, in, 0, 100, 110)
		after, err := c.admin.Topic(ctx, in)
		must(t, err)
		if before.ID == after.ID || len(after.ID) != 22 {
			t.Errorf("the topic's id was %q and is %q", before.ID, after.ID)
		}
		if err := w.step(ctx, 10); !errors.Is(err, kafka.ErrNoTopic) {
			t.Errorf("the session, after the topic was created again: %v; want ErrNoTopic", err)
		}
	})
}

func TestNoTopic(t *testing.T) {
	onEach(t, func(t *testing.T, c *cluster) {
		ctx := context.Background()
		none, out := c.name(t, "none"), c.topic(t, "out", 1)
		_, topicErr := c.admin.Topic(ctx, none)
		_, offsetsErr := c.admin.Offsets(ctx, none)
		_, committedErr := c.admin.Committed(ctx, c.name(t, "group"), none)
		_, sessionErr := kafka.NewSession(ctx, c.worker(t, c.name(t, "group"), "a", none, out).o)
		rangeErr := kafka.ReadRange(ctx, c.o, none, 0, 0, 1, nil)
		partitionErr := kafka.ReadRange(ctx, c.o, out, 7, 0, 1, nil)
		for what, err := range map[string]error{
			"Topic": topicErr, "Offsets": offsetsErr, "Committed": committedErr, "NewSession": sessionErr,
			"ReadRange": rangeErr, "ReadRange of a partition": partitionErr,
		} {
			if !errors.Is(err, kafka.ErrNoTopic) {
				t.Errorf("%s: %v; want ErrNoTopic", what, err)
			}
		}
	})
}

// What OnAssigned answers is what Poll returns, and no partition is read without a start.
func TestOnAssignedFails(t *testing.T) {
	onEach(t, func(t *testing.T, c *cluster) {
		in, out := c.topic(t, "in", 2), c.topic(t, "out", 1)
		broken := errors.New("the disk is full")
		for want, answer := range map[string]func(context.Context, []int32) (kafka.Starts, error){
			"the disk is full": func(context.Context, []int32) (kafka.Starts, error) { return nil, broken },
			"partition 1":      func(context.Context, []int32) (kafka.Starts, error) { return kafka.Starts{in: {0: 0}}, nil },
		} {
			w := c.worker(t, c.name(t, "group"), "a", in, out)
			w.o.OnAssigned = answer
			w.open(t)
			if err := w.step(context.Background(), 1); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("Poll: %v; want %q", err, want)
			}
			w.session.Close()
		}
	})
}

// A record that the broker refuses makes Commit fail; the transaction is not committed without it.
func TestProduceFailureSurfacesInCommit(t *testing.T) {
	onEach(t, func(t *testing.T, c *cluster) {
		ctx := context.Background()
		in, out := c.topic(t, "in", 1), c.topic(t, "out", 1, "max.message.bytes", "1000")
		for what, bad := range map[string]*kafka.Record{
			"too large":    {Topic: out, Value: noise(5000)},
			"no partition": {Topic: out, Partition: 9, Value: []byte("x")},
			"no topic":     {Topic: c.name(t, "none"), Value: []byte("x")},
		} {
			w := c.worker(t, c.name(t, "group"), "a", in, out).open(t).settle(t)
			w.session.Produce(ctx, record(out, "good"))
			w.session.Produce(ctx, bad)
			if err := w.commit(ctx); err == nil || !strings.Contains(err.Error(), "produce to "+bad.Topic) {
				t.Errorf("%s: Commit: %v", what, err)
			}
			w.session.Close()
		}
		w := c.worker(t, c.name(t, "group"), "a", in, out).open(t).settle(t)
		must(t, w.commit(ctx))
		if got := c.values(t, out, 0); len(got) != 0 {
			t.Errorf("out holds %q", got)
		}
	})
}

// noise is n bytes that no codec makes smaller.
func noise(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}

// Kafka answers offsets partition by partition: one that is refused fails the commit, and nothing is published.
func TestRefusedOffsets(t *testing.T) {
	c := onKafka(t) // kfake takes metadata of any size
	ctx := context.Background()
	in, out := c.topic(t, "in", 2), c.topic(t, "out", 1)
	w := c.worker(t, c.name(t, "group"), "a", in, out).open(t).settle(t)
	w.session.Produce(ctx, record(out, "x"))
	cut := w.cut()
	cut[1].Metadata = strings.Repeat("x", 5000)
	if err := w.session.Commit(ctx, cut); err == nil || !strings.Contains(err.Error(), "partition 1: OFFSET_METADATA_TOO_LARGE") {
		t.Errorf("Commit: %v", err)
	}
	w.session.Close()
	w.open(t)
	if committed, err := c.admin.Committed(ctx, w.o.Group, in); err != nil || len(committed) != 0 {
		t.Errorf("committed %v (%v)", committed, err)
	}
	if got := c.values(t, out, 0); len(got) != 0 {
		t.Errorf("out holds %q", got)
	}
}

func TestCommitNeedsOffsets(t *testing.T) {
	c := onFake(t)
	in, out := c.topic(t, "in", 1), c.topic(t, "out", 1)
	w := c.worker(t, c.name(t, "group"), "a", in, out).open(t).settle(t)
	must(t, w.session.Commit(context.Background(), nil)) // nothing to commit
	w.session.Produce(context.Background(), record(out, "x"))
	if err := w.session.Commit(context.Background(), nil); err == nil {
		t.Error("records were committed without offsets")
	}
}

// Poll keeps to its bound, and a paused partition is not read until it is resumed.
func TestPollBoundsAndPause(t *testing.T) {
	onEach(t, func(t *testing.T, c *cluster) {
		ctx := context.Background()
		in := c.topic(t, "in", 2)
		c.fill(t, in, 0, 0, 50)
		c.fill(t, in, 1, 0, 50)
		w := c.worker(t, c.name(t, "group"), "a", in, in).open(t)
		w.session.Pause(1)
		var got [2][]string
		poll := func(until func() bool) {
			for !until() {
				batches, err := w.session.Poll(ctx, 7)
				must(t, err)
				n := 0
				for _, b := range batches {
					n += len(b.Records)
					for _, r := range b.Records {
						got[b.Partition] = append(got[b.Partition], string(r.Value))
					}
				}
				if n > 7 {
					t.Errorf("a poll of at most 7 returned %d", n)
				}
			}
		}
		poll(func() bool { return len(got[0]) == 50 })
		if len(got[1]) != 0 {
			t.Errorf("a paused partition was read: %q", got[1])
		}
		w.session.Resume(1)
		poll(func() bool { return len(got[1]) == 50 })
		for p := range got {
			if !slices.Equal(got[p], wanted(0, 50)) {
				t.Errorf("partition %d: %q", p, got[p])
			}
		}
	})
}
