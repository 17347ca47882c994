package schema

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// timestampName is the message that is an instant.
const timestampName protoreflect.FullName = "google.protobuf.Timestamp"

// descriptorBytesMax bounds a descriptor set; with all imports it is far larger than a schema.
const descriptorBytesMax = 16 << 20

// protoFiles reads a serialized google.protobuf.FileDescriptorSet, as `protoc --include_imports --descriptor_set_out`
// and `buf build` write it. The well-known types' files need not be in it.
func protoFiles(set []byte) (*protoregistry.Files, error) {
	if len(set) > descriptorBytesMax {
		return nil, fmt.Errorf("read descriptor set: %d bytes, at most %d are allowed", len(set), descriptorBytesMax)
	}
	var parsed descriptorpb.FileDescriptorSet
	if err := proto.Unmarshal(set, &parsed); err != nil {
		return nil, fmt.Errorf("read descriptor set: it is no FileDescriptorSet (protoc --include_imports --descriptor_set_out=F): %w", err)
	}
	if len(parsed.File) == 0 {
		return nil, errors.New("read descriptor set: there is no file in it (protoc --include_imports --descriptor_set_out=F)")
	}
	known := []protoreflect.FileDescriptor{
		timestamppb.File_google_protobuf_timestamp_proto, durationpb.File_google_protobuf_duration_proto,
		wrapperspb.File_google_protobuf_wrappers_proto, structpb.File_google_protobuf_struct_proto,
		anypb.File_google_protobuf_any_proto, emptypb.File_google_protobuf_empty_proto,
	}
	for _, file := range known {
		if !slices.ContainsFunc(parsed.File, func(f *descriptorpb.FileDescriptorProto) bool { return f.GetName() == file.Path() }) {
			parsed.File = append(parsed.File, protodesc.ToFileDescriptorProto(file))
		}
	}
	files, err := protodesc.NewFiles(&parsed)
	if err != nil {
		return nil, fmt.Errorf("read descriptor set (was it written with --include_imports?): %w", err)
	}
	return files, nil
}

// protoMessageOf finds the message that events are.
func protoMessageOf(set []byte, name string) (protoreflect.MessageDescriptor, *protoregistry.Files, error) {
	files, err := protoFiles(set)
	if err != nil {
		return nil, nil, err
	}
	if name == "" {
		return nil, nil, fmt.Errorf("no message is named (it has %v)", messageNames(files))
	}
	found, err := files.FindDescriptorByName(protoreflect.FullName(name))
	message, ok := found.(protoreflect.MessageDescriptor)
	if err == nil && ok {
		return message, files, nil
	}
	names := messageNames(files)
	if meant := Suggest(name, names); meant != "" {
		return nil, nil, fmt.Errorf("the descriptor set has no message %q, did you mean %q?", name, meant)
	}
	return nil, nil, fmt.Errorf("the descriptor set has no message %q (it has %v)", name, names)
}

// messageNames are the top-level messages of a descriptor set, a few of them, the well-known ones left out.
func messageNames(files *protoregistry.Files) []string {
	const shown = 50
	var out []string
	files.RangeFiles(func(f protoreflect.FileDescriptor) bool {
		for i := range f.Messages().Len() {
			if name := string(f.Messages().Get(i).FullName()); f.Package() != "google.protobuf" && len(out) < shown {
				out = append(out, name)
			}
		}
		return true
	})
	slices.Sort(out)
	return out
}

// integerTime is the field that is the event time in the source's TimeUnit, or nil without one.
func (s Source) integerTime(message protoreflect.MessageDescriptor) (protoreflect.FieldDescriptor, error) {
	if s.TimeUnit == "" {
		return nil, nil
	}
	if s.TimeUnit != "timestamp-millis" && s.TimeUnit != "timestamp-micros" {
		return nil, fmt.Errorf("time unit %q: it is timestamp-millis or timestamp-micros", s.TimeUnit)
	}
	var f protoreflect.FieldDescriptor
	for name := range strings.SplitSeq(s.Event.Time, ".") {
		if message != nil {
			f = message.Fields().ByName(protoreflect.Name(name))
		}
		if message == nil || f == nil || f.IsList() || f.IsMap() {
			return nil, nil // another fault, told better elsewhere
		}
		message = f.Message()
	}
	if _, ok := longKinds[f.Kind()]; !ok {
		return nil, fmt.Errorf("event time %q is %s: a time unit is for 64-bit integers", s.Event.Time, f.Kind())
	}
	return f, nil
}

