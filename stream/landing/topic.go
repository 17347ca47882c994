package landing

import (
	"context"
	"errors"
	"fmt"

	"github.com/tidemark-io/tidemark/lake"
	"github.com/tidemark-io/tidemark/lake/blob"
	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/curated"
	"github.com/tidemark-io/tidemark/stream/journal"
	"github.com/tidemark-io/tidemark/stream/kafka"
)

// Topic is a Kafka topic together with its place in the lake and the decoder that tells the event time of
// its records. It is immutable and safe for concurrent use.
type Topic struct {
	Name    string
	Lake    *lake.Topic
	Decoder schema.Reader
}

// OpenCurated opens the raw lake of a curated topic. Its records are landed by the start of their window, so
// the file of one hour holds just what a reconcile unit published and compares.
func OpenCurated(ctx context.Context, b blob.Bucket, c *curated.Codec, topic, topicID string) (*Topic, error) {
	return openOwn(ctx, b, topic, topicID, c.ValueSchema(), "window_start")
}

// OpenJournal opens the raw lake of a pipeline's journal topic, landed by event time.
func OpenJournal(ctx context.Context, b blob.Bucket, topic, topicID string) (*Topic, error) {
	return openOwn(ctx, b, topic, topicID, journal.Schema(), "time")
}

// openOwn opens a topic that Tidemark itself writes: plain Avro of one known schema.
func openOwn(ctx context.Context, b blob.Bucket, topic, topicID, avsc, eventTime string) (*Topic, error) {
	s, err := schema.Parse([]byte(avsc))
	if err != nil {
		return nil, fmt.Errorf("topic %s: schema: %w", topic, err)
	}
	dec, err := schema.NewDecoder(s, schema.Wire{}, schema.EventDef{Time: eventTime}, nil)
	if err != nil {
		return nil, fmt.Errorf("topic %s: decoder: %w", topic, err)
	}
	return open(ctx, b, lake.Declaration{
		Topic: topic, TopicID: topicID, Format: "avro-raw", EventTime: eventTime,
		Schemas: []lake.SchemaDecl{{ID: 0, JSON: avsc}},
	}, dec)
}

func open(ctx context.Context, b blob.Bucket, d lake.Declaration, dec schema.Reader) (*Topic, error) {
	lt, err := lake.OpenTopic(ctx, b, d)
	if err != nil {
		return nil, fmt.Errorf("lake of topic %s: %w", d.Topic, err)
	}
	return &Topic{Name: d.Topic, Lake: lt, Decoder: dec}, nil
}

// Append hands one record to the lander. ev and decodeErr are what decoding the record's value gave; ev may
// be valid although decodeErr is not nil (an expression failed on a record that is sound itself, or a field
// other than the event time is bad), which landable says. Bytes are copied.
func Append(l *lake.Lander, r *kafka.Record, ev *schema.Event, landable bool, decodeErr error) error {
	rec := lake.Record{
		Partition: r.Partition, Offset: r.Offset, Timestamp: r.Timestamp.UnixMilli(),
		Key: r.Key, Value: r.Value,
	}
	if n := len(r.Headers); n > 0 {
		rec.Headers = make([]lake.Header, n)
		for i, h := range r.Headers {
			rec.Headers[i] = lake.Header{Key: h.Key, Value: h.Value}
		}
	}
	var ld lake.Landing
	switch bad := (*schema.RecordError)(nil); {
	case landable:
		ld = lake.Landing{Time: ev.Time, SchemaID: ev.SchemaID, Payload: ev.Payload}
	case errors.As(decodeErr, &bad):
		ld = lake.Landing{Invalid: bad.Reason}
	default:
		return fmt.Errorf("land %s/%d@%d: %w", r.Topic, r.Partition, r.Offset, decodeErr)
	}
	return l.Append(&rec, ld)
}

// UpTo lands a topic partition from the end of its lake log up to offset to (exclusive), reading from
// Kafka with a direct consumer of its own: the group's position never moves. Other writers may do
// the same meanwhile; one that loses such a race may return with the log short of to, and is called again.
func (t *Topic) UpTo(ctx context.Context, k kafka.Options, l *lake.Lander, partition int32, to int64) error {
	var ev schema.Event
	from := l.Next()
	if from >= to {
		return t.seal(ctx, l)
	}
	err := kafka.ReadRange(ctx, k, t.Name, partition, from, to, func(r *kafka.Record) error {
		if r.Attrs.IsControl() {
			l.Advance(r.Offset + 1)
			return nil
		}
		derr := t.Decoder.Decode(r.Value, &ev)
		err := Append(l, r, &ev, schema.Landable(derr), derr)
		for errors.Is(err, lake.ErrFull) { // not taken: give back what is ours, wait for the others to do so, and again
			if err := errors.Join(t.seal(ctx, l), l.WaitForRoom(ctx)); err != nil {
				return err
			}
			err = Append(l, r, &ev, schema.Landable(derr), derr)
		}
		if err != nil {
			return err
		}
		if l.Due() {
			return t.seal(ctx, l)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("land %s/%d [%d, %d): %w", t.Name, partition, from, to, err)
	}
	l.Advance(to) // the tail may be aborted or compacted away
	return t.seal(ctx, l)
}

func (t *Topic) seal(ctx context.Context, l *lake.Lander) error {
	b := l.Seal()
	if b == nil {
		return nil
	}
	return l.Land(ctx, b)
}
