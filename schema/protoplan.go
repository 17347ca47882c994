package schema

import (
	"fmt"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// protoNode is what a Protobuf reader expects of one message.
type protoNode struct {
	fields   map[protowire.Number]*protoField
	dense    []*protoField // by number, those below denseMax
	path     string
	wanted   bool
	onTime   bool // the event time is in it: without it the event has no place
	elements bool // the unnested array is in it
	id, end  int  // of a wanted message: its state, and behind the last one of those in it

	zeros    []protoZero // fields that are a zero where the message is present and they are not
	slots    []int32     // of it and all in it
	required uint64      // bits of the fields that must be there
}

type protoZero struct {
	slot  int32
	value Value
}

// protoField is one field of a message.
type protoField struct {
	kind     protoreflect.Kind
	wire     protowire.Type // of one value
	list     bool           // any number of values
	packable bool
	element  bool // the unnested one
	time     bool // it is the event time
	stamp    bool // it is a google.protobuf.Timestamp
	slot     int32
	stampID  int
	path     string
	bit      uint64     // of a required field
	message  *protoNode // of a message or group
	enum     map[int32][]byte
	rivals   []*protoField // the wanted other members of its oneof
}

const (
	denseMax    = 64
	requiredMax = 62
	presentBit  = uint64(1) << 63
)

// protoCompiler makes the tree of one Protobuf reader. Messages of which nothing is wanted are shared.
type protoCompiler struct {
	unwanted map[protoreflect.FullName]*protoNode
	time     string
	states   int // wanted messages so far
	stamps   int // wanted timestamps so far
	err      error
}

// compile gives what is expected of a message. w is what is wanted of it, or nil.
func (c *protoCompiler) compile(m protoreflect.MessageDescriptor, w *want, path string) *protoNode {
	if known, ok := c.unwanted[m.FullName()]; w == nil && ok {
		return known
	}
	out := &protoNode{fields: map[protowire.Number]*protoField{}, path: path, wanted: w != nil}
	if w == nil {
		c.unwanted[m.FullName()] = out
	} else {
		out.id = c.states
		c.states++
		out.onTime = path == "" || strings.HasPrefix(c.time, path+".")
	}
	required := 0
	for i := range m.Fields().Len() {
		d := m.Fields().Get(i)
		f := c.field(d, w, join(path, string(d.Name())))
		if d.Cardinality() == protoreflect.Required {
			if required++; required > requiredMax && c.err == nil {
				c.err = fmt.Errorf("message %s has more than %d required fields", m.FullName(), requiredMax)
			}
			f.bit = 1 << ((required - 1) % requiredMax)
			out.required |= f.bit
		}
		out.add(d, f)
	}
	for i := range m.Oneofs().Len() {
		out.rivals(m.Oneofs().Get(i))
	}
	out.end = c.states
	return out
}

func (n *protoNode) add(d protoreflect.FieldDescriptor, f *protoField) {
	n.elements = n.elements || f.element || f.message != nil && f.message.elements
	n.fields[d.Number()] = f
	if d.Number() < denseMax {
		for len(n.dense) <= int(d.Number()) {
			n.dense = append(n.dense, nil)
		}
		n.dense[d.Number()] = f
	}
	if f.slot != noSlot && !f.element {
		n.slots = append(n.slots, f.slot)
		if !nullableField(d) && !f.list {
			n.zeros = append(n.zeros, protoZero{f.slot, f.zero(d)})
		}
	}
	if f.message != nil && !f.element {
		n.slots = append(n.slots, f.message.slots...)
	}
}

// zero is what an absent field without presence is.
func (f *protoField) zero(d protoreflect.FieldDescriptor) Value {
	switch f.kind {
	case protoreflect.BoolKind:
		return BoolValue(false)
	case protoreflect.FloatKind, protoreflect.DoubleKind:
		return FloatValue(0)
	case protoreflect.StringKind:
		return StringValue(nil)
	case protoreflect.BytesKind:
		return BytesValue(nil)
	case protoreflect.EnumKind:
		return StringValue(f.enum[int32(d.Default().Enum())])
	}
	return IntValue(0)
}

// rivals notes, for each member of a oneof, the wanted others: setting one clears them.
func (n *protoNode) rivals(o protoreflect.OneofDescriptor) {
	for i := range o.Fields().Len() {
		f := n.fields[o.Fields().Get(i).Number()]
		for j := range o.Fields().Len() {
			other := n.fields[o.Fields().Get(j).Number()]
			if other != f && (other.slot != noSlot || other.message != nil && other.message.wanted) {
				f.rivals = append(f.rivals, other)
			}
		}
	}
}

// field compiles one field. w is what is wanted of its message.
func (c *protoCompiler) field(d protoreflect.FieldDescriptor, w *want, path string) *protoField {
	f := &protoField{kind: d.Kind(), slot: noSlot, path: path, list: d.IsList() || d.IsMap(), time: path == c.time && w != nil}
	var wanted *want
	if w != nil {
		wanted = w.fields[string(d.Name())]
	}
	if wanted != nil && wanted.element != nil {
		f.element, wanted = true, wanted.element
	} else if f.list {
		wanted = nil
	}
	if wanted != nil {
		f.slot = wanted.slot
	}
	f.wire = wireTypes[f.kind]
	f.packable = f.wire != protowire.BytesType && f.wire != protowire.StartGroupType
	switch {
	case f.kind == protoreflect.EnumKind:
		f.enum = map[int32][]byte{}
		for i := range d.Enum().Values().Len() {
			v := d.Enum().Values().Get(i)
			if _, alias := f.enum[int32(v.Number())]; !alias { // the first name counts
				f.enum[int32(v.Number())] = []byte(v.Name())
			}
		}
	case d.Message() == nil:
	case d.Message().FullName() == timestampName:
		f.stamp = true
		if f.slot != noSlot {
			f.stampID = c.stamps
			c.stamps++
		}
	default:
		if wanted != nil && len(wanted.fields) == 0 && !f.element {
			wanted = nil
		}
		f.message = c.compile(d.Message(), wanted, path)
	}
	return f
}

// wireTypes are the wire types of the kinds.
var wireTypes = map[protoreflect.Kind]protowire.Type{
	protoreflect.BoolKind: protowire.VarintType, protoreflect.EnumKind: protowire.VarintType,
	protoreflect.Int32Kind: protowire.VarintType, protoreflect.Sint32Kind: protowire.VarintType, protoreflect.Uint32Kind: protowire.VarintType,
	protoreflect.Int64Kind: protowire.VarintType, protoreflect.Sint64Kind: protowire.VarintType, protoreflect.Uint64Kind: protowire.VarintType,
	protoreflect.Sfixed32Kind: protowire.Fixed32Type, protoreflect.Fixed32Kind: protowire.Fixed32Type, protoreflect.FloatKind: protowire.Fixed32Type,
	protoreflect.Sfixed64Kind: protowire.Fixed64Type, protoreflect.Fixed64Kind: protowire.Fixed64Type, protoreflect.DoubleKind: protowire.Fixed64Type,
	protoreflect.StringKind: protowire.BytesType, protoreflect.BytesKind: protowire.BytesType,
	protoreflect.MessageKind: protowire.BytesType, protoreflect.GroupKind: protowire.StartGroupType,
}

// field is the field of a number, or nil.
func (n *protoNode) field(number protowire.Number) *protoField {
	if number < denseMax {
		if int(number) < len(n.dense) {
			return n.dense[number]
		}
		return nil
	}
	return n.fields[number]
}
