package sourcelog

import (
	"bytes"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/tidemark-io/tidemark/schema"
)

const avsc = `{"type":"record","name":"E","fields":[{"name":"id","type":"string"},{"name":"at","type":{"type":"long","logicalType":"timestamp-millis"}}]}`

// descriptor is message E {string id = 1; google.protobuf.Timestamp at = 2;}.
func descriptor(t *testing.T) []byte {
	t.Helper()
	set := &descriptorpb.FileDescriptorSet{File: []*descriptorpb.FileDescriptorProto{
		protodesc.ToFileDescriptorProto(timestamppb.File_google_protobuf_timestamp_proto),
		{Name: proto.String("e.proto"), Syntax: proto.String("proto3"), Dependency: []string{"google/protobuf/timestamp.proto"},
			MessageType: []*descriptorpb.DescriptorProto{{Name: proto.String("E"), Field: []*descriptorpb.FieldDescriptorProto{
				{Name: proto.String("id"), Number: proto.Int32(1), Type: descriptorpb.FieldDescriptorProto_TYPE_STRING.Enum(), Label: descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum()},
				{Name: proto.String("at"), Number: proto.Int32(2), Type: descriptorpb.FieldDescriptorProto_TYPE_MESSAGE.Enum(), TypeName: proto.String(".google.protobuf.Timestamp"), Label: descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum()},
			}}}},
	}}
	out, err := proto.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// The value that is read again from the lake is the one that the topic had, in every format (invariant 2).
func TestValuesComeBackAsTheyWere(t *testing.T) {
	confluent := schema.Wire{Confluent: true, IDs: []uint32{17}}
	for name, s := range map[string]schema.Source{
		"avro":                     {Format: schema.FormatAvro, Schema: []byte(avsc), Wire: confluent},
		"avro-raw":                 {Format: schema.FormatAvroRaw, Schema: []byte(avsc)},
		"json":                     {Format: schema.FormatJSON, Schema: []byte(avsc)},
		"json behind a header":     {Format: schema.FormatJSON, Schema: []byte(avsc), Wire: confluent},
		"protobuf":                 {Format: schema.FormatProtobuf, Schema: descriptor(t), Message: "E"},
		"protobuf behind a header": {Format: schema.FormatProtobuf, Schema: descriptor(t), Message: "E", Wire: confluent},
	} {
		s.Event = schema.EventDef{Time: "at"}
		edge, err := s.Edge()
		if err != nil {
			t.Fatal(err)
		}
		value, err := edge.AppendJSON(nil, []byte(`{"id": "a b",  "at": "2013-01-09T14:00:00Z"}`))
		if err != nil {
			t.Fatal(err)
		}
		reader, err := schema.NewReader(s, []string{"id"})
		if err != nil {
			t.Fatal(err)
		}
		var ev schema.Event
		if err := reader.Decode(value, &ev); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		wrapper, err := s.Wrapper()
		if err != nil {
			t.Fatal(err)
		}
		got, err := wrapper.Append(nil, ev.SchemaID, ev.Payload)
		if err != nil || !bytes.Equal(got, value) {
			t.Errorf("%s: %q (%v), want %q", name, got, err, value)
		}
	}
}
