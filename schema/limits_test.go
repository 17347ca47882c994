package schema

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
)

func mustParse(tb testing.TB, text string) *Schema {
	tb.Helper()
	s, err := Parse([]byte(text))
	if err != nil {
		tb.Fatalf("%v\n%s", err, text)
	}
	return s
}

func mustProject(tb testing.TB, s *Schema, paths ...string) *Projection {
	tb.Helper()
	p, err := s.Project(paths)
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

// recordOf is a record with one field x of the type.
func recordOf(typ string) string {
	return `{"type": "record", "name": "r", "fields": [{"name": "x", "type": ` + typ + `}]}`
}

func long(v int64) []byte { return binary.AppendVarint(nil, v) } // zigzag, as Avro has it

// Invariant 3: each rule of the encoding, at its edge.
func TestEdgesOfTheEncoding(t *testing.T) {
	union := `["null", "long", "string"]`
	enum := `{"type": "enum", "name": "e", "symbols": ["A", "B"]}`
	ints := `{"type": "array", "items": "int"}`
	for _, c := range []struct {
		typ, payload, reason string
	}{
		{`"long"`, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", ""},
		{`"long"`, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", ReasonBadVarint},
		{`"long"`, "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00", ReasonBadVarint},
		{`"long"`, "\x80\x00", ""}, // longer than need be is valid
		{`"long"`, "\x80", ReasonTruncated},
		{`"int"`, "\xff\xff\xff\xff\x0f", ""},
		{`"int"`, "\xff\xff\xff\xff\x1f", ReasonIntRange},
		{`"int"`, "\x80\x80\x80\x80\x80\x00", ReasonIntRange},
		{`"boolean"`, "\x01", ""},
		{`"boolean"`, "\x02", ReasonBadBool},
		{`"string"`, "\x04\xc3\xa4", ""},
		{`"string"`, "\x02\xc3", ReasonBadUTF8},
		{`"string"`, "\x06\xed\xa0\x80", ReasonBadUTF8}, // a surrogate
		{`"string"`, "\x01", ReasonBadLength},
		{`"string"`, "\x06ab", ReasonTruncated},
		{`"bytes"`, "\x02\xff", ""},
		{enum, "\x02", ""},
		{enum, "\x04", ReasonBadEnum},
		{enum, "\x01", ReasonBadEnum},
		{union, "\x00", ""},
		{union, "\x04\x00", ""},
		{union, "\x06", ReasonBadUnion},
		{union, "\x01", ReasonBadUnion},
		{`["null", "int"]`, "\x04\x00", ReasonBadUnion},
		{`["null", "int"]`, "\x01", ReasonBadUnion},
		{`["int", "null"]`, "\x02", ""},
		{ints, "\x04\x02\x04\x00", ""},
		{ints, "\x03\x04\x02\x04\x00", ""},             // -2 items, 2 bytes
		{ints, "\x03\x02\x02\x04\x00", ReasonBadBlock}, // -2 items, 1 byte
		{ints, "\x03\x06\x02\x04\x00", ReasonBadBlock},
		{ints, "\x03\x7f\x02\x04\x00", ReasonBadLength},
		{ints, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", ReasonBadBlock},
		{ints, "\x04\x02", ReasonTruncated},
		{ints, "\x00\x00", ReasonTrailingBytes},
		{`{"type": "map", "values": "int"}`, "\x02\x02k\x04\x00", ""},
		{`{"type": "map", "values": "int"}`, "\x02\x02\xff\x04\x00", ReasonBadUTF8},
		{`{"type": "map", "values": "int"}`, "\x02\x01", ReasonBadLength},
		{`{"type": "array", "items": "double"}`, "\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00", ""},
		{`{"type": "array", "items": "double"}`, "\x02\x00\x00\x00\x00\x00\x00\x00", ReasonTruncated},
		{`{"type": "fixed", "name": "f", "size": 0}`, "", ""},
		{`{"type": "fixed", "name": "f", "size": 3}`, "ab", ReasonTruncated},
	} {
		p := mustProject(t, mustParse(t, recordOf(c.typ)))
		if got := reasonOf(t, p.Decode([]byte(c.payload), nil)); got != c.reason {
			t.Errorf("%s of %x: %q, want %q", c.typ, c.payload, got, c.reason)
		}
	}
}

// Invariant 4: a count or length that nobody could mean costs neither memory
// nor time.
func TestHugeCountsAndLengths(t *testing.T) {
	for _, typ := range []string{
		`"string"`, `"bytes"`, `{"type": "array", "items": "null"}`, `{"type": "array", "items": "long"}`,
		`{"type": "array", "items": "double"}`, `{"type": "map", "values": "null"}`,
		`{"type": "array", "items": {"type": "array", "items": "null"}}`,
		`{"type": "array", "items": {"type": "record", "name": "empty", "fields": []}}`,
	} {
		p := mustProject(t, mustParse(t, recordOf(typ)))
		for _, n := range []int64{1 << 20, 1 << 31, 1 << 40, 1<<62 - 1, -1 << 40, -1 << 63, 1<<63 - 1} {
			before := allocatedBytes()
			if err := p.Decode(append(long(n), 0, 0, 0), nil); reasonOf(t, err) == "" {
				t.Errorf("%s with %d: taken", typ, n)
			}
			if used := allocatedBytes() - before; used > 1<<20 {
				t.Errorf("%s with %d: %d bytes allocated", typ, n, used)
			}
		}
	}
}

func TestItemsWithoutBytesAreBounded(t *testing.T) {
	p := mustProject(t, mustParse(t, recordOf(`{"type": "array", "items": "null"}`)))
	if err := p.Decode(append(long(MaxEmptyItems), 0), nil); err != nil {
		t.Error(err)
	}
	if got := reasonOf(t, p.Decode(append(long(MaxEmptyItems+1), 0), nil)); got != ReasonTooManyItems {
		t.Error(got)
	}
	blocks := strings.Repeat(string(long(MaxEmptyItems/2)), 3)
	if got := reasonOf(t, p.Decode([]byte(blocks+"\x00"), nil)); got != ReasonTooManyItems {
		t.Error(got)
	}
}

func TestRecursionIsBounded(t *testing.T) {
	s := mustParse(t, `{"type": "record", "name": "node", "fields": [{"name": "next", "type": ["null", "node"]}]}`)
	p := mustProject(t, s)
	chain := func(n int) []byte { return append([]byte(strings.Repeat("\x02", n)), 0) }
	if err := p.Decode(chain(MaxDepth/2), nil); err != nil {
		t.Error(err)
	}
	if got := reasonOf(t, p.Decode(chain(100_000), nil)); got != ReasonTooDeep {
		t.Error(got)
	}
}

// A record that holds itself has no value; the walk ends all the same.
func TestRecordInsideItself(t *testing.T) {
	p := mustProject(t, mustParse(t, `{"type": "record", "name": "r", "fields": [{"name": "a", "type": "r"}, {"name": "b", "type": "r"}]}`))
	if got := reasonOf(t, p.Decode(make([]byte, 100), nil)); got != ReasonTooDeep {
		t.Error(got)
	}
}

// bomb nests n records, each holding the next one twice.
func bomb(n int, leaf string) string {
	text := fmt.Sprintf(`{"type": "record", "name": "r%d", "fields": [{"name": "a", "type": %s}]}`, n, leaf)
	for i := n - 1; i >= 0; i-- {
		text = fmt.Sprintf(`{"type": "record", "name": "r%d", "fields": [{"name": "a", "type": %s}, {"name": "b", "type": "r%d"}]}`, i, text, i+1)
	}
	return text
}

// Invariant 4: 2^40 fields in 3 KB of schema: neither compiling nor walking them
// takes long. Values of constant size are one step, others take a byte each.
func TestSchemaBombs(t *testing.T) {
	for leaf, reason := range map[string]string{`"null"`: "", `"double"`: ReasonTruncated, `"long"`: ReasonTruncated, `["null", "long"]`: ReasonTruncated} {
		s := mustParse(t, bomb(40, leaf))
		p := mustProject(t, s)
		ops := 0
		for _, prog := range p.programs {
			ops += len(prog.ops)
		}
		if ops > 10_000 {
			t.Errorf("%s: compiled to %d steps", leaf, ops)
		}
		payload := make([]byte, 10_000)
		if reason == "" {
			payload = nil
		}
		if got := reasonOf(t, p.Decode(payload, nil)); got != reason {
			t.Errorf("%s: %q", leaf, got)
		}
		if n := len(s.Paths()); n > pathsMax {
			t.Errorf("%s: %d paths", leaf, n)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for text, want := range map[string]string{
		`{`:        "parse Avro schema",
		`"string"`: "must be a record",
		`["null", {"type": "record", "name": "r", "fields": []}]`: "must be a record",
		recordOf(`"lnog"`): "lnog",
		recordOf(`{"type": "enum", "name": "e", "symbols": ["A", "A"]}`):                                        "A",
		recordOf(`["int", "int"]`):                                                                              "int",
		`{"type": "record", "name": "r", "fields": [{"name": "x", "type": "int", "default": "a"}]}`:             "default",
		strings.Repeat(" ", MaxSchemaBytes+1):                                                                   "at most",
		recordOf(strings.Repeat(`{"type": "array", "items": `, 20_000) + `"int"` + strings.Repeat("}", 20_000)): "deep",
	} {
		_, err := Parse([]byte(text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.80s: %v, want %q in it", text, err, want)
		}
	}
}

// Invariant 1: nothing is allocated for an event.
func TestNoAllocations(t *testing.T) {
	d, payloads := w1Decoder(t)
	full, err := NewDecoder(mustParse(t, w1Schema), Wire{Confluent: true, IDs: []uint32{7}}, EventDef{ID: []string{"event_id"}, Time: "ts"}, []string{"note", "category"})
	if err != nil {
		t.Fatal(err)
	}
	nested := mustParse(t, fuzzSchemas[5])
	p := mustProject(t, nested, "y.i", "e", "x")
	row := make([]Value, 3)
	nestedPayload := []byte("\x02\x02\x02\x02\x04\x04xy\x01\x00\x00\x00")
	var ev, ev2 Event
	var sum byte
	i := 0
	framed := append([]byte{0, 0, 0, 0, 7}, payloads[0]...)
	step := func() {
		if err := d.Decode(payloads[i%len(payloads)], &ev); err != nil {
			t.Fatal(err)
		}
		if err := full.Decode(framed, &ev2); err != nil {
			t.Fatal(err)
		}
		if err := p.Decode(nestedPayload, row); err != nil {
			t.Fatal(err)
		}
		id, id2 := d.Identity(&ev), full.Identity(&ev2)
		sum ^= id[0] ^ id2[0]
		i++
	}
	step()
	if n := testing.AllocsPerRun(1000, step); n != 0 {
		t.Fatalf("%v allocations per event, %d", n, sum)
	}
}
