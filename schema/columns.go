package schema

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// columns are what readers of every format have in common: the Row's fields, which of them is the event time, and the
// wire header. It is immutable.
type columns struct {
	wire   Wire
	fields []string
	types  []Type
	time   int  // index of the event time in the row
	micros bool // its unit
	hasID  bool
	parent []int32 // with an unnested array: the row's fields that are not of its element
}

// newColumns checks a reader's declaration. The fields are the union of fields, def.ID and def.Time, sorted by name,
// each once. All faults are reported at once.
func newColumns(s *Schema, wire Wire, def EventDef, fields []string) (columns, error) {
	c := columns{wire: Wire{Confluent: wire.Confluent, IDs: slices.Clone(wire.IDs)}, hasID: len(def.ID) > 0}
	c.fields = slices.Concat(fields, def.ID, []string{def.Time})
	slices.Sort(c.fields)
	c.fields = slices.Compact(c.fields)
	var faults []error
	if wire.Confluent && len(wire.IDs) == 0 {
		faults = append(faults, errors.New("records carry a schema id (Confluent header), but no id is declared: set source.schema.ids"))
	}
	for i, path := range c.fields {
		t, err := s.Lookup(path)
		if err == nil && !t.Projectable() {
			err = notProjectable(path, t)
		}
		if err == nil && path == def.Time && !t.Timestamp() {
			err = fmt.Errorf("event time %q is %s: it must be a long with logicalType timestamp-millis or timestamp-micros", path, t)
		}
		_, ofElement := s.ofElement(path)
		if err == nil && ofElement && (path == def.Time || slices.Contains(def.ID, path)) {
			err = fmt.Errorf("field %q is of the elements of %q: the event time and the event id must be fields of the record", path, s.unnest)
		}
		if !ofElement {
			c.parent = append(c.parent, int32(i))
		}
		if err != nil {
			faults = append(faults, err)
		}
		c.types = append(c.types, t)
	}
	if len(faults) > 0 {
		return columns{}, errors.Join(faults...)
	}
	c.time = c.Index(def.Time)
	c.micros = c.types[c.time].Logical == "timestamp-micros"
	return c, nil
}

// Fields names the Row's fields.
func (c *columns) Fields() []string { return slices.Clone(c.fields) }

// Types are the types of the Row's fields.
func (c *columns) Types() []Type { return slices.Clone(c.types) }

// Index is the place of a field in the Row, or -1.
func (c *columns) Index(path string) int {
	if i, ok := slices.BinarySearch(c.fields, path); ok {
		return i
	}
	return -1
}

// HasID reports whether events have an id, and so can be duplicates.
func (c *columns) HasID() bool { return c.hasID }

// Identity is what makes an event a duplicate of another of its topic: the
// first 16 bytes of the SHA-256 of the canonical encoding of the whole Row
// (FORMAT.md). It covers the id, the event time and every field that is read;
// with an unnested array those of every element, whichever is loaded.
//
// It is only meaningful between readers of one source with the same Fields. It
// allocates nothing once ev has been used, unless a row takes more than 64 KiB.
func (c *columns) Identity(ev *Event) [16]byte { return ev.identity(c.parent) }

// unwrap takes the Confluent header off a record value, if the topic has one; plain is the format to name where it is
// missing.
func (c *columns) unwrap(value []byte, plain string) (id uint32, rest []byte, err error) {
	if value == nil {
		return 0, nil, &RecordError{Reason: ReasonNullValue, Err: errors.New("the Kafka record has no value")}
	}
	if !c.wire.Confluent {
		return 0, value, nil
	}
	if len(value) < headerLength {
		return 0, nil, &RecordError{Reason: ReasonBadHeader, Err: fmt.Errorf("%d bytes are too few for a schema id: was it written without the Confluent header (%s)?", len(value), plain)}
	}
	if value[0] != 0 {
		return 0, nil, &RecordError{Reason: ReasonBadHeader, Err: fmt.Errorf("the first byte is 0x%02x, not 0x00: was it written without the Confluent header (%s)?", value[0], plain)}
	}
	return binary.BigEndian.Uint32(value[1:]), value[headerLength:], nil
}

// begin readies ev for an event of the schema id, or says that the id is unknown.
func (c *columns) begin(id uint32, ev *Event) error {
	known := id == 0
	if c.wire.Confluent {
		known = slices.Contains(c.wire.IDs, id)
	}
	if !known {
		return &UnknownSchemaError{ID: id, Known: slices.Clone(c.wire.IDs)}
	}
	if cap(ev.Row) < len(c.fields) {
		ev.Row = make([]Value, len(c.fields))
	}
	ev.Row = ev.Row[:len(c.fields)]
	ev.SchemaID, ev.Elements = id, 1
	return nil
}

// eventTime sets ev.Time from the row.
func (c *columns) eventTime(ev *Event) error {
	v := &ev.Row[c.time]
	if v.IsNull() {
		return &RecordError{Reason: ReasonTimeNull, Err: fmt.Errorf("event time %q is null", c.fields[c.time])}
	}
	t := v.Int()
	if c.micros {
		t = floorDiv(t, 1000)
	}
	if t < MinTime || t > MaxTime {
		return &RecordError{Reason: ReasonTimeOutOfRange, Err: fmt.Errorf("event time %q is %d %s, outside the years 1 to 9999", c.fields[c.time], v.Int(), c.types[c.time].Logical)}
	}
	ev.Time = t
	return nil
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
