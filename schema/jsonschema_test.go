package schema

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
)

// TestJSONSchema reads testdata/jsonschema: a JSON Schema, and its shape as fields or as an Avro schema, or the error.
func TestJSONSchema(t *testing.T) {
	datadriven.RunTest(t, "testdata/jsonschema", func(t *testing.T, d *datadriven.TestData) string {
		s := Source{Format: FormatJSON, Schema: []byte(d.Input)}
		d.MaybeScanArgs(t, "unnest", &s.Unnest)
		shape, err := s.Shape()
		if err != nil {
			return "error: " + err.Error() + "\n"
		}
		if d.Cmd == "avro" {
			return strings.ReplaceAll(string(shape.JSON()), `{"name":"`, "\n  "+`{"name":"`) + "\n"
		}
		var out strings.Builder
		for _, f := range shape.Paths() {
			if found, err := shape.Lookup(f.Name); err != nil || found.String() != f.Type.String() {
				t.Errorf("%s is found as %s, %v", f.Name, found, err)
			}
			fmt.Fprintf(&out, "%-20s %s", f.Name, f.Type)
			if f.Type.Symbols != nil {
				fmt.Fprintf(&out, " %v", f.Type.Symbols)
			}
			out.WriteString("\n")
		}
		return out.String()
	})
}

// A reader with a JSON Schema takes what the schema takes.
func TestReadWithJSONSchema(t *testing.T) {
	s := Source{Format: FormatJSON, Event: EventDef{ID: []string{"id"}, Time: "at"}, Unnest: "lines", Schema: []byte(`{
		"type": "object", "required": ["id", "at"], "properties": {
			"id": {"type": "integer"}, "at": {"type": "string", "format": "date-time"},
			"free": {}, "tags": {"type": "object", "additionalProperties": {"type": "string"}},
			"lines": {"type": "array", "items": {"$ref": "#/$defs/line"}}},
		"$defs": {"line": {"type": "object", "properties": {"sku": {"type": "string"}, "part": {"$ref": "#/$defs/line"}}}}}`)}
	r := mustReader(t, s, "lines.sku", "lines.part.sku")
	var ev Event
	for text, want := range map[string]string{
		`{"id": 12345678901234567, "at": "2013-01-05T00:00:00.123456789Z", "free": [1, {}], "lines": [{"sku": "a", "part": {"sku": "b"}}, {}]}`: "[1357344000123456 12345678901234567 b a] [1357344000123456 12345678901234567 null null]",
		`{"id": 1, "at": "1970-01-01T00:00:00Z"}`:                             "",
		`{"id": 1, "at": "1970-01-01T00:00:00Z", "lines": {}}`:                ReasonBadType,
		`{"id": 1, "at": "1970-01-01T00:00:00Z", "lines": [{"sku": 1}]}`:      ReasonBadType,
		`{"id": 1, "at": "1970-01-01T00:00:00Z", "tags": {"a": "b"}}`:         "",
		`{"id": 1, "at": "1970-01-01T00:00:00Z", "tags": {"a": 1}}`:           ReasonBadType,
		`{"id": 1, "at": "1970-01-01T00:00:00Z", "tags": {"a": "", "a": ""}}`: ReasonDuplicateKey,
		`{"at": "1970-01-01T00:00:00Z"}`:                                      ReasonMissingField,
		`{"id": 1}`:                                                           ReasonTimeNull,
	} {
		err := r.Decode([]byte(text), &ev)
		got := reasonOf(t, err)
		if err == nil {
			var rows []string
			for i := range ev.Elements {
				ev.Load(i)
				rows = append(rows, fmt.Sprint(ev.Row))
			}
			got = strings.Join(rows, " ")
		}
		if got != want {
			t.Errorf("%s\n%s %v, want %s", text, got, err, want)
		}
	}
}

