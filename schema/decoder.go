package schema

// EventDef says what an event of a topic is: declared once per topic.
type EventDef struct {
	ID   []string // fields that together are the event id; empty: every record is an event of its own
	Time string   // field of the event time: long with timestamp-millis or timestamp-micros
}

// Wire is how records carry their schema (FORMAT.md).
type Wire struct {
	Confluent bool     // 0x00, schema id (4 bytes, big endian), datum; else the bare datum, whose schema id is 0
	IDs       []uint32 // the ids that stand for the reader's schema (Confluent only, at least one)
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

	elements elements
	scratch  []byte   // of Identity
	stored   []byte   // the Payload, where it isn't part of the record value
	text     []byte   // what Values hold that doesn't stand in the record value as it is
	keys     [][]byte // of the JSON objects that are being read
	seen     []uint64 // which fields of the objects that are being read were there
	stamps   []stamp  // of the timestamps that are being read
}

// Decoder turns Avro record values of one topic into events. It is immutable
// and safe for concurrent use; each goroutine has an Event of its own.
type Decoder struct {
	columns
	project *Projection
}

// NewDecoder compiles a decoder. The Row has the union of fields, def.ID and
// def.Time, sorted by name, each once. All faults are reported at once.
func NewDecoder(s *Schema, wire Wire, def EventDef, fields []string) (*Decoder, error) {
	c, err := newColumns(s, wire, def, fields)
	if err != nil {
		return nil, err
	}
	p, err := s.Project(c.fields)
	if err != nil {
		return nil, err
	}
	return &Decoder{columns: c, project: p}, nil
}

// Decode reads a Kafka record value (nil: the record has none) into ev. It
// fails with a *RecordError, after which ev is undefined, or with an
// *UnknownSchemaError. It allocates nothing once ev has been used.
func (d *Decoder) Decode(value []byte, ev *Event) error {
	id, payload, err := d.unwrap(value, "format: avro-raw")
	if err != nil {
		return err
	}
	return d.DecodePayload(id, payload, ev)
}

// DecodePayload reads a datum whose wire header has been taken off, as the lake
// stores it; id is the schema id that the header had, or 0. It fails as Decode does.
func (d *Decoder) DecodePayload(id uint32, payload []byte, ev *Event) error {
	if err := d.begin(id, ev); err != nil {
		return err
	}
	ev.Payload = payload
	if err := d.project.decode(payload, ev.Row, &ev.elements); err != nil {
		return err
	}
	return d.finish(ev, d.project.unnest)
}

// finish takes the elements and the event time of an event whose row is complete.
func (c *columns) finish(ev *Event, unnest string) error {
	if ev.elements.nested {
		ev.Elements = ev.elements.count
	}
	if err := c.eventTime(ev); err != nil {
		return err
	}
	return ev.elements.overflow(unnest)
}
