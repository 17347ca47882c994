package schema

import (
	"fmt"
	"strings"
	"testing"
)

const orderAvro = `{"type": "record", "name": "order", "fields": [
	{"name": "id", "type": "string"},
	{"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
	{"name": "n", "type": "long"},
	{"name": "small", "type": ["null", "int"]},
	{"name": "x", "type": ["null", "double"]},
	{"name": "price", "type": ["null", {"type": "bytes", "logicalType": "decimal", "precision": 30, "scale": 2}]},
	{"name": "kind", "type": ["null", {"type": "enum", "name": "kind", "symbols": ["A", "B"]}]},
	{"name": "raw", "type": ["null", "bytes"]},
	{"name": "day", "type": ["null", {"type": "int", "logicalType": "date"}]},
	{"name": "ok", "type": ["null", "boolean"]},
	{"name": "who", "type": ["null", {"type": "record", "name": "who", "fields": [{"name": "name", "type": "string"}, {"name": "age", "type": ["null", "int"]}]}]},
	{"name": "items", "type": ["null", {"type": "array", "items": {"type": "record", "name": "item", "fields": [
		{"name": "sku", "type": "string"}, {"name": "qty", "type": ["null", "long"]}]}}]}]}`

func orderSource(unnest string) Source {
	return Source{Format: FormatJSON, Schema: []byte(orderAvro), Event: EventDef{ID: []string{"id"}, Time: "at"}, Unnest: unnest}
}

