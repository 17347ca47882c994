package lake_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tidemark-io/tidemark/lake"
	"github.com/tidemark-io/tidemark/lake/blob"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const eventSchema = `{"type":"record","name":"Reading","namespace":"plant.sensors","fields":[` +
	`{"name":"id","type":"string"},{"name":"at","type":{"type":"long","logicalType":"timestamp-millis"}},{"name":"n","type":"long"}]}`

// hour7 is 2013-01-05T07:00Z in ms.
const hour7 = int64(1357369200000)

const hourMs = int64(3600000)

func declaration() lake.Declaration {
	return lake.Declaration{
		Topic: "readings", TopicID: "tid-1", EventTime: "at", EventID: []string{"id"}, Format: "avro-raw",
		Schemas: []lake.SchemaDecl{{ID: 0, JSON: eventSchema}},
	}
}

// payload encodes a Reading by hand.
func payload(id string, at, n int64) []byte {
	out := binary.AppendVarint(nil, int64(len(id)))
	out = append(out, id...)
	out = binary.AppendVarint(out, at)
	return binary.AppendVarint(out, n)
}

// event is one record of a test's topic, with what became of it.
type event struct {
	record  lake.Record
	landing lake.Landing
}

func reading(partition int32, offset, at int64, id string) event {
	p := payload(id, at, offset)
	return event{
		lake.Record{Partition: partition, Offset: offset, Timestamp: 1, Key: []byte(id), Value: p},
		lake.Landing{Time: at, Payload: p},
	}
}

func invalid(partition int32, offset int64, value []byte, reason string) event {
	return event{
		lake.Record{Partition: partition, Offset: offset, Timestamp: 1, Value: value},
		lake.Landing{Invalid: reason},
	}
}

// clock is the tests' time; only they move it.
type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

func newClock() *clock { return &clock{time.UnixMilli(0)} }

func openTopic(t testing.TB, b blob.Bucket) *lake.Topic {
	t.Helper()
	topic, err := lake.OpenTopic(context.Background(), b, declaration())
	if err != nil {
		t.Fatal(err)
	}
	return topic
}

func openLander(t testing.TB, topic *lake.Topic, partition int32, o lake.LanderOptions) *lake.Lander {
	t.Helper()
	if o.Now == nil {
		o.Now = newClock().Now
	}
	l, err := topic.Lander(context.Background(), partition, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

func openDir(t testing.TB) *blob.Dir {
	t.Helper()
	b, err := blob.OpenDir(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func appendAll(t testing.TB, l *lake.Lander, events ...event) {
	t.Helper()
	for i := range events {
		if err := l.Append(&events[i].record, events[i].landing); err != nil {
			t.Fatal(err)
		}
	}
}

// land seals and lands until nothing is held.
func land(t testing.TB, l *lake.Lander) {
	t.Helper()
	for b := l.Seal(); b != nil; b = l.Seal() {
		if err := l.Land(context.Background(), b); err != nil {
			t.Fatal(err)
		}
	}
}

// readAll reads everything that the log of a partition names, by offset. A
// record that comes twice fails the test: law L3's "exactly once".
func readAll(t testing.TB, b blob.Bucket, partition int32) (map[int64]lake.Stored, *lake.Log) {
	t.Helper()
	topic, err := lake.LookTopic(context.Background(), b, "readings")
	if err != nil {
		t.Fatal(err)
	}
	log := topic.Log(partition)
	if err := log.Refresh(context.Background()); err != nil {
		t.Fatal(err)
	}
	found := map[int64]lake.Stored{}
	for _, e := range log.Entries() {
		for _, f := range e.Files {
			err := lake.ReadFile(context.Background(), b, f, func(s *lake.Stored) error {
				if _, twice := found[s.Offset]; twice {
					t.Errorf("offset %d is in the lake twice", s.Offset)
				}
				found[s.Offset] = cloneStored(s)
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	return found, log
}

func cloneStored(s *lake.Stored) lake.Stored {
	out := *s
	out.Key, out.Payload = bytes.Clone(s.Key), bytes.Clone(s.Payload)
	out.Headers = slices.Clone(s.Headers)
	for i := range out.Headers {
		out.Headers[i].Value = bytes.Clone(s.Headers[i].Value)
	}
	return out
}

// wantEvents compares what readAll found with what went in.
func wantEvents(t testing.TB, found map[int64]lake.Stored, events []event) {
	t.Helper()
	if len(found) != len(events) {
		t.Errorf("%d records in the lake, want %d", len(found), len(events))
	}
	for i := range events {
		r, ld := &events[i].record, &events[i].landing
		s, ok := found[r.Offset]
		if !ok {
			t.Errorf("offset %d is not in the lake", r.Offset)
			continue
		}
		want := lake.Stored{
			Partition: r.Partition, Offset: r.Offset, Timestamp: r.Timestamp, Key: r.Key, Headers: r.Headers,
			SchemaID: ld.SchemaID, Payload: ld.Payload,
		}
		if ld.Invalid != "" {
			want.SchemaID, want.Payload, want.Reason = 0, r.Value, ld.Invalid
		}
		if err := sameStored(&s, &want); err != nil {
			t.Errorf("offset %d: %v", r.Offset, err)
		}
	}
}

func sameStored(have, want *lake.Stored) error {
	plain := func(s *lake.Stored) string {
		return fmt.Sprint(s.Partition, s.Offset, s.Timestamp, s.SchemaID, s.Reason, len(s.Headers), s.Key == nil, s.Payload == nil)
	}
	if plain(have) != plain(want) || !bytes.Equal(have.Key, want.Key) || !bytes.Equal(have.Payload, want.Payload) {
		return fmt.Errorf("read %s %.40q, want %s %.40q", plain(have), have.Payload, plain(want), want.Payload)
	}
	for i := range have.Headers {
		h, w := have.Headers[i], want.Headers[i]
		if h.Key != w.Key || !bytes.Equal(h.Value, w.Value) || (h.Value == nil) != (w.Value == nil) {
			return fmt.Errorf("header %d is %q, want %q", i, h, w)
		}
	}
	return nil
}

// checkClean runs the checker that users run: no fault but the harmless kinds.
func checkClean(t testing.TB, b blob.Bucket) lake.Summary {
	t.Helper()
	sum, err := lake.Check(context.Background(), b, "readings", func(f lake.Fault) {
		if !f.Kind.Harmless() {
			t.Errorf("check: %s", f)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

// snapshot is the whole content of a bucket.
func snapshot(t testing.TB, b blob.Bucket) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := b.List(context.Background(), "", func(o blob.Object) error {
		data, err := b.Get(context.Background(), o.Key)
		all[o.Key] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func wantCorrupt(t testing.TB, err error, path string) {
	t.Helper()
	var corrupt *lake.CorruptError
	if !errors.As(err, &corrupt) || corrupt.Path != path {
		t.Errorf("error %v, want a CorruptError of %s", err, path)
	}
}
