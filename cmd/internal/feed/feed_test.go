package feed

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/kafka"
)

const avsc = `{"type":"record","name":"E","fields":[
	{"name":"city","type":"string"},
	{"name":"n","type":"int"},
	{"name":"note","type":["null","string"],"default":null}]}`

func parsed(t *testing.T) *schema.Schema {
	t.Helper()
	s, err := schema.Parse([]byte(avsc))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// topic is a producer that keeps what it gets and gives offsets as a broker does.
type topic struct {
	next    map[int32]int64
	records []*kafka.Record
	flushed int
	fail    error
	failAt  int
	refuse  map[int]bool // records that the broker refuses, which is known when it answers
}

func (p *topic) Produce(_ context.Context, r *kafka.Record) error {
	if p.fail != nil && len(p.records) == p.failAt {
		return p.fail
	}
	if p.next == nil {
		p.next = map[int32]int64{}
	}
	if !p.refuse[len(p.records)] {
		r.Offset = p.next[r.Partition]
		p.next[r.Partition]++
	}
	p.records = append(p.records, r)
	return nil
}

func (p *topic) Flush(context.Context) error {
	p.flushed++
	if len(p.refuse) > 0 {
		return errRefused
	}
	return nil
}

var errRefused = errors.New("MESSAGE_TOO_LARGE")

func feed(t *testing.T, p *topic, o Options, lines string) (*Report, error) {
	t.Helper()
	if o.Source.Format == "" {
		o.Source = schema.Source{Format: schema.FormatAvroRaw, Schema: []byte(avsc)}
	}
	o.Topic, o.Name = "t", "events.jsonl"
	if o.Partitions == 0 {
		o.Partitions = 4
	}
	return Feed(t.Context(), strings.NewReader(lines), p, o)
}

// Invariant 1, and the partition that Kafka's own partitioner gives: of four, EWR has 3, JFK 1, LGA 0.
func TestKeysPickPartitionsAndOrderIsKept(t *testing.T) {
	var lines strings.Builder
	for i := range 30 {
		fmt.Fprintf(&lines, `{"city":%q,"n":%d}`+"\n", []string{"EWR", "JFK", "LGA"}[i%3], i)
	}
	var p topic
	report, err := feed(t, &p, Options{Key: []string{"city"}}, lines.String())
	if err != nil {
		t.Fatal(err)
	}
	want := []Range{{Partition: 0, Last: 9, Sent: 10}, {Partition: 1, Last: 9, Sent: 10}, {Partition: 3, Last: 9, Sent: 10}}
	if report.Sent != 30 || fmt.Sprint(report.Ranges) != fmt.Sprint(want) {
		t.Errorf("sent %d, ranges %v, want %v", report.Sent, report.Ranges, want)
	}
	last := map[int32]string{}
	for _, r := range p.records {
		text, err := parsed(t).ToJSON(r.Value)
		if err != nil {
			t.Fatal(err)
		}
		if n := fmt.Sprintf("%40s", text); n <= last[r.Partition] {
			t.Errorf("%s after %s", n, last[r.Partition])
		} else {
			last[r.Partition] = n
		}
		if !r.Timestamp.IsZero() {
			t.Errorf("a record time of %s was set: the broker's or client's clock does that", r.Timestamp) // invariant 4
		}
	}
	if p.flushed != 1 {
		t.Errorf("flushed %d times", p.flushed)
	}
}

func TestKeysOfSeveralFieldsAndNumbers(t *testing.T) {
	var p topic
	if _, err := feed(t, &p, Options{Key: []string{"city", "n"}}, `{"city":"JFK","n":-7}`); err != nil {
		t.Fatal(err)
	}
	if got := string(p.records[0].Key); got != "JFK|-7" {
		t.Errorf("key %q", got)
	}
}

func TestWithoutKeyPartitionsTakeTurns(t *testing.T) {
	var p topic
	if _, err := feed(t, &p, Options{Partitions: 3}, strings.Repeat(`{"city":"a","n":1}`+"\n", 7)); err != nil {
		t.Fatal(err)
	}
	for i, r := range p.records {
		if r.Partition != int32(i%3) || r.Key != nil {
			t.Errorf("record %d: partition %d, key %q", i, r.Partition, r.Key)
		}
	}
}

func TestConfluentHeader(t *testing.T) {
	var plain, confluent topic
	line := `{"city":"JFK","n":7,"note":"x"}`
	if _, err := feed(t, &plain, Options{Key: []string{"city"}}, line); err != nil {
		t.Fatal(err)
	}
	if _, err := feed(t, &confluent, Options{Key: []string{"city"}, Source: schema.Source{
		Format: schema.FormatAvro, Schema: []byte(avsc), Wire: schema.Wire{Confluent: true, IDs: []uint32{0x01020304}},
	}}, line); err != nil {
		t.Fatal(err)
	}
	want := append([]byte{0, 1, 2, 3, 4}, plain.records[0].Value...)
	if got := confluent.records[0].Value; !bytes.Equal(got, want) || confluent.records[0].Partition != 1 {
		t.Errorf("got % x, want % x", got, want)
	}
}

// Other formats: a line of JSON is kept as it is, one of Protobuf becomes a message; keys are read from the line, and mean the
// same however a number is written.
func TestFormats(t *testing.T) {
	var asJSON, asProtobuf topic
	s := schema.Source{Format: schema.FormatJSON, Schema: []byte(`{"type":"object","properties":{"user_id":{"type":"integer"},"city":{"type":"string"}},"required":["user_id"]}`)}
	lines := []string{`{"user_id": 7, "city":"a"}`, `{"user_id":7e0}`, `{"user_id":9007199254740993,"city":"b"}`}
	if _, err := feed(t, &asJSON, Options{Key: []string{"user_id"}, Source: s}, strings.Join(lines, "\n")); err != nil {
		t.Fatal(err)
	}
	for i, key := range []string{"7", "7", "9007199254740993"} {
		if r := asJSON.records[i]; string(r.Key) != key || string(r.Value) != lines[i] {
			t.Errorf("line %d: key %s, value %s", i, r.Key, r.Value)
		}
	}
	for line, want := range map[string]string{
		`{"city":"a"}`: "user_id", `{"user_id":1.5}`: "user_id", `{"user_id":"1"}`: "user_id", `[1]`: "no event",
	} {
		var p topic
		if _, err := feed(t, &p, Options{Key: []string{"user_id"}, Source: s}, line); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", line, err)
		}
	}
	lines = []string{`{"user_id":"7","city":"a"}`, `{"userId":7}`, `{"user_id":7e0}`}
	if _, err := feed(t, &asProtobuf, Options{Key: []string{"user_id"}, Source: protobufSource(t)}, strings.Join(lines, "\n")); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"\x08\x07\x12\x01a", "\x08\x07", "\x08\x07"} {
		if r := asProtobuf.records[i]; string(r.Key) != "7" || string(r.Value) != want {
			t.Errorf("line %d: key %s, value %q", i, r.Key, r.Value)
		}
	}
}

