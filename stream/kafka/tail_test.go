package kafka_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tidemark-io/tidemark/stream/kafka"
)

// txn writes the values to partition 0 in one transaction, and ends it.
func (c *cluster) txn(t *testing.T, id, topic string, commit bool, values ...string) {
	t.Helper()
	ctx := context.Background()
	p, err := kafka.NewTxnProducer(ctx, c.o, id)
	must(t, err)
	defer p.Close()
	for _, v := range values {
		p.Produce(ctx, record(topic, v))
	}
	if commit {
		must(t, p.Commit(ctx))
		return
	}
	// Records have to have reached the log for their abort to leave a gap.
	high := c.high(t, topic)
	waitFor(t, func() bool { return c.high(t, topic) >= high+int64(len(values)) })
	must(t, p.Abort(ctx))
}

func (c *cluster) high(t *testing.T, topic string) int64 {
	t.Helper()
	ends, err := c.admin.Offsets(context.Background(), topic)
	must(t, err)
	return ends[0].High
}

// offsets are the places of what ReadRange passes, "m" before those of markers.
func (c *cluster) offsets(t *testing.T, topic string, from, to int64) []string {
	t.Helper()
	var seen []string
	must(t, kafka.ReadRange(context.Background(), c.o, topic, 0, from, to, func(r *kafka.Record) error {
		mark := ""
		if r.Attrs.IsControl() {
			mark = "m"
		}
		seen = append(seen, mark+fmt.Sprint(r.Offset))
		return nil
	}))
	return seen
}

// A range ends exactly, whatever stands at its end: "recovery that waits for offset = end - 1 hangs".
func TestReadRangeEnds(t *testing.T) {
	onEach(t, func(t *testing.T, c *cluster) {
		topic, id := c.topic(t, "in", 1), c.name(t, "id")
		c.fill(t, topic, 0, 0, 3)                                 // 0 1 2
		c.txn(t, id, topic, true, "a", "b")                       // 3 4, marker 5
		c.txn(t, id, topic, false, "c", "d")                      // aborted 6 7, marker 8
		c.txn(t, id, topic, true, "e")                            // 9, marker 10
		c.txn(t, id, topic, false, "f")                           // aborted 11, marker 12
		waitFor(t, func() bool { return c.high(t, topic) == 13 }) // Kafka confirms before it writes the marker
		for _, test := range []struct {
			from, to int64
			want     []string
		}{
			{0, 13, []string{"0", "1", "2", "3", "4", "m5", "m8", "9", "m10", "m12"}}, // ends in a marker
			{0, 12, []string{"0", "1", "2", "3", "4", "m5", "m8", "9", "m10"}},        // in an aborted record
			{0, 8, []string{"0", "1", "2", "3", "4", "m5"}},                           // in aborted records
			{6, 8, nil},            // nothing but aborted records
			{5, 6, []string{"m5"}}, // nothing but a marker
			{4, 5, []string{"4"}},
			{2, 2, nil},
			{13, 13, nil},
		} {
			if got := c.offsets(t, topic, test.from, test.to); !slices.Equal(got, test.want) {
				t.Errorf("[%d, %d): %v, want %v", test.from, test.to, got, test.want)
			}
		}
		for _, test := range [][3]int64{{6, 13, 8}, {6, 8, 8}, {11, 13, 12}, {12, 13, 12}, {0, 13, 0}, {13, 13, 13}} {
			got, err := kafka.NextRecord(context.Background(), c.o, topic, 0, test[0], test[1])
			if err != nil || got != test[2] {
				t.Errorf("next record in [%d, %d): %d (%v), want %d", test[0], test[1], got, err, test[2])
			}
		}
	})
}

// While a transaction is open, a range that goes beyond the last stable offset waits for its end.
func TestReadRangeWaitsForAnOpenTransaction(t *testing.T) {
	onEach(t, func(t *testing.T, c *cluster) {
		ctx := context.Background()
		topic := c.topic(t, "in", 1)
		c.fill(t, topic, 0, 0, 2)
		p, err := kafka.NewTxnProducer(ctx, c.o, c.name(t, "id"))
		must(t, err)
		defer p.Close()
		p.Produce(ctx, record(topic, "open"))
		waitFor(t, func() bool { return c.high(t, topic) == 3 })
		ends, err := c.admin.Offsets(ctx, topic)
		must(t, err)
		if want := (kafka.Ends{Start: 0, LastStable: 2, High: 3}); ends[0] != want {
			t.Errorf("ends %+v, want %+v", ends[0], want)
		}
		if got := c.offsets(t, topic, 0, 2); !slices.Equal(got, []string{"0", "1"}) {
			t.Errorf("below the last stable offset: %v", got)
		}
		read := make(chan []string)
		go func() { read <- c.offsets(t, topic, 0, 4) }()
		select {
		case got := <-read:
			t.Errorf("did not wait: %v", got)
		default:
		}
		must(t, p.Commit(ctx))
		if got := <-read; !slices.Equal(got, []string{"0", "1", "2", "m3"}) {
			t.Errorf("after the commit: %v", got)
		}
	})
}

