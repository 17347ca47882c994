package schema

import (
	"fmt"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// The formats of record values.
const (
	FormatAvro     = "avro"     // Confluent header, Avro datum
	FormatAvroRaw  = "avro-raw" // bare Avro datum
	FormatJSON     = "json"     // one JSON object; behind the Confluent header if Wire says so
	FormatProtobuf = "protobuf" // one message; behind the Confluent header and message indexes if Wire says so
)

// Source says how the record values of a topic are written, and what an event in them is.
type Source struct {
	Format  string // one of the Format constants
	Schema  []byte // Avro schema; JSON: Avro schema or JSON Schema; Protobuf: a serialized FileDescriptorSet
	Message string // Protobuf: full name of the message
	Wire    Wire
	Event   EventDef
	// TimeUnit is what a Protobuf event time that is a 64-bit integer counts: timestamp-millis or timestamp-micros. It is
	// empty for a google.protobuf.Timestamp, and in other formats, whose schemas say it. A proto3 integer that is absent is
	// 0, which is 1970.
	TimeUnit string
	Unnest   string // path of an array field whose elements are events' parts of their own; "": none
}

// Reader turns record values of one topic into events. It is immutable and safe for concurrent use; each goroutine has
// an Event of its own. Decode and DecodePayload fail with a *RecordError (the event is then undefined, save what Placed
// says) or an *UnknownSchemaError.
type Reader interface {
	// Fields names the Row's fields: the union of those asked for, the event id and the event time, sorted.
	Fields() []string
	// Types are the types of the Row's fields.
	Types() []Type
	// Index is the place of a field in the Row, or -1.
	Index(path string) int
	// Decode reads a Kafka record value, nil for none.
	Decode(value []byte, ev *Event) error
	// DecodePayload reads what the lake stores: Event.Payload of an earlier Decode, with its schema id.
	DecodePayload(id uint32, payload []byte, ev *Event) error
	// HasID reports whether events have an id, and so can be duplicates.
	HasID() bool
	// Identity is what makes an event a duplicate of another of its topic (FORMAT.md). It covers the whole record, all
	// elements included, whichever is loaded.
	Identity(ev *Event) [16]byte
}

var _ Reader = (*Decoder)(nil)

// Shape is every format's fields as a record schema, for types and names. With Unnest it lists the element's fields.
func (s Source) Shape() (*Schema, error) {
	shape, _, err := s.compile()
	return shape, err
}

// compile gives the shape, and of Protobuf the message.
func (s Source) compile() (shape *Schema, message protoreflect.MessageDescriptor, err error) {
	switch s.Format {
	case FormatAvro, FormatAvroRaw:
		shape, err = Parse(s.Schema)
	case FormatJSON:
		shape, err = jsonShape(s.Schema)
	case FormatProtobuf:
		shape, message, err = s.protobuf()
	default:
		err = fmt.Errorf("unknown format %q: it is avro, avro-raw, json or protobuf", s.Format)
	}
	if err == nil && s.TimeUnit != "" && s.Format != FormatProtobuf {
		err = fmt.Errorf("a time unit is for Protobuf: say logicalType (Avro) or format (JSON Schema) %s in the schema", s.TimeUnit)
	}
	if err != nil || s.Unnest == "" {
		return shape, message, err
	}
	shape, err = shape.Unnested(s.Unnest)
	return shape, message, err
}

// protobuf finds the message and its shape.
func (s Source) protobuf() (*Schema, protoreflect.MessageDescriptor, error) {
	message, _, err := protoMessageOf(s.Schema, s.Message)
	if err != nil {
		return nil, nil, err
	}
	time, err := s.integerTime(message)
	if err != nil {
		return nil, nil, err
	}
	shape, err := protoShape(message, time, s.TimeUnit)
	return shape, message, err
}

// NewReader compiles a reader of the fields, the event id and the event time. All faults are reported at once.
func NewReader(s Source, fields []string) (Reader, error) {
	shape, message, err := s.compile()
	if err != nil {
		return nil, err
	}
	switch s.Format {
	case FormatJSON:
		return newJSONReader(shape, s.Wire, s.Event, fields)
	case FormatProtobuf:
		return newProtoReader(shape, message, s.Wire, s.Event, fields)
	}
	return NewDecoder(shape, s.Wire, s.Event, fields)
}
