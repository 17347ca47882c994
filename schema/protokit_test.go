package schema

import (
	"testing"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
)

// shopFile is a proto3 file, as protoc would describe it:
//
//	package shop;
//	message Order {
//	  string id = 1; google.protobuf.Timestamp at = 2; int64 n = 3; Status status = 4; bytes raw = 5; double x = 6;
//	  optional int32 maybe = 7; Customer who = 8; repeated Item items = 9; repeated sint32 codes = 10;
//	  oneof pay { string card = 11; Cash cash = 12; } map<string, int64> tags = 13; uint64 big = 70; bool ok = 71; float f = 72;
//	  fixed32 f32 = 73; sfixed32 s32 = 74; fixed64 f64 = 75; sfixed64 s64 = 76; uint32 u32 = 77; sint64 z64 = 78; Order parent = 79;
//	  message Customer { string name = 1; optional string city = 2; google.protobuf.Timestamp since = 3; }
//	  message Item { string sku = 1; int64 qty = 2; Customer from = 3; }
//	  message Cash { int32 cents = 1; }
//	}
//	enum Status { NEW = 0; PAID = 1; }
//	message Other { int64 v = 1; }
const shopFile = `name: "shop.proto" package: "shop" syntax: "proto3" dependency: "google/protobuf/timestamp.proto"
message_type { name: "Order"
  field { name: "id" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL }
  field { name: "at" number: 2 type: TYPE_MESSAGE type_name: ".google.protobuf.Timestamp" label: LABEL_OPTIONAL }
  field { name: "n" number: 3 type: TYPE_INT64 label: LABEL_OPTIONAL }
  field { name: "status" number: 4 type: TYPE_ENUM type_name: ".shop.Status" label: LABEL_OPTIONAL }
  field { name: "raw" number: 5 type: TYPE_BYTES label: LABEL_OPTIONAL }
  field { name: "x" number: 6 type: TYPE_DOUBLE label: LABEL_OPTIONAL }
  field { name: "maybe" number: 7 type: TYPE_INT32 label: LABEL_OPTIONAL proto3_optional: true oneof_index: 1 }
  field { name: "who" number: 8 type: TYPE_MESSAGE type_name: ".shop.Order.Customer" label: LABEL_OPTIONAL }
  field { name: "items" number: 9 type: TYPE_MESSAGE type_name: ".shop.Order.Item" label: LABEL_REPEATED }
  field { name: "codes" number: 10 type: TYPE_SINT32 label: LABEL_REPEATED }
  field { name: "card" number: 11 type: TYPE_STRING label: LABEL_OPTIONAL oneof_index: 0 }
  field { name: "cash" number: 12 type: TYPE_MESSAGE type_name: ".shop.Order.Cash" label: LABEL_OPTIONAL oneof_index: 0 }
  field { name: "tags" number: 13 type: TYPE_MESSAGE type_name: ".shop.Order.TagsEntry" label: LABEL_REPEATED }
  field { name: "big" number: 70 type: TYPE_UINT64 label: LABEL_OPTIONAL }
  field { name: "ok" number: 71 type: TYPE_BOOL label: LABEL_OPTIONAL }
  field { name: "f" number: 72 type: TYPE_FLOAT label: LABEL_OPTIONAL }
  field { name: "f32" number: 73 type: TYPE_FIXED32 label: LABEL_OPTIONAL }
  field { name: "s32" number: 74 type: TYPE_SFIXED32 label: LABEL_OPTIONAL }
  field { name: "f64" number: 75 type: TYPE_FIXED64 label: LABEL_OPTIONAL }
  field { name: "s64" number: 76 type: TYPE_SFIXED64 label: LABEL_OPTIONAL }
  field { name: "u32" number: 77 type: TYPE_UINT32 label: LABEL_OPTIONAL }
  field { name: "z64" number: 78 type: TYPE_SINT64 label: LABEL_OPTIONAL }
  field { name: "parent" number: 79 type: TYPE_MESSAGE type_name: ".shop.Order" label: LABEL_OPTIONAL }
  oneof_decl { name: "pay" } oneof_decl { name: "_maybe" }
  nested_type { name: "Customer"
    field { name: "name" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL }
    field { name: "city" number: 2 type: TYPE_STRING label: LABEL_OPTIONAL proto3_optional: true oneof_index: 0 }
    field { name: "since" number: 3 type: TYPE_MESSAGE type_name: ".google.protobuf.Timestamp" label: LABEL_OPTIONAL }
    oneof_decl { name: "_city" } }
  nested_type { name: "Item"
    field { name: "sku" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL }
    field { name: "qty" number: 2 type: TYPE_INT64 label: LABEL_OPTIONAL }
    field { name: "from" number: 3 type: TYPE_MESSAGE type_name: ".shop.Order.Customer" label: LABEL_OPTIONAL } }
  nested_type { name: "Cash" field { name: "cents" number: 1 type: TYPE_INT32 label: LABEL_OPTIONAL } }
  nested_type { name: "TagsEntry" options { map_entry: true }
    field { name: "key" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL }
    field { name: "value" number: 2 type: TYPE_INT64 label: LABEL_OPTIONAL } } }
message_type { name: "Other" field { name: "v" number: 1 type: TYPE_INT64 label: LABEL_OPTIONAL } }
enum_type { name: "Status" value { name: "NEW" number: 0 } value { name: "PAID" number: 1 } }`

