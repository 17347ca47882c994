package schema

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"
)

func w1JSON(n int) [][]byte {
	rng := rand.New(rand.NewPCG(1, 2))
	out := make([][]byte, n)
	for i := range out {
		out[i] = fmt.Appendf(nil, `{"event_id":"%08x-0000-4000-8000-%012x","user":"user-%05d","category":"category-%d","amount":%g,"ts":%d,"note":%q}`,
			rng.Uint32(), rng.Int64N(1<<48), rng.IntN(100_000), rng.IntN(20), float64(rng.IntN(100_000))/100, 1_700_000_000_000+rng.Int64N(86_400_000), strings.Repeat("note ", 16))
	}
	return out
}

// BenchmarkDecodeJSON reads user, amount and ts of the W1 record as JSON, everything validated.
func BenchmarkDecodeJSON(b *testing.B) {
	r := mustReader(b, Source{Format: FormatJSON, Schema: []byte(w1Schema), Event: EventDef{Time: "ts"}}, "user", "amount")
	texts := w1JSON(1024)
	var ev Event
	b.SetBytes(int64(len(texts[0])))
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if err := r.Decode(texts[i%len(texts)], &ev); err != nil {
			b.Fatal(err)
		}
		i++
	}
}

const w1File = `name: "w1.proto" syntax: "proto3" dependency: "google/protobuf/timestamp.proto"
message_type { name: "W1"
  field { name: "event_id" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL }
  field { name: "user" number: 2 type: TYPE_STRING label: LABEL_OPTIONAL }
  field { name: "category" number: 3 type: TYPE_STRING label: LABEL_OPTIONAL }
  field { name: "amount" number: 4 type: TYPE_DOUBLE label: LABEL_OPTIONAL }
  field { name: "ts" number: 5 type: TYPE_MESSAGE type_name: ".google.protobuf.Timestamp" label: LABEL_OPTIONAL }
  field { name: "note" number: 6 type: TYPE_STRING label: LABEL_OPTIONAL } }`

// w1Protobuf gives the W1 records as messages.
func w1Protobuf(tb testing.TB, n int) (Source, [][]byte) {
	tb.Helper()
	s := Source{Format: FormatProtobuf, Schema: descriptorSet(tb, w1File), Message: "W1", Event: EventDef{Time: "ts"}}
	edge, err := s.Edge()
	if err != nil {
		tb.Fatal(err)
	}
	var out [][]byte
	for _, line := range w1JSON(n) {
		at := strings.Index(string(line), `"ts":`) + len(`"ts":`)
		millis := string(line[at : at+13])
		ms, err := strconv.ParseInt(millis, 10, 64)
		if err != nil {
			tb.Fatal(err)
		}
		stamp := strconv.Quote(time.UnixMilli(ms).UTC().Format(time.RFC3339Nano))
		line = []byte(strings.Replace(string(line), millis, stamp, 1))
		value, err := edge.AppendJSON(nil, line)
		if err != nil {
			tb.Fatal(err)
		}
		out = append(out, value)
	}
	return s, out
}

// BenchmarkDecodeProtobuf reads user, amount and ts of the W1 record as a message, everything validated.
func BenchmarkDecodeProtobuf(b *testing.B) {
	s, values := w1Protobuf(b, 1024)
	r := mustReader(b, s, "user", "amount")
	var ev Event
	b.SetBytes(int64(len(values[0])))
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if err := r.Decode(values[i%len(values)], &ev); err != nil {
			b.Fatal(err)
		}
		i++
	}
}

// BenchmarkUnnest reads an Avro record of 20 elements, two fields of each. One op is one record.
func BenchmarkUnnest(b *testing.B) {
	r := mustReader(b, basketSource("in.items"), "in.items.sku", "in.items.price")
	item := `{"sku": "sku-12345", "price": "12.50", "codes": []},`
	value := basket(b, `{"id": "a", "at": 5, "codes": [1], "in": {"items": [`+strings.TrimSuffix(strings.Repeat(item, 20), ",")+`]}}`)
	var ev Event
	b.ReportAllocs()
	for b.Loop() {
		if err := r.Decode(value, &ev); err != nil {
			b.Fatal(err)
		}
		for i := range ev.Elements {
			ev.Load(i)
		}
	}
}

// Invariant 1, for the other formats.
func TestNoAllocationsOfOtherFormats(t *testing.T) {
	shop, messages := w1Protobuf(t, 64)
	texts := w1JSON(64)
	const order = `{"id": "a\u00e4\n", "at": "2013-01-05T07:30:00.123+01:00", "n": 9007199254740993, "price": 12.5, "x": 0.1, "zz": {"a": [1], "b": "\ud83e\udd9c"},
		"who": {"name": "x", "age": 5}, "items": [{"sku": "a", "qty": 1}, {"sku": "b"}]}`
	readers := map[Reader][][]byte{
		mustReader(t, shop, "user", "amount"): messages,
		mustReader(t, Source{Format: FormatJSON, Schema: []byte(w1Schema), Event: EventDef{Time: "ts"}}, "user", "amount"): texts,
		mustReader(t, orderSource("items"), "n", "price", "x", "who.age", "items.sku", "items.qty"):                        {[]byte(order)},
		mustReader(t, shopSource(t, "items"), "items.sku", "who.name", "status", "card"): {[]byte(
			"\x0a\x01a\x12\x02\x08\x05\x18\x81\x80\x80\x80\x80\x80\x80\x10\x20\x01\x42\x03\x0a\x01x\x4a\x03\x0a\x01x\x4a\x03\x0a\x01y")},
	}
	for r, values := range readers {
		var ev Event
		i := 0
		step := func() {
			if err := r.Decode(values[i%len(values)], &ev); err != nil {
				t.Fatal(err)
			}
			for i := range ev.Elements {
				ev.Load(i)
			}
			r.Identity(&ev)
			i++
		}
		for range values {
			step()
		}
		if n := testing.AllocsPerRun(500, step); n != 0 {
			t.Errorf("%T: %v allocations per event", r, n)
		}
	}
}