func TestEdges(t *testing.T) {
	json, shop := orderSource(""), shopSource(t, "")
	framed := shop
	framed.Wire = Wire{Confluent: true, IDs: []uint32{7}}
	framedJSON := json
	framedJSON.Wire = framed.Wire
	avro := basketSource("")
	avro.Format, avro.Wire.IDs = FormatAvro, []uint32{7}
	bare := json
	bare.Event = EventDef{}
	for _, c := range []struct {
		s                 Source
		line, value, text string
	}{
		{json, `{"id": "a",  "at": 5, "n": 1.0}`, `{"id": "a",  "at": 5, "n": 1.0}`, `{"id":"a","at":5,"n":1.0}`},
		{bare, `{"id": "a", "at": 5, "n": 1}`, `{"id": "a", "at": 5, "n": 1}`, `{"id":"a","at":5,"n":1}`},
		{framedJSON, `{"id": "a", "at": 5, "n": 1}`, "\x00\x00\x00\x00\x07" + `{"id": "a", "at": 5, "n": 1}`, ``},
		{json, `{"id": "a", "at": 5}`, `error: no event: invalid record (missing_field): field "n", before byte 19: it is missing, expected long`, ``},
		{bare, `{"id": "a", "at": 5}`, `error: no event: invalid record (missing_field): field "n", before byte 19: it is missing, expected long`, ``},
		{bare, `{"id": "a", "at": 5, "n": 1} 1`, `error: no event: invalid record (trailing_bytes)`, ``},
		{shop, `{"id": "a", "at": "1970-01-01T00:00:05Z", "n": "9007199254740993", "status": "PAID", "who": {"name": "x"}}`,
			"\x0a\x01a\x12\x02\x08\x05\x18\x81\x80\x80\x80\x80\x80\x80\x10\x20\x01\x42\x03\x0a\x01x", `{"id":"a","at":"1970-01-01T00:00:05Z","n":"9007199254740993","status":"PAID","raw":"","x":0,`},
		{framed, `{"id": "a"}`, "\x00\x00\x00\x00\x07\x00\x0a\x01a", ``},
		{shop, `{"ids": "a"}`, `error: encode shop.Order: `, ``},
		{avro, `{"id": "a", "at": 5, "codes": [], "in": null}`, "\x00\x00\x00\x00\x07\x02a\x0a\x00\x00", ``},
		{avro, `{}`, `error: encode basket`, ``},
	} {
		value, err := c.s.FromJSON([]byte("head"), []byte(c.line))
		got := strings.TrimPrefix(string(value), "head")
		if err != nil {
			if string(value) != "head" {
				t.Errorf("dst came back as %q", value)
			}
			got = "error: " + err.Error()
		}
		if got != c.value && (err == nil || !strings.HasPrefix(got, c.value)) {
			t.Errorf("%s\n%q, want %q", c.line, got, c.value)
		}
		if c.text == "" {
			continue
		}
		var ev Event
		if c.s.Event.Time == "" {
			ev.store(value[4:])
		} else if err := mustReader(t, c.s).Decode(value[4:], &ev); err != nil {
			t.Error(err)
		}
		if text, err := c.s.ToJSON(ev.Payload); err != nil || !strings.HasPrefix(string(text), c.text) {
			t.Errorf("%s, %v, want %s", text, err, c.text)
		}
	}
	if text, err := shop.ToJSON([]byte("\x04\xff\xff")); err != nil || !strings.HasPrefix(string(text), `{"_error":"decode shop.Order: `) {
		t.Errorf("%s %v", text, err)
	}
	framed.Wire.IDs = nil
	if _, err := framed.Edge(); err == nil {
		t.Error("no id is taken")
	}
}

// Every fault of a declaration says what to do.
func TestNewReaderRefuses(t *testing.T) {
	shop, old := shopSource(t, ""), oldSource(t, "")
	for _, c := range []struct {
		change func(*Source)
		base   Source
		fields []string
		want   string
	}{
		{func(s *Source) { s.Format = "xml" }, shop, nil, "avro, avro-raw, json or protobuf"},
		{func(s *Source) { s.Schema = []byte("{") }, shop, nil, "include_imports"},
		{func(s *Source) { s.Schema = nil }, shop, nil, "no file in it"},
		{func(s *Source) { s.Message = "" }, shop, nil, "no message is named (it has [shop.Order shop.Other])"},
		{func(s *Source) { s.Message = "shop.Ordre" }, shop, nil, `did you mean "shop.Order"?`},
		{func(s *Source) { s.Message = "shop.Status" }, shop, nil, "no message"},
		{func(s *Source) { s.Event.Time = "n" }, shop, nil, "timestamp-millis"},
		{func(s *Source) { s.Event.Time = "who" }, shop, nil, "is a record"},
		{func(s *Source) { s.Event.ID = []string{"tags"} }, shop, nil, "is a map"},
		{func(s *Source) {}, shop, []string{"items"}, "is an array"},
		{func(s *Source) {}, shop, []string{"items.sku"}, "only a record"},
		{func(s *Source) { s.Unnest = "items" }, shop, []string{"items"}, "name a field in it"},
		{func(s *Source) { s.Unnest = "tags" }, shop, nil, "name an array"},
		{func(s *Source) { s.Wire.Confluent = true }, shop, nil, "no id is declared"},
		{func(s *Source) { s.TimeUnit = "timestamp-millis" }, shop, nil, "a time unit is for 64-bit integers"},
		{func(s *Source) { s.TimeUnit = "seconds" }, shop, nil, "timestamp-millis or timestamp-micros"},
		{func(s *Source) { s.TimeUnit, s.Event.Time = "timestamp-millis", "nn" }, shop, nil, `no field "nn"`},
		{func(s *Source) { s.TimeUnit = "timestamp-millis" }, orderSource(""), nil, "a time unit is for Protobuf"},
		{func(s *Source) {}, old, []string{"part.x"}, "has v, w"},
	} {
		c.change(&c.base)
		if _, err := NewReader(c.base, c.fields); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q in it", err, c.want)
		}
	}
	var unknown *UnknownFieldError
	if _, err := NewReader(orderSource(""), []string{"whoo.name"}); !errors.As(err, &unknown) || unknown.Suggestion != "who.name" {
		t.Error(err)
	}
}
