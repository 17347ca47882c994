package schema

import (
	"fmt"
	"slices"
	"strings"
)

// Unnested is the schema with the elements of one array in the array's place: of an array of records at path, the
// element's field f is named path.f; of an array of scalars the element itself is named path. The array, its elements,
// and the records on the way to it may be nullable.
func (s *Schema) Unnested(path string) (*Schema, error) {
	n := s.root
	rest := path
	for more := true; more; {
		var name string
		name, rest, more = strings.Cut(rest, ".")
		f := n.field(name)
		if f == nil {
			return nil, fmt.Errorf("unnest: %w", unknownField(n, path, strings.Join(appendPart(nil, name, rest), ".")))
		}
		n = f.node.plain()
		if more && n.avro != "record" {
			return nil, fmt.Errorf("unnest %q: %q is %s, only a record or a nullable record has fields", path, name, f.node.typ())
		}
	}
	if n.avro != "array" {
		return nil, fmt.Errorf("unnest %q: it is %s: name an array (or a nullable array) of the record", path, n.typ())
	}
	out := *s
	out.unnest = path
	out.fields = slices.Clone(s.fields)
	return &out, nil
}

func appendPart(parts []string, name, rest string) []string {
	parts = append(parts, name)
	if rest != "" {
		parts = append(parts, rest)
	}
	return parts
}

// plain is T of a union of null and T, else n itself.
func (n *node) plain() *node {
	if inner, _, ok := n.optional(); ok {
		return inner
	}
	return n
}

// ofElement reports whether path names the unnested element or a field of it, and what of it: "" is the element itself.
func (s *Schema) ofElement(path string) (inner string, ok bool) {
	if s.unnest == "" || !strings.HasPrefix(path, s.unnest) {
		return "", false
	}
	inner = path[len(s.unnest):]
	if inner == "" {
		return "", true
	}
	return inner[1:], inner[0] == '.'
}

// elements are what one event unnests into.
type elements struct {
	values []Value // width values for each element
	width  int
	count  int
	slots  []int32 // where in the Row each of the width values belongs; the compiler's, not to be changed
	nested bool    // whether there is an array at all: without one the event is its only element
}

// elementValuesKept is how many values an Event keeps room for between events.
const elementValuesKept = 16 << 10

// reset empties e for an event of a reader that unnests into slots.
func (e *elements) reset(nested bool, slots []int32) {
	if cap(e.values) > elementValuesKept {
		e.values = nil
	}
	e.values, e.width, e.count, e.slots, e.nested = e.values[:0], len(slots), 0, slots, nested
}

// add gives the row of one more element, all null. Beyond MaxElements it is that of the last one: the event is bad then.
func (e *elements) add() []Value {
	if e.count++; e.count <= MaxElements {
		for range e.width {
			e.values = append(e.values, Value{})
		}
	}
	return e.values[len(e.values)-e.width:]
}

// overflow is the error of too many elements. The record itself is sound.
func (e *elements) overflow(path string) error {
	if e.count <= MaxElements {
		return nil
	}
	return &RecordError{Reason: ReasonTooManyElements, Placed: true,
		Err: fmt.Errorf("array %q has %d elements, at most %d are unnested", path, e.count, MaxElements)}
}

// Load puts element i's fields into the Row, 0 <= i < Elements; out of that range they become null. Without Unnest the
// Row is complete already.
func (ev *Event) Load(i int) {
	e := &ev.elements
	at := i * e.width
	for j, slot := range e.slots {
		if i < 0 || at+j >= len(e.values) {
			ev.Row[slot] = Value{}
			continue
		}
		ev.Row[slot] = e.values[at+j]
	}
}
