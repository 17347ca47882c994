package schema

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
)

const eventSchema = `{"type": "record", "name": "e", "fields": [
	{"name": "id", "type": "string"},
	{"name": "ms", "type": {"type": "long", "logicalType": "timestamp-millis"}},
	{"name": "us", "type": ["null", {"type": "long", "logicalType": "timestamp-micros"}]},
	{"name": "n", "type": {"type": "record", "name": "in", "fields": [{"name": "v", "type": "long"}]}},
	{"name": "local", "type": {"type": "long", "logicalType": "local-timestamp-millis"}},
	{"name": "beside", "type": "long", "logicalType": "timestamp-millis"}]}`

func eventPayload(id string, ms, us int64, v int64) []byte {
	out := append(long(int64(len(id))), id...)
	out = append(out, long(ms)...)
	if us == math.MinInt64 {
		out = append(out, 0)
	} else {
		out = append(append(out, 2), long(us)...)
	}
	return append(append(out, long(v)...), 0, 0)
}

func mustDecoder(tb testing.TB, wire Wire, def EventDef, fields ...string) *Decoder {
	tb.Helper()
	d, err := NewDecoder(mustParse(tb, eventSchema), wire, def, fields)
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

func TestFieldsAreTheSortedUnion(t *testing.T) {
	d := mustDecoder(t, Wire{}, EventDef{ID: []string{"id", "n.v"}, Time: "ms"}, "us", "id", "us")
	if got := d.Fields(); !slices.Equal(got, []string{"id", "ms", "n.v", "us"}) {
		t.Fatal(got)
	}
	if d.Index("n.v") != 2 || d.Index("n") != -1 || !d.HasID() || !d.Types()[3].Nullable {
		t.Fatal(d.Index("n.v"), d.Index("n"), d.HasID(), d.Types())
	}
	var ev Event
	if err := d.Decode(eventPayload("a", 5, 7, 9), &ev); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(ev.Row, ev.Time, ev.SchemaID); got != "[a 5 9 7] 5 0" {
		t.Fatal(got)
	}
}

func TestEventTime(t *testing.T) {
	millis, micros := mustDecoder(t, Wire{}, EventDef{Time: "ms"}), mustDecoder(t, Wire{}, EventDef{Time: "us"})
	const null = math.MinInt64
	for _, c := range []struct {
		d      *Decoder
		ms, us int64
		want   int64
		reason string
	}{
		{d: millis, ms: 0, us: null, want: 0},
		{d: millis, ms: MinTime, us: null, want: MinTime},
		{d: millis, ms: MaxTime, us: null, want: MaxTime},
		{d: millis, ms: MinTime - 1, us: null, reason: ReasonTimeOutOfRange},
		{d: millis, ms: MaxTime + 1, us: null, reason: ReasonTimeOutOfRange},
		{d: millis, ms: math.MaxInt64, us: null, reason: ReasonTimeOutOfRange},
		{d: micros, us: 1999, want: 1},
		{d: micros, us: -1, want: -1}, // floored, not cut off: a window's edge is no different before 1970
		{d: micros, us: -1000, want: -1},
		{d: micros, us: -1001, want: -2},
		{d: micros, us: MaxTime*1000 + 999, want: MaxTime},
		{d: micros, us: MaxTime*1000 + 1000, reason: ReasonTimeOutOfRange},
		{d: micros, us: MinTime*1000 - 1, reason: ReasonTimeOutOfRange},
		{d: micros, us: null, reason: ReasonTimeNull},
	} {
		var ev Event
		err := c.d.Decode(eventPayload("a", c.ms, c.us, 0), &ev)
		if got := reasonOf(t, err); got != c.reason || got == "" && ev.Time != c.want {
			t.Errorf("%d, %d: %d, %v; want %d, %q", c.ms, c.us, ev.Time, err, c.want, c.reason)
		}
	}
}

func TestWire(t *testing.T) {
	framed := func(id uint32, payload []byte) []byte {
		return append([]byte{0, byte(id >> 24), byte(id >> 16), byte(id >> 8), byte(id)}, payload...)
	}
	payload := eventPayload("a", 5, 6, 7)
	d := mustDecoder(t, Wire{Confluent: true, IDs: []uint32{7, 1 << 30}}, EventDef{Time: "ms"})
	var ev Event
	for _, id := range []uint32{7, 1 << 30} {
		if err := d.Decode(framed(id, payload), &ev); err != nil || ev.SchemaID != id || string(ev.Payload) != string(payload) {
			t.Fatalf("%d: %v %+v", id, err, ev)
		}
		if err := d.DecodePayload(id, payload, &ev); err != nil || ev.SchemaID != id {
			t.Fatal(err)
		}
	}
	var unknown *UnknownSchemaError
	if err := d.Decode(framed(8, nil), &ev); !errors.As(err, &unknown) || unknown.ID != 8 || !strings.Contains(err.Error(), "7 1073741824") {
		t.Error(err)
	}
	if err := d.DecodePayload(0, payload, &ev); !errors.As(err, &unknown) {
		t.Error(err)
	}
	for reason, values := range map[string][][]byte{
		ReasonNullValue: {nil},
		ReasonBadHeader: {{}, {0}, {0, 0, 0, 7}, payload, append([]byte{1, 0, 0, 0, 7}, payload...)},
		ReasonTruncated: {{0, 0, 0, 0, 7}, framed(7, payload[:3])},
	} {
		for _, value := range values {
			if got := reasonOf(t, d.Decode(value, &ev)); got != reason {
				t.Errorf("%x: %q, want %q", value, got, reason)
			}
		}
	}
	bare := mustDecoder(t, Wire{}, EventDef{Time: "ms"})
	if err := bare.DecodePayload(7, payload, &ev); !errors.As(err, &unknown) {
		t.Error(err)
	}
	if got := reasonOf(t, bare.Decode([]byte{}, &ev)); got != ReasonTruncated {
		t.Error(got)
	}
}

// Every fault of a declaration is reported, each with what to do.
func TestNewDecoderRefuses(t *testing.T) {
	_, err := NewDecoder(mustParse(t, eventSchema), Wire{Confluent: true}, EventDef{ID: []string{"idd"}, Time: "local"}, []string{"n", "n.w", "id.x"})
	if err == nil {
		t.Fatal("taken")
	}
	for _, want := range []string{"source.schema.ids", `"idd", did you mean "id"?`, "local-timestamp-millis", "n.x", `no field "n.w" (it has v)`, "only a record"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in:\n%v", want, err)
		}
	}
	var unknown *UnknownFieldError
	if !errors.As(err, &unknown) {
		t.Errorf("%v", err)
	}
}

