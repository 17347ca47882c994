package schema

import (
	"fmt"
	"testing"

	"google.golang.org/protobuf/types/dynamicpb"
)

// Invariant 10: where an event lies in the lake, and for which reason it lies in quarantine, does not depend on a
// schema, but on what Stored says of the event time alone.
func TestPlaceDependsOnTheEventTimeAlone(t *testing.T) {
	json, shop, old := orderSource("items"), shopSource(t, "codes"), oldSource(t, "parts")
	placed := map[string]int{}
	whole, maybe := shop, old
	whole.Event.Time, whole.TimeUnit = "n", "timestamp-millis"
	whole.Unnest = ""
	maybe.Schema, maybe.Message, maybe.Unnest = shop.Schema, shop.Message, ""
	maybe.Event.Time, maybe.TimeUnit = "parent.z64", "timestamp-micros"
	for _, s := range []Source{json, shop, old, whole, maybe} {
		full := mustReader(t, s)
		least, err := StoredReader(s.Stored(), 0, s.Event.Time)
		if err != nil {
			t.Fatal(err)
		}
		write := jsonOrder
		if s.Format == FormatProtobuf {
			write = messageWriter(t, s)
		}
		var a, b Event
		for seed := range uint64(3000) {
			g := newGenerator(seed)
			value := write(g)
			if seed%3 > 0 {
				value = g.corrupt(value)
			}
			first, second := full.Decode(value, &a), least.Decode(value, &b)
			if Landable(first) != Landable(second) {
				t.Fatalf("%v and %v\n%q", first, second, value)
			}
			if !Landable(first) {
				placed["not"]++
				if one, other := reasonOf(t, first), reasonOf(t, second); one != other {
					t.Fatalf("%v and %v\n%q", first, second, value)
				}
				continue
			}
			if first != nil {
				placed["bad and placed"]++
			}
			if a.Time != b.Time || string(a.Payload) != string(b.Payload) {
				t.Fatalf("%d and %d\n%q", a.Time, b.Time, value)
			}
			placed["placed"]++
		}
	}
	t.Log(placed)
	if placed["not"] < 1000 || placed["placed"] < 1000 || placed["bad and placed"] < 100 {
		t.Error("the test proves little")
	}
}

func jsonOrder(g *generator) []byte { return (&jsonMaker{rng: g.rng}).order() }

func messageWriter(t *testing.T, s Source) func(g *generator) []byte {
	message, _, err := protoMessageOf(s.Schema, s.Message)
	if err != nil {
		t.Fatal(err)
	}
	return func(g *generator) []byte {
		m := dynamicpb.NewMessage(message)
		fillMessage(g, m, 0)
		return protobufOf(t, m)
	}
}