// Compaction takes offsets away, at the end of a range too; it is the log that says that nothing is left.
func TestReadRangeOverCompactedOffsets(t *testing.T) {
	onEach(t, func(t *testing.T, c *cluster) {
		topic := c.topic(t, "in", 1, "cleanup.policy", "compact", "segment.bytes", "1048576",
			"min.cleanable.dirty.ratio", "0.001", "max.compaction.lag.ms", "100", "segment.ms", "100")
		c.keyed(t, topic, "keep")                       // 0: kfake would move the log's start otherwise, Kafka would not
		c.keyed(t, topic, "a", "b", "c", "a", "b", "c") // 1 to 6, of which 4 5 6 stay
		c.keyed(t, topic, "d", "d", "d", "e")           // 7 to 10, of which 9 10 stay
		if c.fake != nil {
			c.fake.Compact()
		}
		// Only closed segments are compacted, and a segment is closed by the record that comes after it.
		more := 0
		waitFor(t, func() bool {
			c.keyed(t, topic, fmt.Sprint("more", more))
			more++
			if c.fake != nil {
				c.fake.Compact()
			}
			return slices.Equal(c.offsets(t, topic, 0, 11), []string{"0", "4", "5", "6", "9", "10"})
		})
		for _, test := range []struct {
			from, to int64
			want     []string
		}{
			{0, 4, []string{"0"}}, // the end of the range is gone
			{1, 4, nil},           // all of it is
			{1, 5, []string{"4"}},
			{5, 9, []string{"5", "6"}},
			{7, 8, nil},
		} {
			if got := c.offsets(t, topic, test.from, test.to); !slices.Equal(got, test.want) {
				t.Errorf("[%d, %d): %v, want %v", test.from, test.to, got, test.want)
			}
		}
		if got, err := kafka.NextRecord(context.Background(), c.o, topic, 0, 7, 9); err != nil || got != 9 {
			t.Errorf("next record in [7, 9): %d (%v), want 9", got, err)
		}
	})
}

// The log itself may end in offsets that hold nothing; then the broker's empty answer is the end. Kafka does not compact its
// last segment, and kfake not the last record, so the answer is made up.
func TestReadRangeOverACompactedEnd(t *testing.T) {
	c := onFake(t)
	topic := c.topic(t, "in", 1)
	c.fill(t, topic, 0, 0, 3)
	c.fake.ControlKey(keyFetch, func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.fake.KeepControl()
		req := r.(*kmsg.FetchRequest)
		if req.Topics[0].Partitions[0].FetchOffset == 0 {
			return nil, nil, false
		}
		resp := req.ResponseKind().(*kmsg.FetchResponse)
		p := kmsg.NewFetchResponseTopicPartition()
		p.HighWatermark, p.LastStableOffset = 7, 7
		resp.Topics = []kmsg.FetchResponseTopic{{TopicID: req.Topics[0].TopicID, Partitions: []kmsg.FetchResponseTopicPartition{p}}}
		return resp, nil, true
	})
	for _, to := range []int64{4, 7} {
		if got := c.offsets(t, topic, 0, to); !slices.Equal(got, wanted(0, 3)) {
			t.Errorf("[0, %d): %v", to, got)
		}
		if next, err := kafka.NextRecord(context.Background(), c.o, topic, 0, 3, to); err != nil || next != to {
			t.Errorf("next record in [3, %d): %d (%v)", to, next, err)
		}
	}
	// Beyond the last stable offset there may be something one day.
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	if err := kafka.ReadRange(ctx, c.o, topic, 0, 3, 8, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("[3, 8): %v; want to wait", err)
	}
}

// keyed writes a record for each key, or a tombstone for "-key".
func (c *cluster) keyed(t *testing.T, topic string, keys ...string) {
	t.Helper()
	p, err := kafka.NewProducer(c.o)
	must(t, err)
	defer p.Close()
	for _, key := range keys {
		r := &kafka.Record{Topic: topic, Key: []byte(key), Value: []byte("v")}
		if dead, ok := strings.CutPrefix(key, "-"); ok {
			r.Key, r.Value = []byte(dead), nil
		}
		must(t, p.Produce(context.Background(), r))
		must(t, p.Flush(context.Background())) // a batch each: the whole batch would go, or stay
	}
}

// A session's position passes aborted records and markers: it ends at the end of the log.
func TestSessionPositionAtTheEnd(t *testing.T) {
	onEach(t, func(t *testing.T, c *cluster) {
		in, out, id := c.topic(t, "in", 1), c.topic(t, "out", 1), c.name(t, "id")
		c.fill(t, in, 0, 0, 2)            // 0 1
		c.txn(t, id, in, true, "2", "3")  // 2 3, marker 4
		c.txn(t, id, in, false, "x", "y") // aborted 5 6, marker 7
		w := c.worker(t, c.name(t, "group"), "a", in, out).open(t)
		w.copyTo(t, 0, 8)
		must(t, w.commit(context.Background()))
		if got := c.values(t, out, 0); !slices.Equal(got, wanted(0, 4)) {
			t.Errorf("out holds %q", got)
		}
		c.committed(t, w, 0, 8, "cut")
	})
}
