package schema

import (
	"bytes"
	"errors"
	"runtime/metrics"
	"testing"
)

// fuzzSchemas have every type in every place where it is walked differently.
var fuzzSchemas = []string{
	w1Schema,
	`{"type": "record", "name": "r", "fields": [{"name": "a", "type": {"type": "array", "items": "null"}}, {"name": "b", "type": {"type": "array", "items": "double"}}, {"name": "c", "type": {"type": "array", "items": "string"}}]}`,
	`{"type": "record", "name": "r", "fields": [{"name": "m", "type": {"type": "map", "values": "null"}}, {"name": "n", "type": {"type": "map", "values": {"type": "array", "items": {"type": "map", "values": "int"}}}}]}`,
	`{"type": "record", "name": "node", "fields": [{"name": "next", "type": ["null", "node"]}, {"name": "kids", "type": {"type": "array", "items": "node"}}]}`,
	`{"type": "record", "name": "r", "fields": [{"name": "u", "type": ["null", "string", "long", {"type": "array", "items": ["null", "r"]}, {"type": "fixed", "name": "f", "size": 3}]}]}`,
	`{"type": "record", "name": "r", "fields": [{"name": "e", "type": {"type": "enum", "name": "e", "symbols": ["A", "B"]}}, {"name": "x", "type": ["float", "null"]}, {"name": "y", "type": ["null", {"type": "record", "name": "p", "fields": [{"name": "i", "type": ["null", "int"]}, {"name": "b", "type": "bytes"}, {"name": "t", "type": "boolean"}]}]}, {"name": "z", "type": "p"}]}`,
	`{"type": "record", "name": "r", "fields": [{"name": "d", "type": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}}, {"name": "t", "type": {"type": "long", "logicalType": "timestamp-micros"}}, {"name": "day", "type": {"type": "int", "logicalType": "date"}}, {"name": "l", "type": {"type": "long", "logicalType": "local-timestamp-nanos"}}]}`,
}

// allocatedBytes counts what the process has allocated so far.
func allocatedBytes() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

type fuzzTarget struct {
	schema  *Schema
	project *Projection
	row     []Value
}

func fuzzTargets(f *testing.F) []fuzzTarget {
	out := make([]fuzzTarget, len(fuzzSchemas))
	for i, text := range fuzzSchemas {
		s, err := Parse([]byte(text))
		if err != nil {
			f.Fatal(err)
		}
		var paths []string
		for _, field := range s.Paths() {
			paths = append(paths, field.Name)
		}
		p, err := s.Project(paths)
		if err != nil {
			f.Fatal(err)
		}
		if _, err := s.ToJSON(nil); err == nil { // builds what is built once
			f.Fatal("empty payload taken")
		}
		out[i] = fuzzTarget{s, p, make([]Value, len(paths))}
	}
	return out
}

