package schema

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
)

var identityRows = []struct {
	name string
	row  []Value
}{
	{"no field", nil},
	{"null", []Value{NullValue()}},
	{"false", []Value{BoolValue(false)}},
	{"true", []Value{BoolValue(true)}},
	{"int 1", []Value{IntValue(1)}},
	{"int -1", []Value{IntValue(-1)}},
	{"float 1", []Value{FloatValue(1)}},
	{"float -0", []Value{FloatValue(math.Copysign(0, -1))}},
	{"NaN", []Value{FloatValue(math.NaN())}},
	{"string empty", []Value{StringValue(nil)}},
	{"string HA51", []Value{StringValue([]byte("HA51"))}},
	{"bytes HA51", []Value{BytesValue([]byte("HA51"))}},
	{"a, bc", []Value{StringValue([]byte("a")), StringValue([]byte("bc"))}},
	{"ab, c", []Value{StringValue([]byte("ab")), StringValue([]byte("c"))}},
	{"flight", []Value{StringValue([]byte("HA")), NullValue(), StringValue([]byte("51")), IntValue(1357397400000)}},
}

// TestIdentityGolden: FORMAT.md, version 1. Old bytes stay: identities are in
// checkpoints. (L1)
func TestIdentityGolden(t *testing.T) {
	datadriven.RunTest(t, "testdata/identity", func(t *testing.T, d *datadriven.TestData) string {
		if d.Cmd != "identities" {
			t.Fatalf("unknown command %q", d.Cmd)
		}
		var out strings.Builder
		for _, c := range identityRows {
			ev := Event{Row: c.row}
			fmt.Fprintf(&out, "%-13s %x %x\n", c.name, appendIdentity(nil, c.row), (&Decoder{}).Identity(&ev))
		}
		// Two elements of two fields each beside one field of the record. (version 2)
		ev := Event{Row: []Value{IntValue(1), NullValue(), NullValue()}}
		ev.elements.reset(true, []int32{1, 2})
		for i := range 2 {
			row := ev.elements.add()
			row[0] = IntValue(int64(i))
		}
		id := ev.identity([]int32{0})
		fmt.Fprintf(&out, "%-13s %x %x\n", "two elements", ev.scratch, id)
		return out.String()
	})
}

// Different rows of as many fields have different encodings. (FORMAT.md)
func TestIdentityIsInjective(t *testing.T) {
	seen := map[string]string{}
	for _, c := range identityRows {
		key := fmt.Sprint(len(c.row), appendIdentity(nil, c.row))
		if other, ok := seen[key]; ok {
			t.Errorf("%s and %s have one encoding", c.name, other)
		}
		seen[key] = c.name
	}
}

// Copies have one identity; another value in any field that is read makes
// another, one in a field that isn't read does not.
func TestIdentityOfCopies(t *testing.T) {
	d := mustDecoder(t, Wire{}, EventDef{ID: []string{"id"}, Time: "ms"}, "n.v")
	identity := func(payload []byte) [16]byte {
		var ev Event
		if err := d.Decode(payload, &ev); err != nil {
			t.Fatal(err)
		}
		return d.Identity(&ev)
	}
	first := identity(eventPayload("a", 1, 2, 3))
	if identity(eventPayload("a", 1, 99, 3)) != first {
		t.Error("a field that is not read counts")
	}
	for _, other := range [][]byte{eventPayload("b", 1, 2, 3), eventPayload("a", 2, 2, 3), eventPayload("a", 1, 2, 4)} {
		if identity(other) == first {
			t.Errorf("%x has the same identity", other)
		}
	}
}

// A long row is hashed like any other, and its memory is not kept.
func TestIdentityOfALongRow(t *testing.T) {
	d := mustDecoder(t, Wire{}, EventDef{ID: []string{"id"}, Time: "ms"})
	var ev, fresh Event
	for _, n := range []int{10, scratchMax * 2, 11} {
		payload := eventPayload(string(bytes.Repeat([]byte("x"), n)), 1, 2, 3)
		fresh = Event{}
		if err := errors.Join(d.Decode(payload, &ev), d.Decode(payload, &fresh)); err != nil {
			t.Fatal(err)
		}
		if d.Identity(&ev) != d.Identity(&fresh) {
			t.Errorf("%d bytes: depends on the event before", n)
		}
	}
	if cap(ev.scratch) > scratchMax {
		t.Errorf("%d bytes kept", cap(ev.scratch))
	}
}
