package schema

import (
	"encoding/json"
	"fmt"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
)

// storedType is the Avro type of values that are no Avro: bytes, with what is needed to find the event time in them, and
// no more. So a topic's place in the lake does not depend on anything that may change in its schema (FORMAT.md).
type storedType struct {
	Type   string  `json:"type"`
	Format string  `json:"tidemark.format"`
	Unit   string  `json:"tidemark.time"`             // JSON: timestamp-millis or timestamp-micros, of a number
	Fields []int32 `json:"tidemark.fields,omitempty"` // Protobuf: the numbers of the fields down to the event time
	Kind   string  `json:"tidemark.kind,omitempty"`   // Protobuf: "int64", "optional sfixed64", ...; empty for a Timestamp
}

// storedOptional marks a kind that is null where it is absent, and not zero.
const storedOptional = "optional "

// Stored is the Avro schema of the value as the raw lake stores it: the record for Avro; for other formats bytes that hold
// the original value without its wire header, {"type":"bytes", ...} with how to find the event time in them. It is nil if the
// source is faulty; NewReader says how.
func (s Source) Stored() []byte {
	if s.Format != FormatJSON && s.Format != FormatProtobuf {
		return s.Schema
	}
	shape, err := s.Shape()
	if err != nil {
		return nil
	}
	t, err := shape.Lookup(s.Event.Time)
	if err != nil {
		return nil
	}
	stored := storedType{Type: "bytes", Format: s.Format, Unit: t.Logical}
	if s.Format == FormatProtobuf {
		message, _, err := protoMessageOf(s.Schema, s.Message)
		if err != nil {
			return nil
		}
		for name := range strings.SplitSeq(s.Event.Time, ".") {
			f := message.Fields().ByName(protoreflect.Name(name))
			stored.Fields = append(stored.Fields, int32(f.Number()))
			if message = f.Message(); message == nil {
				stored.Kind = f.Kind().String()
				if f.HasPresence() {
					stored.Kind = storedOptional + stored.Kind
				}
			}
		}
	}
	out, err := json.Marshal(stored)
	if err != nil {
		return nil
	}
	return out
}

// StoredReader reads the event times of what the lake stores under a schema that Stored gave, without the source's own
// schema: eventTime is the path of the field. DecodePayload takes ids of 0 and id.
func StoredReader(stored []byte, id uint32, eventTime string) (Reader, error) {
	wire := Wire{Confluent: id != 0, IDs: []uint32{id}}
	s := Source{Wire: wire, Event: EventDef{Time: eventTime}}
	var t storedType
	if err := json.Unmarshal(stored, &t); err != nil || t.Type != "bytes" {
		s.Format, s.Schema = FormatAvroRaw, stored
		return NewReader(s, nil)
	}
	s.Format = t.Format
	switch t.Format {
	case FormatJSON:
		s.Schema = jsonTimeOnly(strings.Split(eventTime, "."), t.Unit)
	case FormatProtobuf:
		set, err := protoTimeOnly(strings.Split(eventTime, "."), t.Fields, t.Kind)
		if err != nil {
			return nil, err
		}
		s.Schema, s.Message = set, "m0"
		if t.Kind != "" {
			s.TimeUnit = t.Unit
		}
	default:
		return nil, fmt.Errorf("stored schema: unknown format %q: use a newer tidemark", t.Format)
	}
	return NewReader(s, nil)
}

// jsonTimeOnly is a schema of the event time alone; everything on the way may be missing.
func jsonTimeOnly(path []string, unit string) []byte {
	typ := fmt.Sprintf(`["null",{"type":"long","logicalType":%q}]`, unit)
	for i := len(path) - 1; i > 0; i-- {
		typ = fmt.Sprintf(`["null",{"type":"record","name":"r%d","fields":[{"name":%q,"type":%s}]}]`, i, path[i], typ)
	}
	return fmt.Appendf(nil, `{"type":"record","name":"r0","fields":[{"name":%q,"type":%s}]}`, path[0], typ)
}

// protoTimeOnly is a descriptor set of the event time alone.
func protoTimeOnly(path []string, fields []int32, kind string) ([]byte, error) {
	if len(path) != len(fields) {
		return nil, fmt.Errorf("stored schema: event time %q has %d parts, there are %d field numbers", strings.Join(path, "."), len(path), len(fields))
	}
	file := &descriptorpb.FileDescriptorProto{Name: proto.String("time.proto"), Syntax: proto.String("proto3"),
		Dependency: []string{"google/protobuf/timestamp.proto"}}
	for i, name := range path {
		if fields[i] < 1 || fields[i] > int32(protowire.MaxValidNumber) {
			return nil, fmt.Errorf("stored schema: %d is no field number", fields[i])
		}
		inner := "." + string(timestampName)
		if i < len(path)-1 {
			inner = fmt.Sprintf(".m%d", i+1)
		}
		file.MessageType = append(file.MessageType, &descriptorpb.DescriptorProto{
			Name: proto.String(fmt.Sprintf("m%d", i)),
			Field: []*descriptorpb.FieldDescriptorProto{{
				Name: proto.String(name), Number: proto.Int32(fields[i]), TypeName: proto.String(inner),
				Type:  descriptorpb.FieldDescriptorProto_TYPE_MESSAGE.Enum(),
				Label: descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum(),
			}},
		})
	}
	if kind != "" {
		if err := integerOnly(file.MessageType[len(path)-1], kind); err != nil {
			return nil, err
		}
	}
	out, err := proto.Marshal(&descriptorpb.FileDescriptorSet{File: []*descriptorpb.FileDescriptorProto{file}})
	if err != nil {
		return nil, fmt.Errorf("stored schema: %w", err)
	}
	return out, nil
}

// integerOnly makes the message's field an integer of a kind.
func integerOnly(m *descriptorpb.DescriptorProto, kind string) error {
	name, optional := strings.CutPrefix(kind, storedOptional)
	f := m.Field[0]
	f.Type, f.TypeName = nil, nil
	for k, t := range longKinds {
		if k.String() == name {
			f.Type = t.Enum()
		}
	}
	if f.Type == nil {
		return fmt.Errorf("stored schema: event time of kind %q: use a newer tidemark", kind)
	}
	if optional {
		f.Proto3Optional, f.OneofIndex = proto.Bool(true), proto.Int32(0)
		m.OneofDecl = []*descriptorpb.OneofDescriptorProto{{Name: proto.String("_" + f.GetName())}}
	}
	return nil
}
