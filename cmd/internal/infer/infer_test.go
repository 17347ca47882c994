package infer

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"google.golang.org/protobuf/reflect/protodesc"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/pipeline"
)

// inferred writes a schema into a folder, infers, and loads the printed file from there as validate does (invariant 1).
func inferred(t *testing.T, o Options, name string) (*Pipeline, error) {
	t.Helper()
	o.Dir = t.TempDir()
	o.File, o.From, o.Brokers = "./"+name, name, []string{"localhost:9092"}
	if err := os.WriteFile(filepath.Join(o.Dir, name), o.Source.Schema, 0o644); err != nil {
		t.Fatal(err)
	}
	p, err := File(o)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(o.Dir, "p.yaml")
	if err := os.WriteFile(file, []byte(p.Text), 0o644); err != nil {
		t.Fatal(err)
	}
	loaded, err := pipeline.Load(file, os.LookupEnv)
	if err != nil {
		t.Fatalf("%v\n%s", err, p.Text)
	}
	if _, err := loaded.Compile(); err != nil {
		t.Fatalf("%v\n%s", err, p.Text)
	}
	again, err := File(o)
	if err != nil || again.Text != p.Text { // invariant 3
		t.Errorf("the second time it is another file: %v", err)
	}
	return p, nil
}

// What is guessed from schemas of all formats, and the lines that come of it.
func TestGuesses(t *testing.T) {
	datadriven.RunTest(t, "testdata/guesses", func(t *testing.T, d *datadriven.TestData) string {
		o := Options{Topic: "events"}
		d.MaybeScanArgs(t, "topic", &o.Topic)
		o.Source.Schema = []byte(d.Input)
		name := "schema.json"
		switch d.Cmd {
		case "avro":
			o.Kind, o.Source.Format = "file", schema.FormatAvroRaw
		case "avro-registered":
			o.Kind, o.Source.Format, o.Source.Wire = "file", schema.FormatAvro, schema.Wire{Confluent: true, IDs: []uint32{17}}
		case "json":
			o.Kind, o.Source.Format = "json_schema", schema.FormatJSON
		case "protobuf":
			o.Kind, o.Source.Format, o.Source.Message, name = "descriptor", schema.FormatProtobuf, "shop.Order", "shop.desc"
			o.Source.Schema = orderDescriptor(t)
		}
		p, err := inferred(t, o, name)
		if err != nil {
			return err.Error() + "\n"
		}
		var b strings.Builder
		for _, g := range p.Guesses {
			fmt.Fprintf(&b, "%s: %s (%s)\n", g.Key, g.Value, g.Why)
		}
		if d.HasArg("text") {
			return p.Text
		}
		_, after, _ := strings.Cut(p.Text, "    aggregate:\n")
		calls, _, _ := strings.Cut(after, "\n\n")
		return b.String() + calls + "\n"
	})
}

// orderDescriptor is message Order {string order_id = 1; google.protobuf.Timestamp placed_at = 2; string customer = 3; double amount = 4;}.
func orderDescriptor(t *testing.T) []byte {
	t.Helper()
	field := func(name string, number int32, typ descriptorpb.FieldDescriptorProto_Type, typeName string) *descriptorpb.FieldDescriptorProto {
		f := &descriptorpb.FieldDescriptorProto{Name: &name, Number: &number, Type: typ.Enum(), Label: descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum()}
		if typeName != "" {
			f.TypeName = &typeName
		}
		return f
	}
	set := &descriptorpb.FileDescriptorSet{File: []*descriptorpb.FileDescriptorProto{
		protodesc.ToFileDescriptorProto(timestamppb.File_google_protobuf_timestamp_proto),
		{Name: proto.String("shop.proto"), Package: proto.String("shop"), Syntax: proto.String("proto3"), Dependency: []string{"google/protobuf/timestamp.proto"},
			MessageType: []*descriptorpb.DescriptorProto{{Name: proto.String("Order"), Field: []*descriptorpb.FieldDescriptorProto{
				field("order_id", 1, descriptorpb.FieldDescriptorProto_TYPE_STRING, ""),
				field("placed_at", 2, descriptorpb.FieldDescriptorProto_TYPE_MESSAGE, ".google.protobuf.Timestamp"),
				field("customer", 3, descriptorpb.FieldDescriptorProto_TYPE_STRING, ""),
				field("amount", 4, descriptorpb.FieldDescriptorProto_TYPE_DOUBLE, ""),
			}}}},
	}}
	out, err := proto.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Whatever the schema, the file is sound, or nothing in it is a timestamp (invariant 1).
func TestAnySchemaGivesASoundFile(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 2013))
	names := []string{"id", "event_id", "event_time", "created_at", "timestamp", "customer", "user.id", "price", "in", "true", "window_start", "_x", "events", "mean_price",
		"delay", "status", "typ", "order", "count", "sum", "e", "A", "updatedAt", "x_y", "type", "string", "null", "duration", "no", "end"}
	types := []string{`"string"`, `"long"`, `"int"`, `"double"`, `"float"`, `"boolean"`, `"bytes"`, `["null","string"]`, `["null","double"]`,
		`{"type":"long","logicalType":"timestamp-millis"}`, `["null",{"type":"long","logicalType":"timestamp-micros"}]`, `{"type":"array","items":"long"}`,
		`{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}`, `{"type":"int","logicalType":"date"}`, `{"type":"map","values":"string"}`}
	sound := 0
	for range 150 {
		var fields []string
		for _, at := range r.Perm(len(names))[:1+r.IntN(12)] {
			name := strings.ReplaceAll(names[at], ".", "_")
			fields = append(fields, fmt.Sprintf(`{"name":%q,"type":%s}`, name, types[r.IntN(len(types))]))
		}
		text := fmt.Sprintf(`{"type":"record","name":"E","fields":[%s,{"name":"inner","type":["null",{"type":"record","name":"I","fields":[%s]}]}]}`,
			strings.Join(fields, ","), fields[0])
		if !json.Valid([]byte(text)) {
			t.Fatal(text)
		}
		_, err := inferred(t, Options{Topic: "some.topic-1", Kind: "file", Source: schema.Source{Format: schema.FormatAvroRaw, Schema: []byte(text)}}, "e.avsc")
		switch {
		case err == nil:
			sound++
		case !errors.Is(err, ErrNoTime):
			t.Errorf("%v\n%s", err, text)
		}
	}
	if sound < 50 {
		t.Errorf("only %d of 150 schemas have a timestamp", sound)
	}
}