// longKinds are the kinds of 64-bit integers.
var longKinds = map[protoreflect.Kind]descriptorpb.FieldDescriptorProto_Type{
	protoreflect.Int64Kind: descriptorpb.FieldDescriptorProto_TYPE_INT64, protoreflect.Sint64Kind: descriptorpb.FieldDescriptorProto_TYPE_SINT64,
	protoreflect.Sfixed64Kind: descriptorpb.FieldDescriptorProto_TYPE_SFIXED64, protoreflect.Uint64Kind: descriptorpb.FieldDescriptorProto_TYPE_UINT64,
	protoreflect.Fixed64Kind: descriptorpb.FieldDescriptorProto_TYPE_FIXED64,
}

// protoShape is the shape of a message as a record: fields by their Protobuf names. The field time, if not nil, counts in
// unit.
func protoShape(message protoreflect.MessageDescriptor, time protoreflect.FieldDescriptor, unit string) (*Schema, error) {
	b := protoShapes{seen: map[protoreflect.FullName]bool{}, unit: unit}
	if time != nil {
		b.time = time.FullName()
	}
	avsc, err := json.Marshal(b.message(message))
	if err != nil {
		return nil, fmt.Errorf("shape of message %s: %w", message.FullName(), err)
	}
	if len(avsc) > MaxSchemaBytes {
		return nil, fmt.Errorf("shape of message %s: with all messages in it %d bytes, at most %d are allowed", message.FullName(), len(avsc), MaxSchemaBytes)
	}
	shape, err := Parse(avsc)
	if err != nil {
		return nil, fmt.Errorf("shape of message %s: %w", message.FullName(), err)
	}
	return shape, nil
}

// protoShapes makes Avro types; each named one is written out once.
type protoShapes struct {
	seen map[protoreflect.FullName]bool
	time protoreflect.FullName // the field that counts in unit
	unit string
}

func (b *protoShapes) message(m protoreflect.MessageDescriptor) any {
	if b.seen[m.FullName()] {
		return m.FullName()
	}
	b.seen[m.FullName()] = true
	record := &avroRecord{Type: "record", Name: string(m.FullName()), Fields: []avroField{}}
	for i := range m.Fields().Len() {
		f := m.Fields().Get(i)
		record.Fields = append(record.Fields, avroField{Name: string(f.Name()), Type: b.field(f)})
	}
	return record
}

func (b *protoShapes) field(f protoreflect.FieldDescriptor) any {
	switch {
	case f.IsMap():
		return map[string]any{"type": "map", "values": b.value(f.MapValue())}
	case f.IsList():
		return map[string]any{"type": "array", "items": b.value(f)}
	}
	return orNull(b.value(f), nullableField(f))
}

// nullableField reports whether a field of its own can be absent: proto3's optional, members of a oneof, messages, and
// what isn't required in proto2. Others have a zero instead.
func nullableField(f protoreflect.FieldDescriptor) bool {
	return f.HasPresence() && f.Cardinality() != protoreflect.Required
}

func (b *protoShapes) value(f protoreflect.FieldDescriptor) any {
	if f.FullName() == b.time {
		return map[string]any{"type": "long", "logicalType": b.unit}
	}
	switch f.Kind() {
	case protoreflect.BoolKind:
		return "boolean"
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		return "int"
	case protoreflect.FloatKind:
		return "float"
	case protoreflect.DoubleKind:
		return "double"
	case protoreflect.StringKind:
		return "string"
	case protoreflect.BytesKind:
		return "bytes"
	case protoreflect.EnumKind:
		return b.enum(f.Enum())
	case protoreflect.MessageKind, protoreflect.GroupKind:
		if f.Message().FullName() == timestampName {
			return map[string]any{"type": "long", "logicalType": "timestamp-micros"}
		}
		return b.message(f.Message())
	}
	return "long" // the other integers, unsigned ones included
}

func (b *protoShapes) enum(e protoreflect.EnumDescriptor) any {
	if b.seen[e.FullName()] {
		return e.FullName()
	}
	b.seen[e.FullName()] = true
	var symbols []string
	for i := range e.Values().Len() {
		symbols = append(symbols, string(e.Values().Get(i).Name()))
	}
	return map[string]any{"type": "enum", "name": e.FullName(), "symbols": symbols}
}