func TestStored(t *testing.T) {
	json, shop := orderSource(""), shopSource(t, "")
	integers := shop
	integers.Event.Time, integers.TimeUnit = "n", "timestamp-millis"
	shop.Event.Time = "who.since"
	for _, c := range []struct {
		s    Source
		want string
	}{
		{json, `{"type":"bytes","tidemark.format":"json","tidemark.time":"timestamp-millis"}`},
		{shop, `{"type":"bytes","tidemark.format":"protobuf","tidemark.time":"timestamp-micros","tidemark.fields":[8,3]}`},
		{integers, `{"type":"bytes","tidemark.format":"protobuf","tidemark.time":"timestamp-millis","tidemark.fields":[3],"tidemark.kind":"int64"}`},
		{Source{Format: FormatAvroRaw, Schema: []byte(orderAvro)}, orderAvro},
		{Source{Format: FormatJSON, Schema: []byte(`{}`)}, ""},
	} {
		if got := string(c.s.Stored()); got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
	for _, stored := range []string{`"bytes"`, `{"type":"bytes"}`, `{"type":"bytes","tidemark.format":"xml"}`, `{"type":"bytes","tidemark.format":"protobuf"}`,
		`{"type":"bytes","tidemark.format":"protobuf","tidemark.fields":[0]}`, `{"type":"bytes","tidemark.format":"json","tidemark.time":"\"}"}`} {
		if _, err := StoredReader([]byte(stored), 0, "at"); err == nil {
			t.Errorf("%s is taken", stored)
		}
	}
	optional, err := StoredReader([]byte(`{"type":"bytes","tidemark.format":"protobuf","tidemark.time":"timestamp-millis","tidemark.fields":[3],"tidemark.kind":"optional sint64"}`), 0, "n")
	if err != nil {
		t.Fatal(err)
	}
	var ev Event
	if got := reasonOf(t, optional.Decode([]byte{}, &ev)); got != ReasonTimeNull {
		t.Error(got)
	}
	if err := optional.Decode([]byte("\x18\x0a"), &ev); err != nil || ev.Time != 5 {
		t.Error(err, ev.Time)
	}
	for _, payload := range []string{"", "\x80", "\x04a", "\x02ab", "\x01a"} {
		var ev Event
		if got := reasonOf(t, mustReader(t, json).DecodePayload(0, []byte(payload), &ev)); got != ReasonBadLength {
			t.Errorf("%q: %q", payload, got)
		}
	}
}

func TestConfluentOfOtherFormats(t *testing.T) {
	json, shop := orderSource(""), shopSource(t, "")
	nested := shop
	nested.Message = "shop.Other"
	nested.Event.Time = "v"
	const order = `{"id": "a", "at": 5, "n": 1}`
	for _, c := range []struct {
		s           Source
		head, value string
		reason      string
	}{
		{json, "\x00\x00\x00\x00\x07", order, ""},
		{json, "\x01\x00\x00\x00\x07", order, ReasonBadHeader},
		{json, "", "{}", ReasonBadHeader},
		{json, "", order, ReasonBadHeader},
		{shop, "\x00\x00\x00\x00\x07\x00", "\x0a\x01a\x12\x02\x08\x05", ""},
		{shop, "\x00\x00\x00\x00\x07\x02\x00", "\x0a\x01a\x12\x02\x08\x05", ""},
		{shop, "\x00\x00\x00\x00\x07\x02\x02", "\x0a\x01a\x12\x02\x08\x05", ReasonBadHeader},
		{shop, "\x00\x00\x00\x00\x07\x04\x00\x00", "\x0a\x01a\x12\x02\x08\x05", ReasonBadHeader},
		{shop, "\x00\x00\x00\x00\x07\x01", "", ReasonBadHeader},
		{shop, "\x00\x00\x00\x00\x07\x7e", "", ReasonBadHeader},
		{shop, "\x00\x00\x00\x00\x07", "", ReasonBadHeader},
	} {
		c.s.Wire = Wire{Confluent: true, IDs: []uint32{7}}
		r := mustReader(t, c.s)
		var ev, again Event
		err := r.Decode([]byte(c.head+c.value), &ev)
		if got := reasonOf(t, err); got != c.reason {
			t.Errorf("%q: %v, want %q", c.head, err, c.reason)
		}
		if err != nil {
			continue
		}
		if string(ev.Payload[1:]) != c.value || ev.SchemaID != 7 {
			t.Errorf("stored as %q", ev.Payload)
		}
		if err := r.DecodePayload(7, ev.Payload, &again); err != nil || r.Identity(&ev) != r.Identity(&again) {
			t.Error(err)
		}
		if err := r.DecodePayload(8, ev.Payload, &again); fmt.Sprintf("%T", err) != "*schema.UnknownSchemaError" {
			t.Error(err)
		}
	}
	if got := fmt.Sprintf("%x %x %x", appendIndexes(nil, []int{0}), appendIndexes(nil, []int{1}), appendIndexes(nil, []int{0, 2})); got != "00 0202 040004" {
		t.Error(got)
	}
}
