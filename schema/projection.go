package schema

import (
	"fmt"
	"strings"
)

// Projection reads named fields straight from the bytes of a datum. It is
// immutable and safe for concurrent use.
type Projection struct {
	programs []program // the first walks the record
	symbols  [][][]byte
	branches [][]int32
	preset   []int32
	width    int

	unnest string  // path of the unnested array, if there is one
	slots  []int32 // where in the row an element's values belong
}

// Project compiles a projection of the fields, in the order of paths; "a.b"
// goes into records as Lookup does. Without paths it only validates. A field
// that cannot be one Value is refused.
func (s *Schema) Project(paths []string) (*Projection, error) {
	root, slots, err := s.wanted(paths)
	if err != nil {
		return nil, err
	}
	c := &compiler{index: map[*node]int32{}, building: map[*node]bool{}}
	c.programs = make([]program, 1)
	e := emitter{c: c}
	e.record(s.root, root, "")
	c.programs[0] = e.program()
	return &Projection{programs: c.programs, symbols: c.symbols, branches: c.branches, preset: c.preset, width: len(paths), unnest: s.unnest, slots: slots}, nil
}

// wanted is the tree of the paths, whose slots are their places in paths. Those of an unnested element are numbered among
// themselves; slots has the places of them in paths.
func (s *Schema) wanted(paths []string) (root *want, slots []int32, err error) {
	root = newWant()
	var element *want
	if s.unnest != "" {
		element = newWant()
		root.at(s.unnest).element = element
	}
	for i, path := range paths {
		t, err := s.Lookup(path)
		if err != nil {
			return nil, nil, err
		}
		if !t.Projectable() {
			return nil, nil, notProjectable(path, t)
		}
		at, slot := root, int32(i)
		if inner, ok := s.ofElement(path); ok {
			at, slot = element.at(inner), int32(len(slots))
			slots = append(slots, int32(i))
		} else {
			at = at.at(path)
		}
		if at.slot != noSlot {
			return nil, nil, fmt.Errorf("field %q is named twice", path)
		}
		at.slot = slot
	}
	return root, slots, nil
}

// at is the node of a path below w; "" is w itself.
func (w *want) at(path string) *want {
	if path == "" {
		return w
	}
	for name := range strings.SplitSeq(path, ".") {
		next := w.fields[name]
		if next == nil {
			next = newWant()
			w.fields[name] = next
		}
		w = next
	}
	return w
}

func notProjectable(path string, t Type) error {
	switch t.Avro {
	case "record":
		return fmt.Errorf("field %q is a record: name a field in it, as %s.x", path, path)
	case "union":
		return fmt.Errorf("field %q is a union of several types: only a union of null and one other type can be read", path)
	}
	return fmt.Errorf("field %q is %s %s: it has no single value to read", path, article(t.Avro), t.Avro)
}

func article(noun string) string {
	if strings.ContainsRune("aeiou", rune(noun[0])) {
		return "an"
	}
	return "a"
}

// Decode walks and validates the whole datum and fills row, whose length must
// be the number of paths. A *RecordError says what is wrong with the bytes; the
// row's content is then undefined. Strings and bytes in row alias payload.
//
// It allocates nothing unless it fails, and its time is linear in the length of
// payload (times MaxDepth at worst), whatever the bytes are.
//
// Of an unnested array the elements are validated; their fields in row are null.
func (p *Projection) Decode(payload []byte, row []Value) error {
	if p.unnest == "" {
		return p.decode(payload, row, nil)
	}
	return p.decode(payload, row, &elements{})
}

// decode is Decode with the elements of an unnested array.
func (p *Projection) decode(payload []byte, row []Value, e *elements) error {
	if e != nil {
		e.reset(p.unnest != "", p.slots)
	}
	if len(row) != p.width {
		return fmt.Errorf("decode: row of %d values for %d fields", len(row), p.width)
	}
	if len(payload) > MaxPayloadBytes {
		return &RecordError{Reason: ReasonTooLarge, Err: fmt.Errorf("datum of %d bytes, at most %d are allowed", len(payload), MaxPayloadBytes)}
	}
	for _, slot := range p.preset {
		row[slot] = Value{}
	}
	for _, slot := range p.slots {
		row[slot] = Value{}
	}
	w := walk{p: p, buf: payload, row: row, elements: e}
	pos := w.run(0, 0)
	if pos < 0 {
		return w.fault.recordError(p, len(payload))
	}
	if pos != len(payload) {
		return &RecordError{Reason: ReasonTrailingBytes, Err: fmt.Errorf("the datum ends at byte %d of %d: was it written with another schema?", pos, len(payload))}
	}
	return nil
}
