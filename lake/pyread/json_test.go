package pyread_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tidemark-io/tidemark/lake"
	"github.com/tidemark-io/tidemark/lake/blob"
	"github.com/tidemark-io/tidemark/lake/testcache"
	"github.com/tidemark-io/tidemark/schema"
)

// TestOthersReadJSON: fastavro finds each JSON event's own bytes in the files. (L3)
func TestOthersReadJSON(t *testing.T) {
	interpreter := testcache.Python(t, "pyread", "--only-binary", ":all:")
	dir := t.TempDir()
	want := landJSON(t, dir)
	var have seen
	out := testcache.Run(t, testcache.NeedsPython, nil, interpreter, "read.py", dir, "json")
	if err := json.Unmarshal(out, &have); err != nil {
		t.Fatalf("read.py printed %s: %v", out, err)
	}
	if have != want {
		t.Errorf("fastavro read %+v\nwritten was   %+v", have, want)
	}
}

// landJSON lands 500 JSON events, one in ten of them cut off, and returns what a reader must see.
func landJSON(t *testing.T, dir string) (want seen) {
	t.Helper()
	bucket, err := blob.OpenDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := bucket.Close(); err != nil {
			t.Error(err)
		}
	}()
	source := schema.Source{Format: schema.FormatJSON, Event: schema.EventDef{Time: "at"}, Schema: []byte(
		`{"type": "object", "properties": {"id": {"type": "string"}, "n": {"type": "integer"}, "at": {"type": "string", "format": "date-time"}}}`)}
	reader, err := schema.NewReader(source, nil)
	if err != nil {
		t.Fatal(err)
	}
	topic, err := lake.OpenTopic(t.Context(), bucket, lake.Declaration{Topic: "orders", EventTime: "at", Format: source.Format,
		Schemas: []lake.SchemaDecl{{JSON: string(source.Stored())}}})
	if err != nil {
		t.Fatal(err)
	}
	l, err := topic.Lander(t.Context(), 0, lake.LanderOptions{Now: func() time.Time { return time.UnixMilli(0) }})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var rows strings.Builder
	var ev schema.Event
	for i := range int64(500) {
		text := fmt.Sprintf(`{ "id":"é-%d", "n": %d, "at": "2013-01-05T%02d:00:00Z" }`, i, 9007199254740993+i, i%3)
		if i%10 == 0 {
			text = text[:len(text)-2]
		}
		rec := lake.Record{Offset: i, Timestamp: 5, Value: []byte(text)}
		ld := lake.Landing{}
		var bad *schema.RecordError
		if err := reader.Decode(rec.Value, &ev); errors.As(err, &bad) {
			ld.Invalid = bad.Reason
			want.QuarantinedCount++
		} else {
			ld.Time, ld.Payload = ev.Time, ev.Payload
			want.Count++
			fmt.Fprintf(&rows, "%d é-%d %d %x\n", i, i, 9007199254740993+i, text)
		}
		if err := l.Append(&rec, ld); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Land(t.Context(), l.Seal()); err != nil {
		t.Fatal(err)
	}
	want.Rows, want.Files = digest(rows.String()), 4
	return want
}