// FuzzDecode: no bytes make the decoder panic or allocate more than a message;
// what it takes, ToJSON takes too. (Invariants 3 and 4)
func FuzzDecode(f *testing.F) {
	f.Add(uint8(0), []byte("\x02a\x02b\x02c\x00\x00\x00\x00\x00\x00\xf8\x3f\x02\x02d"))
	f.Add(uint8(0), []byte("\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01a")) // a length of 2^63 - 1
	f.Add(uint8(0), []byte("\x01"))                                      // of -1
	f.Add(uint8(1), []byte("\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01"))  // as many nulls
	f.Add(uint8(1), []byte("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"))  // -2^63 of them
	f.Add(uint8(1), []byte("\x03\x00\x00\x00\x00"))
	f.Add(uint8(1), []byte("\x00\x03\x20\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"))
	f.Add(uint8(2), []byte("\x04\x02a\x02a\x00\x00"))
	f.Add(uint8(2), []byte("\x00\x02\x02k\x02\x02\x02j\x02\x00\x00\x00"))
	f.Add(uint8(3), bytes.Repeat([]byte{2}, 300)) // next, next, next, ...
	f.Add(uint8(3), append(bytes.Repeat([]byte{2}, 50), make([]byte, 51)...))
	f.Add(uint8(4), []byte("\x06\x04\x00\x02\x00\x00"))
	f.Add(uint8(4), []byte("\x08abc"))
	f.Add(uint8(5), []byte("\x02\x02\x02\x00\x02\x04xy\x01\x00\x00\x00"))
	f.Add(uint8(6), []byte("\x04\xff\x38\x00\x02\x01"))
	targets := fuzzTargets(f)
	f.Fuzz(func(t *testing.T, which uint8, payload []byte) {
		target := targets[int(which)%len(targets)]
		before := allocatedBytes()
		err := target.project.Decode(payload, target.row)
		if used := allocatedBytes() - before; used > 1<<20 {
			t.Fatalf("%d bytes allocated for a payload of %d", used, len(payload))
		}
		reason := reasonOf(t, err)
		before = allocatedBytes()
		text, jsonErr := target.schema.ToJSON(payload)
		if used := allocatedBytes() - before; used > uint64(8<<20+4096*len(payload)) {
			t.Fatalf("%d bytes allocated for the JSON of a payload of %d", used, len(payload))
		}
		var re *RecordError
		switch {
		case reason != "" && (!errors.As(jsonErr, &re) || re.Reason != reason):
			t.Fatalf("Decode says %v, ToJSON %v", err, jsonErr)
		case reason == "" && jsonErr != nil && !bytes.Contains([]byte(jsonErr.Error()), []byte("duplicate key")):
			t.Fatalf("Decode takes it, ToJSON says %v", jsonErr)
		case jsonErr == nil:
			if _, err := parseJSON(text); err != nil {
				t.Fatalf("ToJSON gave %s: %v", text, err)
			}
		}
	})
}

// FuzzRoundTrip: a generated value of a generated schema, written by goavro, is
// read as it was; its JSON encodes to a datum of the same JSON, and, where no
// union has branches that the same JSON fits, to the same bytes. (Invariants 2, 5)
func FuzzRoundTrip(f *testing.F) {
	for seed := range uint64(300) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		s := newSample(t, seed)
		native, payload := s.value(t)
		paths, p := s.projection(t)
		row := make([]Value, len(paths))
		if err := p.Decode(payload, row); err != nil {
			t.Fatalf("%v\n%s", err, s.text)
		}
		for i, path := range paths {
			if want := expectedValue(native, path); !sameValue(row[i], want) {
				t.Fatalf("%s is %s, want %s", path, row[i], want)
			}
		}
		text, err := s.schema.ToJSON(payload)
		if err != nil {
			t.Fatal(err)
		}
		again, err := s.schema.AppendJSON(nil, text)
		if err != nil {
			t.Fatalf("%v\n%s\n%s", err, s.text, text)
		}
		if plain(s.schema.root, map[*node]bool{}) && !sameDatum(s, payload, again) {
			t.Fatalf("%x became %x\n%s\n%s", payload, again, s.text, text)
		}
		text2, err := s.schema.ToJSON(again)
		if err != nil || !bytes.Equal(text, text2) {
			t.Fatalf("%s became %s, %v", text, text2, err)
		}
	})
}

// plain reports that no union has two branches beside null.
func plain(n *node, seen map[*node]bool) bool {
	if n == nil || seen[n] {
		return true
	}
	seen[n] = true
	others := 0
	for _, b := range n.branches {
		if b.avro != "null" {
			others++
		}
		if !plain(b, seen) {
			return false
		}
	}
	for _, f := range n.fields {
		if !plain(f.node, seen) {
			return false
		}
	}
	return others < 2 && plain(n.items, seen)
}

// sameDatum compares with what goavro writes for the values read back: the
// order of a map's keys on the wire is any.
func sameDatum(s *sample, a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	x, err := s.schema.ToJSON(a)
	if err != nil {
		return false
	}
	y, err := s.schema.ToJSON(b)
	return err == nil && len(a) == len(b) && bytes.Equal(x, y)
}
