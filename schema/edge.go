package schema

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"
)

// Edge is JSON at the edges for one source: what people type and read, whatever the format on the wire. It is immutable
// and safe for concurrent use. Protobuf goes through dynamicpb and protojson, code that shares nothing with the reader.
type Edge struct {
	source  Source
	shape   *Schema   // Avro
	reader  Reader    // JSON: what it takes may be sent
	root    *jsonNode // the same without an event time
	message protoreflect.MessageDescriptor
	types   *dynamicpb.Types
	indexes []int
}

// Edge compiles the source's JSON at the edges. Of an event definition it needs nothing; with one, a line of JSON must be
// an event.
func (s Source) Edge() (*Edge, error) {
	s.Unnest = ""
	e := &Edge{source: s}
	var err error
	switch s.Format {
	case FormatJSON:
		err = e.compileJSON()
	case FormatProtobuf:
		message, files, fault := protoMessageOf(s.Schema, s.Message)
		if fault != nil {
			return nil, fault
		}
		e.message, e.types, e.indexes = message, dynamicpb.NewTypes(files), messageIndexes(message)
	default:
		e.shape, err = s.Shape()
	}
	if err == nil && s.confluent() && len(s.Wire.IDs) == 0 {
		err = errors.New("records carry a schema id (Confluent header), but no id is declared: set source.schema.ids")
	}
	return e, err
}

// compileJSON makes what a line of JSON must pass.
func (e *Edge) compileJSON() (err error) {
	bare := e.source
	bare.Wire = Wire{}
	if bare.Event.Time != "" {
		e.reader, err = NewReader(bare, nil)
		return err
	}
	shape, err := bare.Shape()
	if err != nil {
		return err
	}
	e.root = (&jsonCompiler{unwanted: map[*node]*jsonNode{}}).compile(shape.root, newWant(), "")
	return nil
}

// checkJSON says what is wrong with a line of JSON.
func (e *Edge) checkJSON(line []byte) error {
	if e.reader != nil {
		var ev Event
		return e.reader.Decode(line, &ev)
	}
	w := jsonWalk{}
	w.buf = line
	w.document(e.root)
	for _, bad := range []*RecordError{w.err, w.double, w.bad} {
		if bad != nil {
			return bad
		}
	}
	return nil
}

// confluent reports whether values have the Confluent header.
func (s Source) confluent() bool { return s.Wire.Confluent || s.Format == FormatAvro }

// ToJSON shows a stored payload (Event.Payload) as one JSON object on one line: of JSON its own text, of Avro as
// Schema.ToJSON does, of Protobuf its canonical JSON with the fields' Protobuf names and zeros written out; if it cannot be
// decoded, which an event with a place in the lake may be, {"_error": why, "_value": base64}.
func (e *Edge) ToJSON(payload []byte) ([]byte, error) {
	if e.shape != nil {
		return e.shape.ToJSON(payload)
	}
	value, err := openStored(payload)
	if err != nil {
		return nil, err
	}
	text := value
	if e.message != nil {
		if text, err = e.protobufText(value); err != nil {
			return json.Marshal(undecodable{Error: err.Error(), Value: value})
		}
	}
	var out bytes.Buffer
	if err := json.Compact(&out, text); err != nil {
		return nil, fmt.Errorf("decode JSON: %w", err)
	}
	return out.Bytes(), nil
}

// undecodable is what is shown of a message that has a place in the lake and cannot be decoded whole.
type undecodable struct {
	Error string `json:"_error"`
	Value []byte `json:"_value"` // base64
}

func (e *Edge) protobufText(value []byte) ([]byte, error) {
	m := dynamicpb.NewMessage(e.message)
	if err := (proto.UnmarshalOptions{Resolver: e.types, AllowPartial: true}).Unmarshal(value, m); err != nil {
		return nil, fmt.Errorf("decode %s: %w", e.message.FullName(), err)
	}
	options := protojson.MarshalOptions{UseProtoNames: true, EmitDefaultValues: true, AllowPartial: true, Resolver: e.types}
	text, err := options.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("decode %s: %w", e.message.FullName(), err)
	}
	return text, nil
}

// AppendJSON appends the Kafka record value that one line of JSON describes, wire header included (its schema id is the
// first of Wire.IDs); dst comes back unchanged with an error. A line of JSON is validated and kept as it is; a line of Protobuf is
// in Protobuf's JSON form, fields by either name.
func (e *Edge) AppendJSON(dst, line []byte) ([]byte, error) {
	out := dst
	if e.source.confluent() {
		out = binary.BigEndian.AppendUint32(append(out, 0), e.source.Wire.IDs[0])
	}
	switch {
	case e.shape != nil:
		value, err := e.shape.AppendJSON(out, line)
		if err != nil {
			return dst, err
		}
		return value, nil
	case e.message == nil:
		if err := e.checkJSON(line); err != nil {
			return dst, fmt.Errorf("no event: %w", err)
		}
		return append(out, line...), nil
	}
	if e.source.Wire.Confluent {
		out = appendIndexes(out, e.indexes)
	}
	m := dynamicpb.NewMessage(e.message)
	if err := (protojson.UnmarshalOptions{Resolver: e.types}).Unmarshal(line, m); err != nil {
		return dst, fmt.Errorf("encode %s: %w", e.message.FullName(), err)
	}
	out, err := proto.MarshalOptions{Deterministic: true}.MarshalAppend(out, m)
	if err != nil {
		return dst, fmt.Errorf("encode %s: %w", e.message.FullName(), err)
	}
	return out, nil
}

// ToJSON is Edge.ToJSON for one payload; for many, compile the Edge once.
func (s Source) ToJSON(payload []byte) ([]byte, error) {
	e, err := s.Edge()
	if err != nil {
		return nil, err
	}
	return e.ToJSON(payload)
}

// FromJSON is Edge.AppendJSON for one line; for many, compile the Edge once.
func (s Source) FromJSON(dst, line []byte) ([]byte, error) {
	e, err := s.Edge()
	if err != nil {
		return dst, err
	}
	return e.AppendJSON(dst, line)
}
