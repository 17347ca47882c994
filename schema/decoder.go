package schema

// EventDef says what an event of a topic is: declared once per topic.
type EventDef struct {
	ID   []string // fields that together are the event id; empty: every record is an event of its own
	Time string   // field of the event time: long with timestamp-millis or timestamp-micros
}

// Wire is how records carry their schema.
type Wire struct {
	Confluent bool     // 0x00, schema id (4 bytes, big endian), datum; else the bare datum, whose schema id is 0
	IDs       []uint32 // the ids that stand for the decoder's schema (Confluent only)
}

// Event is one decoded event. It is reused from record to record: Decode
// overwrites everything. The zero Event is ready for use.
type Event struct {
	SchemaID uint32
	Time     int64   // ms since the epoch UTC
	Payload  []byte  // the Avro datum without wire header; aliases the record value
	Row      []Value // in the order of Decoder.Fields; aliases the record value

	scratch []byte // of Identity
}

// Decoder turns record values of one topic into events. It is immutable and
// safe for concurrent use; each goroutine has an Event of its own.
type Decoder struct{}

// NewDecoder compiles a decoder. The Row has the union of fields, def.ID and
// def.Time, sorted by name, each once.
func NewDecoder(s *Schema, wire Wire, def EventDef, fields []string) (*Decoder, error) {
	panic("not yet")
}

// Fields names the Row's fields.
func (d *Decoder) Fields() []string { panic("not yet") }

// Types are the types of the Row's fields.
func (d *Decoder) Types() []Type { panic("not yet") }

// Index is the place of a field in the Row, or -1.
func (d *Decoder) Index(path string) int { panic("not yet") }

// HasID reports whether events have an id, and so an identity.
func (d *Decoder) HasID() bool { panic("not yet") }

// Decode reads a Kafka record value (nil: the record has none) into ev. It
// fails with a *RecordError or an *UnknownSchemaError.
func (d *Decoder) Decode(value []byte, ev *Event) error { panic("not yet") }

// DecodePayload reads a datum whose wire header has been taken off, as the lake
// stores it.
func (d *Decoder) DecodePayload(id uint32, payload []byte, ev *Event) error { panic("not yet") }

// Identity is what makes an event a duplicate of another: the first 16 bytes of
// the SHA-256 of the canonical encoding of the whole Row (FORMAT.md).
func (d *Decoder) Identity(ev *Event) [16]byte { panic("not yet") }
