package schema

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// EventDef says what an event of a topic is: declared once per topic.
type EventDef struct {
	ID   []string // fields that together are the event id; empty: every record is an event of its own
	Time string   // field of the event time: long with timestamp-millis or timestamp-micros
}

// Wire is how records carry their schema (FORMAT.md).
type Wire struct {
	Confluent bool     // 0x00, schema id (4 bytes, big endian), datum; else the bare datum, whose schema id is 0
	IDs       []uint32 // the ids that stand for the decoder's schema (Confluent only, at least one)
}

// headerLength is the length of the Confluent wire header.
const headerLength = 5

// Event is one decoded event. It is reused from record to record: Decode
// overwrites everything. The zero Event is ready for use.
type Event struct {
	SchemaID uint32
	Time     int64   // ms since the epoch UTC
	Payload  []byte  // the datum as the lake stores it, without wire header; aliases the record value or the Event
	Row      []Value // in the order of Reader.Fields; aliases the record value or the Event
	Elements int     // 1 without Unnest; else the elements of its array, 0 for an empty or null one

	scratch []byte // of Identity
}

// Decoder turns record values of one topic into events. It is immutable and
// safe for concurrent use; each goroutine has an Event of its own.
type Decoder struct {
	wire    Wire
	fields  []string
	types   []Type
	project *Projection
	time    int  // index of the event time in the row
	micros  bool // its unit
	hasID   bool
}

// NewDecoder compiles a decoder. The Row has the union of fields, def.ID and
// def.Time, sorted by name, each once. All faults are reported at once.
func NewDecoder(s *Schema, wire Wire, def EventDef, fields []string) (*Decoder, error) {
	d := &Decoder{wire: Wire{Confluent: wire.Confluent, IDs: slices.Clone(wire.IDs)}, hasID: len(def.ID) > 0}
	d.fields = slices.Concat(fields, def.ID, []string{def.Time})
	slices.Sort(d.fields)
	d.fields = slices.Compact(d.fields)
	var faults []error
	if wire.Confluent && len(wire.IDs) == 0 {
		faults = append(faults, errors.New("records carry a schema id (Confluent header), but no id is declared: set source.schema.ids"))
	}
	for _, path := range d.fields {
		t, err := s.Lookup(path)
		if err == nil && !t.Projectable() {
			err = notProjectable(path, t)
		}
		if err == nil && path == def.Time && !t.Timestamp() {
			err = fmt.Errorf("event time %q is %s: it must be a long with logicalType timestamp-millis or timestamp-micros", path, t)
		}
		if err != nil {
			faults = append(faults, err)
		}
		d.types = append(d.types, t)
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	d.time = d.Index(def.Time)
	d.micros = d.types[d.time].Logical == "timestamp-micros"
	var err error
	d.project, err = s.Project(d.fields)
	return d, err
}

// Fields names the Row's fields.
func (d *Decoder) Fields() []string { return slices.Clone(d.fields) }

// Types are the types of the Row's fields.
func (d *Decoder) Types() []Type { return slices.Clone(d.types) }

// Index is the place of a field in the Row, or -1.
func (d *Decoder) Index(path string) int {
	if i, ok := slices.BinarySearch(d.fields, path); ok {
		return i
	}
	return -1
}

// HasID reports whether events have an id, and so can be duplicates.
func (d *Decoder) HasID() bool { return d.hasID }

// Decode reads a Kafka record value (nil: the record has none) into ev. It
// fails with a *RecordError, after which ev is undefined, or with an
// *UnknownSchemaError. It allocates nothing once ev has been used.
func (d *Decoder) Decode(value []byte, ev *Event) error {
	if value == nil {
		return &RecordError{Reason: ReasonNullValue, Err: errors.New("the Kafka record has no value")}
	}
	if !d.wire.Confluent {
		return d.DecodePayload(0, value, ev)
	}
	if len(value) < headerLength {
		return &RecordError{Reason: ReasonBadHeader, Err: fmt.Errorf("%d bytes are too few for a schema id: was it written without the Confluent header (format: avro-raw)?", len(value))}
	}
	if value[0] != 0 {
		return &RecordError{Reason: ReasonBadHeader, Err: fmt.Errorf("the first byte is 0x%02x, not 0x00: was it written without the Confluent header (format: avro-raw)?", value[0])}
	}
	return d.DecodePayload(binary.BigEndian.Uint32(value[1:]), value[headerLength:], ev)
}

// DecodePayload reads a datum whose wire header has been taken off, as the lake
// stores it; id is the schema id that the header had, or 0. It fails as Decode does.
func (d *Decoder) DecodePayload(id uint32, payload []byte, ev *Event) error {
	if !d.knows(id) {
		return &UnknownSchemaError{ID: id, Known: slices.Clone(d.wire.IDs)}
	}
	if cap(ev.Row) < len(d.fields) {
		ev.Row = make([]Value, len(d.fields))
	}
	ev.Row = ev.Row[:len(d.fields)]
	ev.SchemaID, ev.Payload, ev.Elements = id, payload, 1
	if err := d.project.Decode(payload, ev.Row); err != nil {
		return err
	}
	return d.eventTime(ev)
}

func (d *Decoder) knows(id uint32) bool {
	if !d.wire.Confluent {
		return id == 0
	}
	return slices.Contains(d.wire.IDs, id)
}

// eventTime sets ev.Time from the row.
func (d *Decoder) eventTime(ev *Event) error {
	v := &ev.Row[d.time]
	if v.IsNull() {
		return &RecordError{Reason: ReasonTimeNull, Err: fmt.Errorf("event time %q is null", d.fields[d.time])}
	}
	t := v.Int()
	if d.micros {
		t = floorDiv(t, 1000)
	}
	if t < MinTime || t > MaxTime {
		return &RecordError{Reason: ReasonTimeOutOfRange, Err: fmt.Errorf("event time %q is %d %s, outside the years 1 to 9999", d.fields[d.time], v.Int(), d.types[d.time].Logical)}
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