// oldFile is a proto2 file: required fields, a group, presence of scalars.
const oldFile = `name: "old.proto" package: "old" syntax: "proto2" dependency: "google/protobuf/timestamp.proto"
message_type { name: "Event"
  field { name: "id" number: 1 type: TYPE_STRING label: LABEL_REQUIRED }
  field { name: "at" number: 2 type: TYPE_MESSAGE type_name: ".google.protobuf.Timestamp" label: LABEL_OPTIONAL }
  field { name: "n" number: 3 type: TYPE_INT32 label: LABEL_OPTIONAL default_value: "7" }
  field { name: "part" number: 4 type: TYPE_GROUP type_name: ".old.Event.Part" label: LABEL_OPTIONAL }
  field { name: "parts" number: 5 type: TYPE_GROUP type_name: ".old.Event.Parts" label: LABEL_REPEATED }
  field { name: "packed" number: 6 type: TYPE_INT32 label: LABEL_REPEATED options { packed: true } }
  nested_type { name: "Part" field { name: "v" number: 1 type: TYPE_INT64 label: LABEL_REQUIRED } field { name: "w" number: 2 type: TYPE_STRING label: LABEL_OPTIONAL } }
  nested_type { name: "Parts" field { name: "v" number: 1 type: TYPE_INT64 label: LABEL_REQUIRED } field { name: "w" number: 2 type: TYPE_STRING label: LABEL_OPTIONAL } } }`

// descriptorSet serializes files given in text format; the well-known types' are left out.
func descriptorSet(tb testing.TB, files ...string) []byte {
	tb.Helper()
	var set descriptorpb.FileDescriptorSet
	for _, text := range files {
		var file descriptorpb.FileDescriptorProto
		if err := prototext.Unmarshal([]byte(text), &file); err != nil {
			tb.Fatal(err)
		}
		set.File = append(set.File, &file)
	}
	out, err := proto.Marshal(&set)
	if err != nil {
		tb.Fatal(err)
	}
	return out
}

func shopSource(tb testing.TB, unnest string) Source {
	return Source{Format: FormatProtobuf, Schema: descriptorSet(tb, shopFile), Message: "shop.Order",
		Event: EventDef{ID: []string{"id"}, Time: "at"}, Unnest: unnest}
}

func oldSource(tb testing.TB, unnest string) Source {
	return Source{Format: FormatProtobuf, Schema: descriptorSet(tb, oldFile), Message: "old.Event",
		Event: EventDef{ID: []string{"id"}, Time: "at"}, Unnest: unnest}
}
