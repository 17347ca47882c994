package schema

import "fmt"

// jsonReader reads events that are JSON objects, in one pass over their text: no maps, nothing allocated once an Event
// has been used (save numbers of more than 18 digits).
type jsonReader struct {
	whole
	root *jsonNode
}

func newJSONReader(s *Schema, wire Wire, def EventDef, fields []string) (*jsonReader, error) {
	w, root, err := newWhole(s, wire, def, fields)
	if err != nil {
		return nil, err
	}
	compiler := jsonCompiler{unwanted: map[*node]*jsonNode{}, time: def.Time}
	return &jsonReader{whole: w, root: compiler.compile(s.root, root, "")}, nil
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
	text, err := r.open(id, payload, ev)
	if err != nil {
		return err
	}
	return r.read(text, ev)
}

// keysKept is how many keys an Event keeps room for.
const keysKept = 1 << 12

// read decodes the text of one event.
func (r *jsonReader) read(text []byte, ev *Event) error {
	if len(text) > MaxPayloadBytes {
		return &RecordError{Reason: ReasonTooLarge, Err: fmt.Errorf("JSON text of %d bytes, at most %d are allowed", len(text), MaxPayloadBytes)}
	}
	r.clear(ev)
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
	}
	return r.verdict(ev, w.badTime, w.bad)
}
