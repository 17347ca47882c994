package schema

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// protoReader reads events that are Protobuf messages, straight from the wire format. It allocates nothing once an Event
// has been used, save for an enum's number without a name.
type protoReader struct {
	whole
	root    *protoNode
	indexes []int // of the message in its file, as the Confluent header has them
	name    protoreflect.FullName
	states  int
	stamps  int
}

func newProtoReader(s *Schema, message protoreflect.MessageDescriptor, wire Wire, def EventDef, fields []string) (*protoReader, error) {
	w, root, err := newWhole(s, wire, def, fields)
	if err != nil {
		return nil, err
	}
	for at, rest := message, def.Time; rest != ""; {
		var name string
		name, rest, _ = strings.Cut(rest, ".")
		f := at.Fields().ByName(protoreflect.Name(name))
		if f.Kind() == protoreflect.GroupKind || f.ContainingOneof() != nil && !f.ContainingOneof().IsSynthetic() {
			return nil, fmt.Errorf("event time %q: %q is a group or a member of a oneof: the event time must be in plain messages", def.Time, name)
		}
		at = f.Message()
	}
	compiler := protoCompiler{unwanted: map[protoreflect.FullName]*protoNode{}, time: def.Time}
	r := &protoReader{whole: w, name: message.FullName(), indexes: messageIndexes(message)}
	r.root = compiler.compile(message, root, "")
	r.states, r.stamps = compiler.states, compiler.stamps
	return r, compiler.err
}

// messageIndexes says where in its file a message is: the index of the top-level message, then of the one in it, ...
func messageIndexes(m protoreflect.MessageDescriptor) []int {
	out := []int{m.Index()}
	for {
		outer, ok := m.Parent().(protoreflect.MessageDescriptor)
		if !ok {
			slices.Reverse(out)
			return out
		}
		out = append(out, outer.Index())
		m = outer
	}
}

// appendIndexes writes message indexes as Confluent's serializers do: their number and each of them as a zigzag varint;
// the list [0] as the one byte 0.
func appendIndexes(dst []byte, indexes []int) []byte {
	if len(indexes) == 1 && indexes[0] == 0 {
		return append(dst, 0)
	}
	dst = binary.AppendVarint(dst, int64(len(indexes)))
	for _, i := range indexes {
		dst = binary.AppendVarint(dst, int64(i))
	}
	return dst
}

// takeIndexes takes the message indexes off and checks that they name the reader's message.
func (r *protoReader) takeIndexes(b []byte) ([]byte, error) {
	count, n := binary.Varint(b)
	if n <= 0 || count < 0 || count > int64(len(b)-n) {
		return nil, &RecordError{Reason: ReasonBadHeader, Err: errors.New("the list of message indexes is broken: was it written without it?")}
	}
	b = b[n:]
	same := count == 0 && len(r.indexes) == 1 && r.indexes[0] == 0 || count == int64(len(r.indexes))
	for i := range count {
		index, n := binary.Varint(b)
		if n <= 0 {
			return nil, &RecordError{Reason: ReasonBadHeader, Err: errors.New("the list of message indexes is broken: was it written without it?")}
		}
		same = same && index == int64(r.indexes[i])
		b = b[n:]
	}
	if !same {
		return nil, &RecordError{Reason: ReasonBadHeader, Err: fmt.Errorf("the message indexes name another message than %s, which has %v", r.name, r.indexes)}
	}
	return b, nil
}

// Decode implements Reader.
func (r *protoReader) Decode(value []byte, ev *Event) error {
	id, message, err := r.unwrap(value, "source.wire: plain")
	if err != nil {
		return err
	}
	if err := r.begin(id, ev); err != nil {
		return err
	}
	if r.wire.Confluent {
		if message, err = r.takeIndexes(message); err != nil {
			return err
		}
	}
	ev.store(message)
	return r.read(message, ev)
}

// DecodePayload implements Reader.
func (r *protoReader) DecodePayload(id uint32, payload []byte, ev *Event) error {
	message, err := r.open(id, payload, ev)
	if err != nil {
		return err
	}
	return r.read(message, ev)
}

// read decodes one message.
func (r *protoReader) read(message []byte, ev *Event) error {
	if len(message) > MaxPayloadBytes {
		return &RecordError{Reason: ReasonTooLarge, Err: fmt.Errorf("message of %d bytes, at most %d are allowed", len(message), MaxPayloadBytes)}
	}
	r.clear(ev)
	ev.seen = zeroed(ev.seen, r.states)
	ev.stamps = zeroed(ev.stamps, r.stamps)
	w := protoWalk{buf: message, row: ev.Row, elements: &ev.elements, states: ev.seen, stamps: ev.stamps}
	if bad := w.event(r.root); bad != nil {
		return bad
	}
	return r.verdict(ev, w.badTime, w.bad)
}

// zeroed gives n zero values, in s's memory if it can.
func zeroed[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	s = s[:n]
	clear(s)
	return s
}
