package schema

import (
	"encoding/binary"
	"errors"
)

// whole is what readers of all formats but Avro have in common: the lake stores a value whole, as Avro's bytes, and a value
// that can't be read in one place may have an event time in another.
type whole struct {
	columns
	unnest string
	slots  []int32
}

// newWhole checks a reader's declaration and gives the tree of what it wants.
func newWhole(s *Schema, wire Wire, def EventDef, fields []string) (whole, *want, error) {
	c, err := newColumns(s, wire, def, fields)
	if err != nil {
		return whole{}, nil, err
	}
	root, slots, err := s.wanted(c.fields)
	if err != nil {
		return whole{}, nil, err
	}
	return whole{columns: c, unnest: s.unnest, slots: slots}, root, nil
}

// open readies ev for a payload that store made, and gives the value in it.
func (r *whole) open(id uint32, payload []byte, ev *Event) ([]byte, error) {
	if err := r.begin(id, ev); err != nil {
		return nil, err
	}
	value, err := openStored(payload)
	if err != nil {
		return nil, err
	}
	ev.Payload = payload
	return value, nil
}

// clear empties the row and the elements.
func (r *whole) clear(ev *Event) {
	clear(ev.Row)
	ev.elements.reset(r.unnest != "", r.slots)
}

// verdict is what becomes of an event that was read to its end: bad is the first wrong value, badTime what is wrong with
// the event time. Where that is right the event has its place in the lake, whatever else is wrong.
func (r *whole) verdict(ev *Event, badTime, bad *RecordError) error {
	if badTime != nil {
		return badTime
	}
	if err := r.finish(ev, r.unnest); err != nil {
		return err
	}
	if bad != nil {
		bad.Placed = true
		return bad
	}
	return nil
}

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
