package schema

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"
)

// fillMessage sets fields at random.
func fillMessage(g *generator, m protoreflect.Message, depth int) {
	for i := range m.Descriptor().Fields().Len() {
		f := m.Descriptor().Fields().Get(i)
		required := f.Cardinality() == protoreflect.Required || f.Name() == "at"
		if !required && (g.rng.IntN(3) == 0 || depth > 2 && f.Message() != nil) {
			continue
		}
		switch {
		case f.IsMap():
			m.Mutable(f).Map().Set(protoreflect.ValueOfString(fmt.Sprint(g.rng.IntN(5))).MapKey(), protoreflect.ValueOfInt64(5))
		case f.IsList():
			list := m.Mutable(f).List()
			for range g.rng.IntN(4) {
				if f.Message() != nil {
					fillMessage(g, list.AppendMutable().Message(), depth+1)
				} else {
					list.Append(scalarOf(g, f))
				}
			}
		case f.Message() != nil && f.Message().FullName() == timestampName:
			stamp := m.Mutable(f).Message()
			fields := stamp.Descriptor().Fields()
			stamp.Set(fields.ByName("seconds"), protoreflect.ValueOfInt64(stampMin+g.rng.Int64N(stampMax-stampMin+1)))
			stamp.Set(fields.ByName("nanos"), protoreflect.ValueOfInt32(g.rng.Int32N(1_000_000_000)))
		case f.Message() != nil:
			fillMessage(g, m.Mutable(f).Message(), depth+1)
		default:
			m.Set(f, scalarOf(g, f))
		}
	}
}

func scalarOf(g *generator, f protoreflect.FieldDescriptor) protoreflect.Value {
	n := edgeInts[g.rng.IntN(len(edgeInts))]
	switch f.Kind() {
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(n > 0)
	case protoreflect.EnumKind:
		return protoreflect.ValueOfEnum(protoreflect.EnumNumber(g.rng.IntN(3)))
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		return protoreflect.ValueOfInt32(int32(n))
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		return protoreflect.ValueOfUint32(uint32(n))
	case protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind:
		return protoreflect.ValueOfInt64(n)
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		return protoreflect.ValueOfUint64(uint64(n) >> 1)
	case protoreflect.FloatKind:
		return protoreflect.ValueOfFloat32(float32(edgeFloats[g.rng.IntN(len(edgeFloats))]))
	case protoreflect.DoubleKind:
		return protoreflect.ValueOfFloat64(edgeFloats[g.rng.IntN(len(edgeFloats))])
	case protoreflect.StringKind:
		return protoreflect.ValueOfString(edgeTexts[g.rng.IntN(len(edgeTexts))])
	}
	return protoreflect.ValueOfBytes([]byte(edgeTexts[g.rng.IntN(len(edgeTexts))]))
}

// fieldOf is what dynamicpb says of a path, as the Value that the reader must give.
func fieldOf(m protoreflect.Message, path string) Value {
	name, rest, more := strings.Cut(path, ".")
	f := m.Descriptor().Fields().ByName(protoreflect.Name(name))
	if f.HasPresence() && !m.Has(f) {
		return NullValue()
	}
	if more {
		return fieldOf(m.Get(f).Message(), rest)
	}
	return valueOf(f, m.Get(f))
}

func valueOf(f protoreflect.FieldDescriptor, v protoreflect.Value) Value {
	switch v := v.Interface().(type) {
	case bool:
		return BoolValue(v)
	case int32:
		return IntValue(int64(v))
	case uint32:
		return IntValue(int64(v))
	case int64:
		return IntValue(v)
	case uint64:
		return IntValue(int64(v))
	case float32:
		return FloatValue(float64(v))
	case float64:
		return FloatValue(v)
	case string:
		return StringValue([]byte(v))
	case []byte:
		return BytesValue(v)
	case protoreflect.EnumNumber:
		if value := f.Enum().Values().ByNumber(v); value != nil {
			return StringValue([]byte(value.Name()))
		}
		return StringValue(fmt.Append(nil, v))
	case protoreflect.Message: // a Timestamp
		fields := v.Descriptor().Fields()
		return IntValue(v.Get(fields.ByName("seconds")).Int()*1_000_000 + v.Get(fields.ByName("nanos")).Int()/1000)
	}
	return NullValue()
}