func mustReader(tb testing.TB, s Source, fields ...string) Reader {
	tb.Helper()
	r, err := NewReader(s, fields)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

// Invariant 8: each rule of JSON events, at its edge. A bad value leaves the event its place in the lake, bad text
// does not.
func TestJSONEvents(t *testing.T) {
	r := mustReader(t, orderSource(""), "n", "small", "x", "price", "kind", "raw", "day", "ok", "who.name", "who.age")
	const head = `{"id": "a", "at": 5, "n": 1`
	for _, c := range []struct{ text, want string }{
		{head + `}`, "n=1"},
		{` {"n" : 9007199254740993 , "at" : 5, "id":"a"}` + "\n", "n=9007199254740993"},
		{`{"id": "a", "at": 5, "n": 9223372036854775807}`, "n=9223372036854775807"},
		{`{"id": "a", "at": 5, "n": -9223372036854775808}`, "n=-9223372036854775808"},
		{`{"id": "a", "at": 5, "n": 9223372036854775808}`, "int_out_of_range placed"},
		{`{"id": "a", "at": 5, "n": 5.0}`, "n=5"},
		{`{"id": "a", "at": 5, "n": 1.5e3}`, "n=1500"},
		{`{"id": "a", "at": 5, "n": 5.5}`, "bad_number placed"},
		{`{"id": "a", "at": 5, "n": 1e999999999}`, "bad_number placed"},
		{`{"id": "a", "at": 5, "n": 1e999}`, "int_out_of_range placed"},
		{`{"id": "a", "at": 5, "n": "1"}`, "bad_type placed"},
		{`{"id": "a", "at": 5, "n": null}`, "bad_type placed"},
		{`{"id": "a", "at": 5}`, "missing_field placed"},
		{`{"id": 7, "at": 5, "n": 1}`, "bad_type placed"},
		{`{"id": "a", "n": 1}`, "time_null"},
		{`{"id": "a", "n": 1, "at": null}`, "time_null"},
		{`{"id": "a", "n": "bad", "at": null}`, "time_null"},
		{`{"id": "a", "n": 1, "at": true}`, "bad_type"},
		{`{"id": "a", "n": 1, "at": "soon"}`, "bad_time"},
		{`{"id": "a", "n": 1, "at": 1e300}`, "int_out_of_range"},
		{`{"id": "a", "n": 1, "at": 253402300800000}`, "time_out_of_range"},
		{`{"id": "a", "n": 1, "at": "1970-01-01T01:00:00.0059+01:00"}`, "n=1"},
		{head + `, "small": 2147483648}`, "int_out_of_range placed"},
		{head + `, "x": 1e999}`, "bad_number placed"},
		{head + `, "x": "NaN"}`, "n=1 x=NaN"},
		{head + `, "x": 0.1}`, "n=1 x=0.1"},
		{head + `, "price": 12.5}`, "n=1 price=0x04e2"},
		{head + `, "price": "-1.28"}`, "n=1 price=0x80"},
		{head + `, "price": 0}`, "n=1 price=0x00"},
		{head + `, "price": 1e2}`, "n=1 price=0x2710"},
		{head + `, "price": 12.345}`, "bad_number placed"},
		{head + `, "price": 1e28}`, "bad_number placed"},
		{head + `, "price": 1234567890123456789012345678.12}`, "n=1 price=0x018ee90ff6c373e0ee4e3f0a84"},
		{head + `, "price": 1e1000000000}`, "bad_number placed"},
		{head + `, "price": ""}`, "bad_number placed"},
		{head + `, "kind": "B"}`, "n=1 kind=B"},
		{head + `, "kind": "C"}`, "bad_enum placed"},
		{head + `, "raw": "\u00ffa"}`, "n=1 raw=0xff61"},
		{head + `, "raw": "\u0100"}`, "bad_type placed"},
		{head + `, "day": "1970-01-03"}`, "n=1 day=2"},
		{head + `, "day": "1970-02-29"}`, "bad_time placed"},
		{head + `, "ok": true, "who": {"name": "\u0041\n\ud83e\udd9c"}}`, "n=1 ok=true who.name=A\n🦜"},
		{head + `, "who": {"age": 3}}`, "missing_field placed"},
		{head + `, "who": []}`, "bad_type placed"},
		{head + `, "who": {"name": "x"}, "items": [{"sku": 5}]}`, "bad_type placed"}, // what isn't read counts too
		{head + `, "more": {"a": [1, {"b": {}}], "b": -0.5e-3}}`, "n=1"},
		{head + `, "n": 1}`, "duplicate_key"},
		{head + `, "\u006e": 1}`, "duplicate_key"},
		{head + `, "z": 1, "z": 1}`, "duplicate_key"},
		{head + `, "z": {"a": 1, "b": 2, "a": 3}}`, "duplicate_key"},
		{head + `, "z": {"a": 1, "b": 2, "a": 3}, `, "bad_json"},
		{head + `, "z": {"0":0,"1":0,"2":0,"3":0,"4":0,"5":0,"6":0,"7":0,"8":0,"9":0,"1":0}}`, "duplicate_key"},
		{head + `} {}`, "trailing_bytes"},
		{head + `}x`, "trailing_bytes"},
		{head, "bad_json"},
		{head + `,}`, "bad_json"},
		{head + `, "z": [1,]}`, "bad_json"},
		{head + `, "z": 01}`, "bad_json"},
		{head + `, "z": 1.}`, "bad_json"},
		{head + `, "z": .5}`, "bad_json"},
		{head + `, "z": +1}`, "bad_json"},
		{head + `, "z": NaN}`, "bad_json"},
		{head + `, "z": tru}`, "bad_json"},
		{head + `, "z": 'a'}`, "bad_json"},
		{head + `, z: 1}`, "bad_json"},
		{head + `, "z" 1}`, "bad_json"},
		{head + `, "z": "\x"}`, "bad_json"},
		{head + `, "z": "\u12g4"}`, "bad_json"},
		{head + ", \"z\": \"tab\tinside\"}", "bad_json"},
		{head + ", \"z\": \"\xff\"}", "bad_utf8"},
		{head + ", \"\xff\": 1}", "bad_utf8"},
		{head + `, "z": "\ud800"}`, "bad_utf8"},
		{head + `, "z": "\ud800\u0041"}`, "bad_utf8"},
		{head + `, "z": "\udc00"}`, "bad_utf8"},
		{"\xef\xbb\xbf" + head + `}`, "bad_json"},
		{`[]`, "bad_json"}, {`"a"`, "bad_json"}, {``, "bad_json"}, {` `, "bad_json"}, {`null`, "bad_json"},
		{head + `, "z": ` + strings.Repeat("[", MaxJSONDepth-1) + strings.Repeat("]", MaxJSONDepth-1) + `}`, "n=1"},
		{head + `, "z": ` + strings.Repeat("[", MaxJSONDepth) + strings.Repeat("]", MaxJSONDepth) + `}`, "too_deep"},
		{head + `, "z": ` + strings.Repeat(`{"a":`, 100_000), "too_deep"},
		{head + `, "z": ` + strings.Repeat(`9`, 100_000) + `}`, "n=1"},
		{head + `, "x": ` + strings.Repeat(`9`, 100_000) + `}`, "bad_number placed"},
	} {
		if got := readText(t, r, c.text); got != c.want {
			t.Errorf("%.200s\n%q, want %q", c.text, got, c.want)
		}
	}
}

// readText is what an event says: the fields that are not null, or the reason why it is bad.
func readText(t *testing.T, r Reader, text string) string {
	t.Helper()
	var ev, again Event
	err := r.Decode([]byte(text), &ev)
	if reason := reasonOf(t, err); reason != "" {
		if !Landable(err) {
			return reason
		}
		if ev.Time != 5 || ev.Payload == nil {
			t.Errorf("%s: placed at %d", text, ev.Time)
		}
		return reason + " placed"
	}
	if err := r.DecodePayload(0, ev.Payload, &again); err != nil || r.Identity(&again) != r.Identity(&ev) || again.Time != ev.Time {
		t.Errorf("%s: read from the lake: %v", text, err)
	}
	var out []string
	for _, name := range []string{"n", "small", "x", "price", "kind", "raw", "day", "ok", "who.name", "who.age"} {
		if v := ev.Row[r.Index(name)]; !v.IsNull() {
			out = append(out, name+"="+v.String())
		}
	}
	if ev.Time != 5 || string(ev.Row[r.Index("id")].Bytes) != "a" {
		t.Errorf("%s: %d %v", text, ev.Time, ev.Row)
	}
	return strings.Join(out, " ")
}

func TestJSONUnnest(t *testing.T) {
	r := mustReader(t, orderSource("items"), "n", "items.sku", "items.qty")
	var ev Event
	for _, c := range []struct{ items, want string }{
		{`[{"sku": "a", "qty": 1}, {"qty": 2, "sku": "\u0062"}, {"sku": "c"}]`, "[a 1] [b 2] [c null]"},
		{`[]`, ""},
		{`null`, ""},
	} {
		text := `{"id": "a", "at": 5, "items": ` + c.items + `, "n": 7}`
		if err := r.Decode([]byte(text), &ev); err != nil {
			t.Fatal(err)
		}
		var out []string
		before := r.Identity(&ev)
		for i := range ev.Elements {
			ev.Load(i)
			out = append(out, fmt.Sprint([]Value{ev.Row[r.Index("items.sku")], ev.Row[r.Index("items.qty")]}))
			if ev.Row[r.Index("n")].Int() != 7 || r.Identity(&ev) != before {
				t.Error("the parent changed")
			}
		}
		if got := strings.Join(out, " "); got != c.want {
			t.Errorf("%s: %s", c.items, got)
		}
	}
	many := `{"id": "a", "at": 5, "n": 7, "items": [` + strings.Repeat(`{"sku": "a"},`, MaxElements-1)
	if err := r.Decode([]byte(many+`{"sku": "b"}]}`), &ev); err != nil || ev.Elements != MaxElements {
		t.Error(err)
	}
	err := r.Decode([]byte(many+`{"sku": "b"}, {"sku": "c"}]}`), &ev)
	if reasonOf(t, err) != ReasonTooManyElements || !Landable(err) {
		t.Error(err)
	}
}

// Strings are scanned eight bytes at a time: each byte counts wherever it stands.
func TestJSONStringsByteByByte(t *testing.T) {
	r := mustReader(t, orderSource(""))
	var ev Event
	for n := range 40 {
		for i := range n {
			for _, c := range []struct{ in, reason string }{{"\xff", ReasonBadUTF8}, {"\x1f", ReasonBadJSON}, {"\x7f", ""}, {"\xc3\xa4", ""}, {`\"`, ""}, {`\\`, ""}, {`\x`, ReasonBadJSON}} {
				text := strings.Repeat("a", i) + c.in + strings.Repeat("a", n-i)
				err := r.Decode([]byte(`{"at": 5, "n": 1, "id": "`+text+`"}`), &ev)
				if got := reasonOf(t, err); got != c.reason {
					t.Fatalf("%q: %q, want %q", text, got, c.reason)
				}
				plain := strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(text)
				if err == nil && string(ev.Row[r.Index("id")].Bytes) != plain {
					t.Fatalf("%q is read as %q", text, ev.Row[r.Index("id")].Bytes)
				}
			}
		}
	}
}
