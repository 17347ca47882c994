package schema

import (
	"bytes"
	"fmt"
	"slices"
)

// jsonWalk reads one event's JSON text. The text is checked whole; of values that a schema describes, type and range are
// checked whether they are read or not. It lives on the stack.
//
// What is wrong with the text (jsonScanner.err) ends it. What is wrong with a value does not: the event time may come
// later, and an event that has one has a place in the lake, whatever its other fields are.
type jsonWalk struct {
	jsonScanner
	row      []Value
	elements *elements
	keys     [][]byte     // of open objects, those that the schema doesn't know
	seen     []uint64     // of open objects, which fields were there
	depth    int          // of open objects and arrays
	double   *RecordError // the first key given twice; it counts only where nothing is wrong with the text
	bad      *RecordError // the first wrong value
	badTime  *RecordError // what is wrong with the event time
}

// wrong notes a wrong value of j, if it is the first.
func (w *jsonWalk) wrong(j *jsonNode, reason, format string, args ...any) {
	if w.bad != nil && !j.time {
		return
	}
	if j.time && w.badTime == nil {
		w.badTime = &RecordError{Reason: reason, Err: fmt.Errorf("event time %q: %s", j.path, fmt.Sprintf(format, args...))}
	}
	if w.bad == nil {
		w.bad = &RecordError{Reason: reason, Err: fmt.Errorf("field %q, before byte %d: %s", j.path, w.pos, fmt.Sprintf(format, args...))}
	}
}

// set puts a value where j's belongs.
func (w *jsonWalk) set(j *jsonNode, v Value) {
	if j.slot >= 0 {
		w.row[j.slot] = v
	}
}

// document takes the whole text: one object.
func (w *jsonWalk) document(root *jsonNode) bool {
	if w.next() != '{' {
		if w.pos < len(w.buf) {
			return w.fail(ReasonBadJSON, "an event is a JSON object, not %s", jsonSort(w.buf[w.pos]))
		}
		return w.fail(ReasonBadJSON, "there is no JSON object")
	}
	if !w.object(root) {
		return false
	}
	if w.next(); w.pos < len(w.buf) {
		return w.fail(ReasonTrailingBytes, "more text after the JSON object")
	}
	return true
}

// value takes any value; j is what is expected, or nil.
func (w *jsonWalk) value(j *jsonNode) bool {
	switch c := w.next(); c {
	case '{':
		return w.object(j)
	case '[':
		return w.array(j)
	case '"':
		text, ok := w.str()
		if ok && j != nil {
			w.leafText(j, text)
		}
		return ok
	case 't', 'f':
		word := "true"
		if c == 'f' {
			word = "false"
		}
		if !w.literal(word) {
			return false
		}
		if j != nil {
			w.leafBool(j, c == 't')
		}
		return true
	case 'n':
		if !w.literal("null") {
			return false
		}
		if j != nil && !j.nullable && !j.time {
			w.wrong(j, ReasonBadType, "null, expected %s", j.n.typ())
		}
		return true
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		text, whole, ok := w.number()
		if ok && j != nil {
			w.leafNumber(j, text, whole)
		}
		return ok
	}
	return w.failHere("a JSON value")
}

func (w *jsonWalk) open() bool {
	if w.depth++; w.depth > MaxJSONDepth {
		return w.fail(ReasonTooDeep, "nested deeper than %d levels", MaxJSONDepth)
	}
	w.pos++
	return true
}

// array takes an array.
func (w *jsonWalk) array(j *jsonNode) bool {
	if !w.open() {
		return false
	}
	var items *jsonNode
	if j != nil && j.n.avro == "array" {
		items = j.items
	} else {
		w.mismatch(j, "an array")
	}
	row := w.row
	for more := w.next() != ']'; more; {
		if items != nil && j.element {
			w.row = w.elements.add()
		}
		if !w.value(items) {
			return false
		}
		switch w.next() {
		case ',':
			w.pos++
		case ']':
			more = false
		default:
			return w.failHere("',' or ']'")
		}
	}
	w.row = row
	w.pos++
	w.depth--
	return true
}

// object takes an object: a record, a map, or one of no interest.
func (w *jsonWalk) object(j *jsonNode) bool {
	if !w.open() {
		return false
	}
	if j != nil && j.n.avro != "record" && j.n.avro != "map" {
		w.mismatch(j, "an object")
		j = nil
	}
	keys, seen, guess, missing := len(w.keys), len(w.seen), 0, 0
	if j != nil {
		missing = j.required
		for range (len(j.fields) + 63) / 64 {
			w.seen = append(w.seen, 0)
		}
	}
	for more := w.next() != '}'; more; {
		inner, ok := w.member(j, seen, &guess)
		if !ok || !w.value(inner) {
			return false
		}
		if inner != nil && j.items == nil && !inner.nullable && !inner.time {
			missing--
		}
		switch w.next() {
		case ',':
			w.pos++
		case '}':
			more = false
		default:
			return w.failHere("',' or '}'")
		}
	}
	w.distinct(w.keys[keys:])
	if missing > 0 {
		w.missing(j, seen)
	}
	w.keys, w.seen = w.keys[:keys], w.seen[:seen]
	w.pos++
	w.depth--
	return true
}

// member takes the key of a member and gives what is expected as its value, or nil. seen is where the object's bits
// begin, guess the field that is likely next.
func (w *jsonWalk) member(j *jsonNode, seen int, guess *int) (*jsonNode, bool) {
	if w.next() != '"' {
		return nil, w.failHere("the key of a member")
	}
	key, ok := w.str()
	if !ok {
		return nil, false
	}
	if w.next() != ':' {
		return nil, w.failHere("':'")
	}
	w.pos++
	if j == nil || j.n.avro == "map" {
		w.keys = append(w.keys, key)
		if j == nil {
			return nil, true
		}
		return j.items, true
	}
	i := j.field(key, *guess)
	if i < 0 {
		w.keys = append(w.keys, key)
		return nil, true
	}
	*guess = i + 1
	word, bit := &w.seen[seen+i/64], uint64(1)<<(i%64)
	if *word&bit != 0 {
		w.twice(key)
	}
	*word |= bit
	return j.fields[i].node, true
}

// twice notes a key given twice. It does not end the walk: whether a key is known, and so when it is noticed, must not
// decide the reason.
func (w *jsonWalk) twice(key []byte) {
	if w.double == nil {
		w.double = &RecordError{Reason: ReasonDuplicateKey,
			Err: fmt.Errorf("before byte %d: key %q is given twice in one object", w.pos, clip(string(key)))}
	}
}

// distinct looks for a key given twice. It reorders keys.
func (w *jsonWalk) distinct(keys [][]byte) {
	const few = 8
	if len(keys) > few {
		slices.SortFunc(keys, bytes.Compare)
		for i := 1; i < len(keys); i++ {
			if bytes.Equal(keys[i-1], keys[i]) {
				w.twice(keys[i])
			}
		}
		return
	}
	for i := range keys {
		for k := range i {
			if bytes.Equal(keys[i], keys[k]) {
				w.twice(keys[i])
			}
		}
	}
}

// missing names the first field that is missing and may not be.
func (w *jsonWalk) missing(j *jsonNode, seen int) {
	for i := range j.fields {
		f := j.fields[i].node
		if w.seen[seen+i/64]&(1<<(i%64)) == 0 && !f.nullable && !f.time {
			w.wrong(f, ReasonMissingField, "it is missing, expected %s", f.n.typ())
			return
		}
	}
}