// protobufSource is: message E {int64 user_id = 1; string city = 2;}
func protobufSource(t *testing.T) schema.Source {
	t.Helper()
	set, err := proto.Marshal(&descriptorpb.FileDescriptorSet{File: []*descriptorpb.FileDescriptorProto{{
		Name: proto.String("e.proto"), Syntax: proto.String("proto3"),
		MessageType: []*descriptorpb.DescriptorProto{{Name: proto.String("E"), Field: []*descriptorpb.FieldDescriptorProto{
			{Name: proto.String("user_id"), JsonName: proto.String("userId"), Number: proto.Int32(1), Type: descriptorpb.FieldDescriptorProto_TYPE_INT64.Enum(), Label: descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum()},
			{Name: proto.String("city"), JsonName: proto.String("city"), Number: proto.Int32(2), Type: descriptorpb.FieldDescriptorProto_TYPE_STRING.Enum(), Label: descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum()},
		}}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	return schema.Source{Format: schema.FormatProtobuf, Schema: set, Message: "E"}
}

// Invariant 2: the number of the line is right whatever stands before it, and nothing after it is sent.
func TestBadLines(t *testing.T) {
	good := `{"city":"a","n":1}` + "\n"
	for _, c := range []struct {
		name, lines, want string
		sent              int
		key               []string
	}{
		{"no JSON", good + "oops\n" + good, "events.jsonl, line 2: ", 1, nil},
		{"after blank lines", good + "\n  \n" + good + `{"city":7,"n":1}`, "events.jsonl, line 5: ", 2, nil},
		{"unknown field", `{"city":"a","n":1,"m":2}`, "events.jsonl, line 1: ", 0, nil},
		{"missing field", good + good + `{"city":"a"}`, "events.jsonl, line 3: ", 2, nil},
		{"two objects", `{"city":"a","n":1} {"city":"a","n":1}`, "events.jsonl, line 1: ", 0, nil},
		{"out of range", `{"city":"a","n":2147483648}`, "events.jsonl, line 1: ", 0, nil},
		{"null key", `{"city":"a","n":1,"note":"k"}` + "\n" + good, "events.jsonl, line 2: key field note is null", 1, []string{"note"}},
		{"too long", good + strings.Repeat(" ", LineBytesMax+1), "events.jsonl, line 2: it is longer than 16 MiB", 1, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var p topic
			_, err := feed(t, &p, Options{Key: c.key}, c.lines)
			var bad *LineError
			if !errors.As(err, &bad) || !strings.HasPrefix(err.Error(), c.want) || bad.Sent != int64(c.sent) {
				t.Errorf("got %v\nwant %s..., %d sent", err, c.want, c.sent)
			}
			if strings.ContainsAny(err.Error(), "\n\r") || !strings.Contains(err.Error(), "--from-line") {
				t.Errorf("no single line that says how to go on: %q", err)
			}
			if len(p.records) != c.sent || p.flushed != 1 {
				t.Errorf("%d records sent, %d flushes", len(p.records), p.flushed)
			}
		})
	}
}

func TestFromLineGoesOn(t *testing.T) {
	lines := `{"city":"a","n":1}` + "\n" + "bad\n" + `{"city":"a","n":3}` + "\n" + `{"city":"a","n":4}`
	var p topic
	report, err := feed(t, &p, Options{Partitions: 2, FromLine: 3}, lines)
	if err != nil || report.Sent != 2 {
		t.Fatalf("sent %v: %v", report, err)
	}
	if p.records[0].Partition != 0 || p.records[1].Partition != 1 {
		t.Error("a line's partition must not depend on where the feed began")
	}
}

// Invariant 1 makes resuming possible: each partition holds a beginning of its records.
func TestSkipLeavesOutWhatIsThere(t *testing.T) {
	var lines strings.Builder
	for i := range 40 {
		fmt.Fprintf(&lines, `{"city":%q,"n":%d}`+"\n", []string{"EWR", "JFK"}[i%2], i)
	}
	var whole, begun, rest topic
	o := Options{Key: []string{"city"}}
	if _, err := feed(t, &whole, o, lines.String()); err != nil {
		t.Fatal(err)
	}
	begun.fail, begun.failAt = io.ErrClosedPipe, 13
	if _, err := feed(t, &begun, o, lines.String()); !errors.Is(err, io.ErrClosedPipe) {
		t.Fatalf("got %v", err)
	}
	rest.next, o.Skip = begun.next, begun.next
	o.Skip = map[int32]int64{1: begun.next[1], 3: begun.next[3]}
	if _, err := feed(t, &rest, o, lines.String()); err != nil {
		t.Fatal(err)
	}
	all := append(begun.records, rest.records...)
	if len(all) != len(whole.records) {
		t.Fatalf("%d records, want %d", len(all), len(whole.records))
	}
	for _, partition := range []int32{1, 3} {
		if got, want := values(all, partition), values(whole.records, partition); got != want {
			t.Errorf("partition %d: got %s, want %s", partition, got, want)
		}
	}
}

func values(records []*kafka.Record, partition int32) (s string) {
	for _, r := range records {
		if r.Partition == partition {
			s += fmt.Sprintf("%d:%x ", r.Offset, r.Value)
		}
	}
	return s
}

func TestKeyFaultsAreFoundBeforeAnythingIsSent(t *testing.T) {
	for _, c := range []struct{ key, want string }{
		{"sity", "sity"},
		{"", ""},
	} {
		var p topic
		_, err := feed(t, &p, Options{Key: []string{c.key}}, `{"city":"a","n":1}`)
		if err == nil || len(p.records) > 0 || !strings.Contains(err.Error(), c.want) {
			t.Errorf("key %q: %v", c.key, err)
		}
	}
}

func TestStopsWhenTold(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
	defer cancel()
	<-ctx.Done()
	var p topic
	_, err := Feed(ctx, strings.NewReader(`{"city":"a","n":1}`), &p, Options{Source: schema.Source{Format: schema.FormatAvroRaw, Schema: []byte(avsc)}, Partitions: 1, Name: "x"})
	if !errors.Is(err, context.DeadlineExceeded) || len(p.records) > 0 {
		t.Errorf("got %v after %d records", err, len(p.records))
	}
}

// Invariant 2, for what only the broker finds: which line, how many before it, how to go on, what is sent twice then.
func TestRefusedRecordsAreToldAsLines(t *testing.T) {
	good := `{"city":"a","n":1}` + "\n"
	big := `{"city":"a","n":1,"note":"` + strings.Repeat("x", 1000) + `"}` + "\n"
	for _, c := range []struct {
		name, lines string
		p           topic
		want        string
	}{
		{"the last", good + "\n" + good, topic{refuse: map[int]bool{1: true}},
			"events.jsonl, line 3: send to topic t: MESSAGE_TOO_LARGE (4 bytes); records sent before it: 1; see to the cause and go on with --from-line 3"},
		{"a batch in the middle", good + good + big + good, topic{refuse: map[int]bool{1: true, 2: true}},
			"events.jsonl, line 2: send to topic t: MESSAGE_TOO_LARGE (2 records failed, the largest is line 3 with 1006 bytes); " +
				"records sent before it: 1; see to the cause and go on with --from-line 2, which sends again what went out behind it: 1"},
		{"at once", good + good + good, topic{fail: errRefused, failAt: 2},
			"events.jsonl, line 3: send to topic t: MESSAGE_TOO_LARGE (4 bytes); records sent before it: 2; see to the cause and go on with --from-line 3"},
		{"nobody knows", good + good + good, topic{fail: context.DeadlineExceeded, failAt: 2},
			"events.jsonl, at or before line 3: send to topic t: context deadline exceeded; records sent before line 1: 0, later ones may have been; go on with --from-line 1"},
		{"behind what is confirmed", strings.Repeat(good, pendingRecordsMax+2), topic{fail: errRefused, failAt: pendingRecordsMax + 1},
			"events.jsonl, line 10002: send to topic t: MESSAGE_TOO_LARGE (4 bytes); records sent before it: 10001; see to the cause and go on with --from-line 10002"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := feed(t, &c.p, Options{Partitions: 1}, c.lines)
			if err == nil || err.Error() != c.want {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}

// What is on its way is bounded: the feed waits for the broker now and then (invariant 3).
func TestWaitsForTheBrokerOnTheWay(t *testing.T) {
	var p topic
	if _, err := feed(t, &p, Options{}, strings.Repeat(`{"city":"a","n":1}`+"\n", 2*pendingRecordsMax+1)); err != nil || p.flushed != 3 {
		t.Errorf("flushed %d times: %v", p.flushed, err)
	}
}

func TestByteOrderMarkIsPassedOver(t *testing.T) {
	var p topic
	if _, err := feed(t, &p, Options{}, "\xef\xbb\xbf"+`{"city":"a","n":1}`); err != nil || len(p.records) != 1 {
		t.Errorf("%d records: %v", len(p.records), err)
	}
	_, err := feed(t, &p, Options{}, `{"city":"a","n":1}`+"\n\xef\xbb\xbf"+`{"city":"a","n":1}`)
	if err == nil {
		t.Error("a mark within the file is taken for a line")
	}
}