// Invariant 9: the reader gives what dynamicpb gives, element by element, whatever is read, for messages written in
// one piece and in two, with fields that nobody knows.
func TestProtobufAgreesWithDynamicpb(t *testing.T) {
	compared := 0
	for _, base := range []Source{shopSource(t, ""), shopSource(t, "items"), shopSource(t, "codes"), oldSource(t, ""), oldSource(t, "parts"), oldSource(t, "packed")} {
		message, _, err := protoMessageOf(base.Schema, base.Message)
		if err != nil {
			t.Fatal(err)
		}
		shape, err := base.Shape()
		if err != nil {
			t.Fatal(err)
		}
		var paths []string
		for _, f := range shape.Paths() {
			paths = append(paths, f.Name)
		}
		all := mustReader(t, base, paths...)
		var ev Event
		for seed := range uint64(400) {
			g := newGenerator(seed)
			m, second := dynamicpb.NewMessage(message), dynamicpb.NewMessage(message)
			fillMessage(g, m, 0)
			fillMessage(g, second, 0)
			value := protobufOf(t, m)
			if seed%3 == 0 { // a message and one merged into it: their bytes one after the other
				value = append(value, protobufOf(t, second)...)
				proto.Merge(m, second)
			}
			if seed%2 == 0 {
				value = protowire.AppendTag(value, 9999, protowire.BytesType)
				value = protowire.AppendBytes(value, []byte("new"))
			}
			if err := all.Decode(value, &ev); err != nil {
				t.Fatalf("%s, seed %d: %v", base.Message, seed, err)
			}
			compared += compareMessage(t, all, base.Unnest, m, &ev)
		}
	}
	if compared < 20_000 {
		t.Errorf("only %d values were compared", compared)
	}
}

