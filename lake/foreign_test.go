package lake_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/tidemark-io/tidemark/lake"
	"github.com/tidemark-io/tidemark/lake/blob"
	"github.com/tidemark-io/tidemark/schema"
)

// jsonSource is a topic of JSON events.
func jsonSource() schema.Source {
	return schema.Source{
		Format: schema.FormatJSON, Event: schema.EventDef{ID: []string{"id"}, Time: "meta.at"},
		Schema: []byte(`{"type": "object", "properties": {"id": {"type": "string"},
			"meta": {"type": "object", "properties": {"at": {"type": "string", "format": "date-time"}}}}}`),
	}
}

func openJSON(t *testing.T, b blob.Bucket) (*lake.Topic, schema.Reader) {
	t.Helper()
	s := jsonSource()
	topic, err := lake.OpenTopic(t.Context(), b, lake.Declaration{
		Topic: "orders", EventTime: s.Event.Time, EventID: s.Event.ID, Format: s.Format,
		Schemas: []lake.SchemaDecl{{JSON: string(s.Stored())}},
	})
	if err != nil {
		t.Fatal(err)
	}
	r, err := schema.NewReader(s, nil)
	if err != nil {
		t.Fatal(err)
	}
	return topic, r
}

// TestForeignFormats: what is no Avro lies in the lake as it came, is found by its event time, and is read back to
// the byte; also an event that a reader with this schema refuses, as long as it has an event time. (L3)
func TestForeignFormats(t *testing.T) {
	b := blob.NewMemory()
	topic, reader := openJSON(t, b)
	l := openLander(t, topic, 0, lake.LanderOptions{})
	texts := []string{
		`{"id": "a", "meta": {"at": "2013-01-05T07:00:00.001Z"}}`,
		`{ "meta":{"at":"2013-01-05T08:30:00+01:00"}, "id":"ä\u00e4", "more": [1.50, null] }`,
		`{"id": 7, "meta": {"at": "2013-01-05T09:00:00Z"}}`, // the id is no text: bad, and placed
	}
	var ev schema.Event
	for i, text := range texts {
		err := reader.Decode([]byte(text), &ev)
		if !schema.Landable(err) || (err != nil) != (i == 2) {
			t.Fatal(err)
		}
		rec := lake.Record{Offset: int64(i), Timestamp: 1, Value: []byte(text)}
		if err := l.Append(&rec, lake.Landing{Time: ev.Time, Payload: ev.Payload}); err != nil {
			t.Fatal(err)
		}
	}
	land(t, l)
	wantGolden(t, "testdata/v1-json", snapshot(t, b))
	log := topic.Log(0)
	if err := log.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	var hours []string
	seen := 0
	for _, f := range log.Entries()[0].Files {
		hours = append(hours, f.Hour)
		err := lake.ReadFile(t.Context(), b, f, func(s *lake.Stored) error {
			text := texts[s.Offset]
			if !bytes.HasSuffix(s.Payload, []byte(text)) {
				t.Errorf("offset %d: %q", s.Offset, s.Payload)
			}
			if err := reader.DecodePayload(s.SchemaID, s.Payload, &ev); !schema.Landable(err) {
				t.Error(err)
			}
			shown, err := jsonSource().ToJSON(s.Payload)
			if err != nil || len(shown) > len(text) {
				t.Errorf("shown as %s, %v", shown, err)
			}
			seen++
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if got := fmt.Sprint(hours); seen != 3 || got != "[dt=2013-01-05/hr=07 dt=2013-01-05/hr=09]" {
		t.Errorf("%d records in %s", seen, got)
	}
	if sum, err := lake.Check(t.Context(), b, "orders", func(f lake.Fault) { t.Error(f) }); err != nil || sum.Records != 3 {
		t.Errorf("%+v, %v", sum, err)
	}
}

// TestForeignTimesAreChecked: a JSON event in the wrong hour is found.
func TestForeignTimesAreChecked(t *testing.T) {
	b := blob.NewMemory()
	topic, reader := openJSON(t, b)
	l := openLander(t, topic, 0, lake.LanderOptions{})
	var ev schema.Event
	if err := reader.Decode([]byte(`{"id": "a", "meta": {"at": "2013-01-05T07:00:00Z"}}`), &ev); err != nil {
		t.Fatal(err)
	}
	if err := l.Append(&lake.Record{Timestamp: 1}, lake.Landing{Time: ev.Time + 1, Payload: ev.Payload}); err != nil {
		t.Fatal(err)
	}
	if err := l.Append(&lake.Record{Offset: 1, Timestamp: 1}, lake.Landing{Time: ev.Time + hourMs, Payload: []byte("\x04no")}); err != nil {
		t.Fatal(err)
	}
	land(t, l)
	var kinds []string
	if _, err := lake.Check(t.Context(), b, "orders", func(f lake.Fault) { kinds = append(kinds, fmt.Sprint(f.Kind)) }); err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprint([]any{lake.FaultTimes, lake.FaultRecord}); fmt.Sprint(kinds) != want {
		t.Errorf("%v, want %s", kinds, want)
	}
}