// A logicalType beside the type instead of in it is taken as it was meant.
func TestLogicalTypeBeside(t *testing.T) {
	mustDecoder(t, Wire{}, EventDef{Time: "beside"})
}

// A Decoder is shared; each goroutine has its Event. Run with -race.
func TestDecoderIsShared(t *testing.T) {
	d := mustDecoder(t, Wire{}, EventDef{ID: []string{"id"}, Time: "ms"}, "n.v")
	var wg sync.WaitGroup
	for g := range int64(4) {
		wg.Go(func() {
			var ev Event
			for i := range int64(200) {
				id := fmt.Sprint(g, i)
				if err := d.Decode(eventPayload(id, i, i, g), &ev); err != nil || ev.Time != i || string(ev.Row[0].Bytes) != id || ev.Row[2].Int() != g {
					t.Error(err, ev.Row)
				}
				d.Identity(&ev)
			}
		})
	}
	wg.Wait()
}

// Values alias the payload, clipped: appending to one must not write into the
// next record of a shared buffer.
func TestValuesAreClipped(t *testing.T) {
	d := mustDecoder(t, Wire{}, EventDef{ID: []string{"id"}, Time: "ms"})
	var ev Event
	if err := d.Decode(eventPayload("abc", 1, 2, 3), &ev); err != nil {
		t.Fatal(err)
	}
	if id := ev.Row[0].Bytes; string(id) != "abc" || cap(id) != len(id) || &id[0] != &ev.Payload[1] {
		t.Errorf("%q, capacity %d", id, cap(id))
	}
}
