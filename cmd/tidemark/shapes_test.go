package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/tidemark-io/tidemark/cmd/internal/broker"
)

// Every shape of pipeline from its files to its audit, as a user would go about it, on an embedded broker of its own. Files
// are written as they stand, with $BROKERS for the broker's address; commands are typed one a line.
func TestShapes(t *testing.T) {
	datadriven.Walk(t, filepath.Join(testdata(t), "shapes"), func(t *testing.T, path string) {
		b, err := broker.Start(broker.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := b.Close(); err != nil {
				t.Error(err)
			}
		})
		t.Chdir(t.TempDir())
		plan := ""
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			input := strings.ReplaceAll(d.Input, "$BROKERS", b.Addr())
			var name string
			switch d.Cmd {
			case "descriptor":
				d.ScanArgs(t, "name", &name)
				writeBidDescriptor(t, name)
				return ""
			case "file":
				d.ScanArgs(t, "name", &name)
				if err := os.WriteFile(name, []byte(input+"\n"), 0o644); err != nil {
					t.Fatal(err)
				}
				return ""
			}
			var all strings.Builder
			for line := range strings.Lines(input) {
				line = strings.ReplaceAll(strings.TrimSpace(line), "$PLAN", plan)
				if hour := regexp.MustCompile(`\$FILE\((.*?)\)`).FindStringSubmatch(line); hour != nil {
					line = strings.ReplaceAll(line, hour[0], lakeFile(t, hour[1]))
				}
				r := tidemark(t, append(strings.Fields(line), "-q")...)
				if found := regexp.MustCompile(`reconcile plan ([0-9a-f]{6})`).FindStringSubmatch(r.out); found != nil {
					plan = found[1]
				}
				if strings.HasSuffix(line, "--changes") {
					r.out = sorted(r.out) // tasks publish side by side
				}
				all.WriteString(resultOffset.ReplaceAllString(steady(fmt.Sprintf("exit %d\n%s%s", r.code, r.out, r.err)), "$1@<n>"))
			}
			return all.String()
		})
	})
}

// resultOffset is where a result was published: windows of several tasks close side by side.
var resultOffset = regexp.MustCompile(`(published revision .* at [a-z-]+/\d+)@\d+`)

func sorted(text string) string {
	return strings.Join(slices.Sorted(strings.Lines(text)), "")
}

// writeBidDescriptor writes what protoc makes of
//
//	package shop;
//	import "google/protobuf/timestamp.proto";
//	message Bid { int64 id = 1; int64 auction = 2; int64 price = 3; string bidder = 4; google.protobuf.Timestamp at = 5; }
func writeBidDescriptor(t *testing.T, name string) {
	t.Helper()
	field := func(name string, number int32, kind descriptorpb.FieldDescriptorProto_Type) *descriptorpb.FieldDescriptorProto {
		return &descriptorpb.FieldDescriptorProto{Name: &name, JsonName: &name, Number: &number, Type: &kind, Label: descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum()}
	}
	at := field("at", 5, descriptorpb.FieldDescriptorProto_TYPE_MESSAGE)
	at.TypeName = proto.String(".google.protobuf.Timestamp")
	const integer = descriptorpb.FieldDescriptorProto_TYPE_INT64
	set, err := proto.Marshal(&descriptorpb.FileDescriptorSet{File: []*descriptorpb.FileDescriptorProto{
		protodesc.ToFileDescriptorProto(timestamppb.File_google_protobuf_timestamp_proto),
		{
			Name: proto.String("bid.proto"), Package: proto.String("shop"), Syntax: proto.String("proto3"), Dependency: []string{"google/protobuf/timestamp.proto"},
			MessageType: []*descriptorpb.DescriptorProto{{Name: proto.String("Bid"), Field: []*descriptorpb.FieldDescriptorProto{
				field("id", 1, integer), field("auction", 2, integer), field("price", 3, integer),
				field("bidder", 4, descriptorpb.FieldDescriptorProto_TYPE_STRING), at,
			}}},
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, set, 0o644); err != nil {
		t.Fatal(err)
	}
}
