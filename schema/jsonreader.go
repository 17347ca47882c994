package schema

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// jsonReader reads events that are JSON objects, in one pass over their text: no maps, nothing allocated once an Event
// has been used (save numbers of more than 18 digits).
type jsonReader struct {
	columns
	root   *jsonNode
	unnest string
	slots  []int32
}

func newJSONReader(s *Schema, wire Wire, def EventDef, fields []string) (*jsonReader, error) {
	c, err := newColumns(s, wire, def, fields)
	if err != nil {
		return nil, err
	}
	root, slots, err := s.wanted(c.fields)
	if err != nil {
		return nil, err
	}
	compiler := jsonCompiler{unwanted: map[*node]*jsonNode{}, time: def.Time}
	return &jsonReader{columns: c, root: compiler.compile(s.root, root, ""), unnest: s.unnest, slots: slots}, nil
}

// Decode implements Reader.
func (r *jsonReader) Decode(value []byte, ev *Event) error {
	id, text, err := r.unwrap(value, "source.wire: plain")
	if err != nil {
		return err
	}
	if err := r.begin(id, ev); err != nil {
		return err
	}
	ev.store(text)
	return r.read(text, ev)
}

// DecodePayload implements Reader.
func (r *jsonReader) DecodePayload(id uint32, payload []byte, ev *Event) error {
	if err := r.begin(id, ev); err != nil {
		return err
	}
	text, err := openStored(payload)
	if err != nil {
		return err
	}
	ev.Payload = payload
	return r.read(text, ev)
}

// keysKept is how many keys an Event keeps room for.
const keysKept = 1 << 12

// storedMax is how much memory an Event keeps for the Payload.
const storedMax = 1 << 20

// store makes the Payload of a value that isn't Avro: Avro's bytes, a length and the value.
func (ev *Event) store(value []byte) {
	buf := ev.stored[:0]
	if cap(buf) > storedMax {
		buf = nil
	}
	buf = binary.AppendVarint(buf, int64(len(value)))
	ev.stored = append(buf, value...)
	ev.Payload = ev.stored
}

// openStored gives the value in a Payload that store made.
func openStored(payload []byte) ([]byte, error) {
	n, size := binary.Varint(payload)
	if size <= 0 || n != int64(len(payload)-size) {
		return nil, &RecordError{Reason: ReasonBadLength, Err: errors.New("the stored payload is no Avro bytes: its length is not that of what follows")}
	}
	return payload[size:], nil
}

// read decodes the text of one event.
func (r *jsonReader) read(text []byte, ev *Event) error {
	if len(text) > MaxPayloadBytes {
		return &RecordError{Reason: ReasonTooLarge, Err: fmt.Errorf("JSON text of %d bytes, at most %d are allowed", len(text), MaxPayloadBytes)}
	}
	clear(ev.Row)
	ev.elements.reset(r.unnest != "", r.slots)
	w := jsonWalk{row: ev.Row, elements: &ev.elements, seen: ev.seen[:0]}
	w.buf = text
	if cap(ev.keys) <= keysKept {
		w.keys = ev.keys[:0]
	}
	if cap(ev.text) <= scratchMax {
		w.text = ev.text[:0]
	}
	ok := w.document(r.root)
	ev.text, ev.keys, ev.seen = w.text, w.keys, w.seen
	switch {
	case !ok:
		return w.err
	case w.double != nil:
		return w.double
	case w.badTime != nil:
		return w.badTime
	}
	if err := r.finish(ev, r.unnest); err != nil {
		return err
	}
	if w.bad != nil {
		w.bad.Placed = true
		return w.bad
	}
	return nil
}