func protobufOf(t *testing.T, m proto.Message) []byte {
	t.Helper()
	out, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func compareMessage(t *testing.T, r Reader, unnest string, m protoreflect.Message, ev *Event) (compared int) {
	t.Helper()
	var list protoreflect.List
	var listed protoreflect.FieldDescriptor
	want := 1
	if unnest != "" {
		listed = m.Descriptor().Fields().ByName(protoreflect.Name(unnest))
		list = m.Get(listed).List()
		want = list.Len()
	}
	if ev.Elements != want {
		t.Fatalf("%d elements, want %d", ev.Elements, want)
	}
	for i := range max(want, 1) {
		ev.Load(i)
		for col, path := range r.Fields() {
			var expected Value
			inner, of := strings.CutPrefix(path, unnest)
			switch {
			case unnest == "" || !of:
				expected = fieldOf(m, path)
			case want == 0:
			case inner == "":
				expected = valueOf(listed, list.Get(i))
			default:
				expected = fieldOf(list.Get(i).Message(), inner[1:])
			}
			if !sameValue(ev.Row[col], expected) {
				t.Fatalf("element %d, %s is %s %s, want %s %s\n%v", i, path, ev.Row[col].Kind, ev.Row[col], expected.Kind, expected, m)
			}
			compared++
		}
	}
	return compared
}

// Invariant 9: what the reader takes proto.Unmarshal takes, and the other way round, save what protoRefuses lists.
func TestCorruptedProtobuf(t *testing.T) {
	ours := []string{ // rules of ours, and of the Timestamp
		ReasonTimeNull, ReasonBadTime, ReasonIntRange, ReasonTimeOutOfRange, ReasonTooDeep,
		ReasonBadUTF8,      // proto2 does not check
		ReasonMissingField, // a message that nobody reads and that comes in parts: each must have all
	}
	seen := map[string]int{}
	for _, s := range []Source{shopSource(t, ""), oldSource(t, "")} {
		r := mustReader(t, s)
		message, _, err := protoMessageOf(s.Schema, s.Message)
		if err != nil {
			t.Fatal(err)
		}
		var ev Event
		for seed := range uint64(3000) {
			g := newGenerator(seed)
			m := dynamicpb.NewMessage(message)
			fillMessage(g, m, 0)
			bad := g.corrupt(protobufOf(t, m))
			err := r.Decode(bad, &ev)
			reason := reasonOf(t, err)
			seen[reason]++
			theirs := proto.Unmarshal(bad, dynamicpb.NewMessage(message))
			if (err == nil) != (theirs == nil) && !slices.Contains(ours, reason) {
				t.Errorf("%s, seed %d: %v, protobuf: %v\n%x", s.Message, seed, err, theirs, bad)
			}
		}
	}
	t.Log(seen)
	for _, reason := range []string{"", ReasonTruncated, ReasonBadWire, ReasonBadUTF8, ReasonTimeNull, ReasonBadTime} {
		if seen[reason] == 0 {
			t.Errorf("corruption never led to %q: the test proves little", reason)
		}
	}
}

// Elements that stand packed and one by one are the same elements.
func TestPackedOrNot(t *testing.T) {
	r := mustReader(t, shopSource(t, "codes"), "codes")
	rng := rand.New(rand.NewPCG(1, 1))
	head := []byte("\x0a\x01a\x12\x02\x08\x05")
	single, packed := bytes.Clone(head), []byte{}
	for range 20 {
		v := protowire.EncodeZigZag(int64(rng.Int32()))
		single = protowire.AppendVarint(protowire.AppendTag(single, 10, protowire.VarintType), v)
		packed = protowire.AppendVarint(packed, v)
	}
	var a, b Event
	for value, ev := range map[string]*Event{
		string(single): &a,
		string(protowire.AppendBytes(protowire.AppendTag(head, 10, protowire.BytesType), packed)): &b,
	} {
		if err := r.Decode([]byte(value), ev); err != nil || ev.Elements != 20 || ev.Time != 5000 {
			t.Fatal(err, ev.Elements, ev.Time)
		}
	}
	if r.Identity(&a) != r.Identity(&b) {
		t.Error("they differ")
	}
}

// What a member of a oneof unnested is gone when another member is set.
func TestOneofClearsElements(t *testing.T) {
	const file = `name: "choice.proto" package: "c" syntax: "proto3" dependency: "google/protobuf/timestamp.proto"
		message_type { name: "E"
		  field { name: "at" number: 1 type: TYPE_MESSAGE type_name: ".google.protobuf.Timestamp" label: LABEL_OPTIONAL }
		  field { name: "basket" number: 2 type: TYPE_MESSAGE type_name: ".c.Basket" label: LABEL_OPTIONAL oneof_index: 0 }
		  field { name: "none" number: 3 type: TYPE_STRING label: LABEL_OPTIONAL oneof_index: 0 }
		  oneof_decl { name: "what" } }
		message_type { name: "Basket" field { name: "codes" number: 1 type: TYPE_INT64 label: LABEL_REPEATED } field { name: "n" number: 2 type: TYPE_INT64 label: LABEL_OPTIONAL } }`
	s := Source{Format: FormatProtobuf, Schema: descriptorSet(t, file), Message: "c.E", Event: EventDef{Time: "at"}, Unnest: "basket.codes"}
	r := mustReader(t, s, "basket.codes", "basket.n", "none")
	const at, basket, none = "\x0a\x02\x08\x05", "\x12\x04\x0a\x02\x07\x08", "\x1a\x01x"
	var ev Event
	for value, want := range map[string]string{
		at + basket:                 "2 [5000000 7 0 null]",
		at + basket + basket:        "4 [5000000 7 0 null]",
		at + basket + none:          "0 [5000000 null null x]",
		at + none + basket:          "2 [5000000 7 0 null]",
		at + basket + none + basket: "2 [5000000 7 0 null]",
		at:                          "0 [5000000 null null null]",
	} {
		if err := r.Decode([]byte(value), &ev); err != nil {
			t.Fatal(err)
		}
		ev.Load(0)
		if got := fmt.Sprint(ev.Elements, " ", ev.Row); got != want {
			t.Errorf("%x: %s, want %s", value, got, want)
		}
	}
	s.Event.Time, s.Unnest = "none", ""
	if _, err := NewReader(s, nil); err == nil {
		t.Error("a text is an event time")
	}
}
