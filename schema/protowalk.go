package schema

import (
	"errors"
	"fmt"
	"io"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// protoWalk reads one event's message. All of it is checked, also what is not read. It lives on the stack.
//
// Bytes that are no fields end the walk of their message. On the way to the event time that ends the event; elsewhere the
// event still has its place in the lake, and is bad for this reader only.
type protoWalk struct {
	buf      []byte // the whole event
	row      []Value
	elements *elements
	states   []uint64 // per wanted message: present, and which required fields were there
	stamps   []stamp  // per wanted timestamp, while its parts come
	depth    int
	bad      *RecordError // the first wrong value
	badTime  *RecordError // what is wrong with the event time
}

// stamp is a google.protobuf.Timestamp.
type stamp struct {
	seconds int64
	nanos   int32
}

// wrong notes a wrong value, if it is the first.
func (w *protoWalk) wrong(f *protoField, reason, format string, args ...any) {
	if w.bad != nil && !f.time {
		return
	}
	what := fmt.Sprintf(format, args...)
	if f.time && w.badTime == nil {
		w.badTime = &RecordError{Reason: reason, Err: fmt.Errorf("event time %q: %s", f.path, what)}
	}
	if w.bad == nil {
		w.bad = &RecordError{Reason: reason, Err: fmt.Errorf("field %q: %s", f.path, what)}
	}
}

// badTag is our own error code beside protowire's.
const badTag = -1 << 20

// wireFault is the fault of bytes that are no field; n is protowire's error.
func wireFault(path string, left, n int) *RecordError {
	err := errors.New("a field number out of range")
	if n != badTag {
		err = protowire.ParseError(n)
	}
	reason := ReasonBadWire
	if errors.Is(err, io.ErrUnexpectedEOF) {
		reason = ReasonTruncated
	}
	return &RecordError{Reason: reason, Err: fmt.Errorf("in %s, %d bytes before its end: %w", messageAt(path), left, err)}
}

func messageAt(path string) string {
	if path == "" {
		return "the message"
	}
	return fmt.Sprintf("field %q", path)
}

// event takes the whole event.
func (w *protoWalk) event(root *protoNode) *RecordError {
	w.enter(root)
	if bad := w.message(w.buf, root); bad != nil {
		return bad
	}
	w.complete(root)
	return nil
}

// enter makes a wanted message present: what it does not have is zero from now on.
func (w *protoWalk) enter(m *protoNode) {
	if !m.wanted || w.states[m.id]&presentBit != 0 {
		return
	}
	w.states[m.id] = presentBit
	for i := range m.zeros {
		w.row[m.zeros[i].slot] = m.zeros[i].value
	}
}

// leave makes a wanted message and all in it absent.
func (w *protoWalk) leave(m *protoNode) {
	if m.elements {
		w.elements.reset(true, w.elements.slots)
	}
	clear(w.states[m.id:m.end])
	for _, slot := range m.slots {
		w.row[slot] = Value{}
	}
}

// message takes the fields of one message.
func (w *protoWalk) message(b []byte, m *protoNode) *RecordError {
	if w.depth++; w.depth > MaxDepth {
		return &RecordError{Reason: ReasonTooDeep, Err: fmt.Errorf("nested deeper than %d levels", MaxDepth)}
	}
	var seen uint64
	for len(b) > 0 {
		number, wire, n := consumeTag(b)
		if n < 0 {
			return wireFault(m.path, len(b), n)
		}
		rest := b[n:]
		f := m.field(number)
		n = -1
		if f != nil {
			var bad *RecordError
			if n, bad = w.field(f, number, wire, rest); bad != nil {
				return bad
			}
			if n >= 0 {
				seen |= f.bit
			}
		}
		if n < 0 { // unknown, or written with another wire type, which is the same
			if n = protowire.ConsumeFieldValue(number, wire, rest); n < 0 {
				return wireFault(m.path, len(rest), n)
			}
		}
		b = rest[n:]
	}
	w.depth--
	if m.wanted {
		w.states[m.id] |= seen
	} else if m.required&^seen != 0 {
		w.incomplete(m)
	}
	return nil
}

// consumeTag is protowire's, which also takes numbers that no field can have.
func consumeTag(b []byte) (protowire.Number, protowire.Type, int) {
	number, wire, n := protowire.ConsumeTag(b)
	if n >= 0 && number > protowire.MaxValidNumber {
		return 0, 0, badTag
	}
	return number, wire, n
}

// field takes the value of a known field and gives its length, or -1 if it is none of this field's.
func (w *protoWalk) field(f *protoField, number protowire.Number, wire protowire.Type, b []byte) (int, *RecordError) {
	switch {
	case wire != f.wire && (wire != protowire.BytesType || !f.list || !f.packable):
		return -1, nil
	case wire != f.wire:
		packed, n := protowire.ConsumeBytes(b)
		if n < 0 {
			return 0, wireFault(f.path, len(b), n)
		}
		w.note(w.packed(f, packed))
		return n, nil
	case f.message != nil || f.stamp:
		return w.nested(f, number, b)
	}
	if f.rivals != nil {
		w.clearRivals(f)
	}
	if f.element {
		outer := w.row
		w.row = w.elements.add()
		n, bad := w.scalar(f, b)
		w.row = outer
		return n, bad
	}
	return w.scalar(f, b)
}

func (w *protoWalk) clearRivals(f *protoField) {
	for _, other := range f.rivals {
		if other.slot != noSlot {
			w.row[other.slot] = Value{}
		}
		if other.message != nil && other.message.wanted {
			w.leave(other.message)
		}
	}
}

// packed takes the values of a packed field.
func (w *protoWalk) packed(f *protoField, b []byte) *RecordError {
	outer := w.row
	for len(b) > 0 {
		if f.element {
			w.row = w.elements.add()
		}
		n, bad := w.scalar(f, b)
		if bad != nil {
			w.row = outer
			return bad
		}
		b = b[n:]
	}
	w.row = outer
	return nil
}

// nested takes a message, group or timestamp.
func (w *protoWalk) nested(f *protoField, number protowire.Number, b []byte) (int, *RecordError) {
	content, n := protowire.ConsumeBytes(b)
	if f.wire == protowire.StartGroupType {
		content, n = protowire.ConsumeGroup(number, b)
	}
	if n < 0 {
		return 0, wireFault(f.path, len(b), n)
	}
	if f.rivals != nil {
		w.clearRivals(f)
	}
	outer, depth := w.row, w.depth
	if f.element {
		w.row = w.elements.add()
	}
	if f.stamp {
		w.timestamp(f, content)
		w.row = outer
		return n, nil
	}
	m := f.message
	if f.element {
		clear(w.states[m.id:m.end])
	}
	w.enter(m)
	bad := w.message(content, m)
	if bad == nil && f.element {
		w.complete(m)
	}
	w.row, w.depth = outer, depth
	if m.onTime {
		return n, bad
	}
	w.note(bad)
	return n, nil
}

// note keeps the first fault that leaves the event its place.
func (w *protoWalk) note(bad *RecordError) {
	if w.bad == nil {
		w.bad = bad
	}
}

// complete checks that a wanted message has its required fields, and those in it that are present have theirs.
func (w *protoWalk) complete(m *protoNode) {
	if state := w.states[m.id]; state&presentBit != 0 && m.required&^state != 0 {
		w.incomplete(m)
	}
	if m.end == m.id+1 {
		return
	}
	for _, f := range m.fields {
		if f.message != nil && f.message.wanted && !f.element {
			w.complete(f.message)
		}
	}
}

func (w *protoWalk) incomplete(m *protoNode) {
	w.note(&RecordError{Reason: ReasonMissingField, Err: fmt.Errorf("in %s a required field is missing", messageAt(m.path))})
}

// scalar takes one value that is no message.
func (w *protoWalk) scalar(f *protoField, b []byte) (int, *RecordError) {
	switch f.wire {
	case protowire.BytesType:
		content, n := protowire.ConsumeBytes(b)
		if n < 0 {
			return 0, wireFault(f.path, len(b), n)
		}
		content = content[:len(content):len(content)]
		switch {
		case f.kind == protoreflect.BytesKind:
			w.set(f, BytesValue(content))
		case validUTF8(content):
			w.set(f, StringValue(content))
		default:
			w.wrong(f, ReasonBadUTF8, "a string of %d bytes that is no UTF-8", len(content))
		}
		return n, nil
	case protowire.Fixed32Type:
		v, n := protowire.ConsumeFixed32(b)
		if n < 0 {
			return 0, wireFault(f.path, len(b), n)
		}
		w.fixed32(f, v)
		return n, nil
	case protowire.Fixed64Type:
		v, n := protowire.ConsumeFixed64(b)
		if n < 0 {
			return 0, wireFault(f.path, len(b), n)
		}
		w.fixed64(f, v)
		return n, nil
	}
	v, n := protowire.ConsumeVarint(b)
	if n < 0 {
		return 0, wireFault(f.path, len(b), n)
	}
	w.varint(f, v)
	return n, nil
}

func (w *protoWalk) set(f *protoField, v Value) {
	if f.slot != noSlot {
		w.row[f.slot] = v
	}
}

func (w *protoWalk) fixed32(f *protoField, v uint32) {
	switch f.kind {
	case protoreflect.FloatKind:
		w.set(f, FloatValue(float64(math.Float32frombits(v))))
	case protoreflect.Sfixed32Kind:
		w.set(f, IntValue(int64(int32(v))))
	default:
		w.set(f, IntValue(int64(v)))
	}
}

func (w *protoWalk) fixed64(f *protoField, v uint64) {
	switch f.kind {
	case protoreflect.DoubleKind:
		w.set(f, FloatValue(math.Float64frombits(v)))
	case protoreflect.Sfixed64Kind:
		w.set(f, IntValue(int64(v)))
	default:
		w.unsigned(f, v)
	}
}

// unsigned is a number of 64 bits without a sign. Ints of the engine have one.
func (w *protoWalk) unsigned(f *protoField, v uint64) {
	if v > math.MaxInt64 {
		w.wrong(f, ReasonIntRange, "%d is beyond 2^63 - 1", v)
		return
	}
	w.set(f, IntValue(int64(v)))
}

func (w *protoWalk) varint(f *protoField, v uint64) {
	switch f.kind {
	case protoreflect.BoolKind:
		w.set(f, BoolValue(v != 0))
	case protoreflect.EnumKind:
		if f.slot != noSlot {
			w.row[f.slot] = f.enumValue(int32(v))
		}
	case protoreflect.Int32Kind:
		w.set(f, IntValue(int64(int32(v))))
	case protoreflect.Uint32Kind:
		w.set(f, IntValue(int64(uint32(v))))
	case protoreflect.Sint32Kind:
		w.set(f, IntValue(int64(int32(protowire.DecodeZigZag(v&math.MaxUint32)))))
	case protoreflect.Sint64Kind:
		w.set(f, IntValue(protowire.DecodeZigZag(v)))
	case protoreflect.Uint64Kind:
		w.unsigned(f, v)
	default:
		w.set(f, IntValue(int64(v)))
	}
}
