package schema

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// AppendJSON encodes one JSON object as an Avro datum and appends it to dst,
// which comes back unchanged with an error.
//
// A field that the schema doesn't have is an error; one that is missing takes
// the schema's default, and without one is an error. A union takes plain JSON
// ("x", tried against the branches in their order) as well as Avro's own form
// ({"string": "x"}). Timestamps take RFC 3339 text, dates "2013-01-05", decimals
// "12.50"; all of them take the plain number too. Bytes and fixed are text with
// a character U+0000 to U+00FF for each byte, as Avro has it. Doubles take
// "NaN", "Infinity" and "-Infinity". Integers are exact to 64 bits.
func (s *Schema) AppendJSON(dst []byte, jsonLine []byte) ([]byte, error) {
	codec, err := s.edge()
	if err != nil {
		return dst, err
	}
	if len(jsonLine) > MaxPayloadBytes {
		return dst, fmt.Errorf("JSON text of %d bytes, at most %d are allowed", len(jsonLine), MaxPayloadBytes)
	}
	v, err := parseJSON(jsonLine)
	if err != nil {
		return dst, fmt.Errorf("read JSON: %w", err)
	}
	e := jsonEncoder{steps: 1000 + 64*len(jsonLine)}
	native, err := e.value(s.root, v, "", 0)
	if err != nil {
		return dst, fmt.Errorf("encode %s: %w", s.root.name, err)
	}
	out, err := codec.BinaryFromNative(dst, native)
	if err != nil {
		return dst, fmt.Errorf("encode %s: %w", s.root.name, err)
	}
	return out, nil
}

// jsonEncoder turns JSON values into what goavro encodes. It has so many steps:
// trying the branches of unions within unions could take exponentially many.
type jsonEncoder struct {
	steps int
}

// value gives what goavro encodes as n.
func (e *jsonEncoder) value(n *node, v any, path string, depth int) (any, error) {
	if e.steps--; e.steps < 0 {
		return nil, fmt.Errorf("field %q: too many ways to read its unions: write {\"branch\": value}", clip(path))
	}
	if depth > MaxDepth {
		return nil, fmt.Errorf("field %q: nested deeper than %d levels", clip(path), MaxDepth)
	}
	switch n.avro {
	case "record":
		return e.record(n, v, path, depth)
	case "union":
		return e.union(n, v, path, depth)
	case "array":
		list, ok := v.([]any)
		if !ok {
			return nil, expected(path, "an array", v)
		}
		out := make([]any, len(list))
		for i, item := range list {
			var err error
			if out[i], err = e.value(n.items, item, fmt.Sprintf("%s[%d]", path, i), depth+1); err != nil {
				return nil, err
			}
		}
		return out, nil
	case "map":
		object, ok := v.(map[string]any)
		if !ok {
			return nil, expected(path, "an object (Avro map)", v)
		}
		out := make(map[string]any, len(object))
		for _, key := range slices.Sorted(maps.Keys(object)) {
			var err error
			if out[key], err = e.value(n.items, object[key], join(path, key), depth+1); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	return leafFromJSON(n, v, path)
}

func (e *jsonEncoder) record(n *node, v any, path string, depth int) (any, error) {
	object, ok := v.(map[string]any)
	if !ok {
		return nil, expected(path, "an object (record "+n.name+")", v)
	}
	out := make(map[string]any, len(n.fields))
	for i := range n.fields {
		f := &n.fields[i]
		at := join(path, f.name)
		value, given := object[f.name]
		var err error
		switch {
		case given:
			out[f.name], err = e.value(f.node, value, at, depth+1)
		case f.hasDefault:
			out[f.name], err = fromDefault(f.node, f.def, at)
		default:
			err = missing(n, f, object, at)
		}
		if err != nil {
			return nil, err
		}
	}
	for _, key := range slices.Sorted(maps.Keys(object)) {
		if n.field(key) == nil {
			return nil, unknownField(n, join(path, key), key)
		}
	}
	return out, nil
}

// missing says that a field is missing, and which one given was perhaps meant.
func missing(n *node, f *fieldNode, object map[string]any, path string) error {
	var strangers []string
	for _, key := range slices.Sorted(maps.Keys(object)) {
		if n.field(key) == nil {
			strangers = append(strangers, key)
		}
	}
	msg := fmt.Sprintf("field %q is missing: expected %s", clip(path), f.node.typ())
	if s := Suggest(f.name, strangers); s != "" {
		msg += fmt.Sprintf(" (was it meant by %q?)", s)
	}
	return fmt.Errorf("%s", msg)
}

func (e *jsonEncoder) union(n *node, v any, path string, depth int) (any, error) {
	if branch, inner, ok := wrapped(n, v); ok {
		out, err := e.value(branch, inner, path, depth+1)
		return inBranch(branch, out), err
	}
	var first error
	for _, branch := range n.branches {
		if (branch.avro == "null") != (v == nil) || branch.avro == "float" && n.prefersDouble(v) {
			continue
		}
		out, err := e.value(branch, v, path, depth+1)
		if err == nil {
			return inBranch(branch, out), nil
		}
		if first == nil {
			first = err
		}
	}
	if _, _, ok := n.optional(); ok && first != nil {
		return nil, first // one way only: its error says most
	}
	return nil, expected(path, "one of "+branchNames(n), v)
}

// prefersDouble reports whether a number has more digits than a float keeps,
// and the union has a double for them.
func (n *node) prefersDouble(v any) bool {
	number, ok := v.(json.Number)
	if !ok || !slices.ContainsFunc(n.branches, func(b *node) bool { return b.avro == "double" }) {
		return false
	}
	f, err := strconv.ParseFloat(number.String(), 64)
	if err != nil {
		return false
	}
	short, err := strconv.ParseFloat(strconv.FormatFloat(f, 'g', -1, 32), 64)
	return err != nil || short != f
}

// wrapped recognises Avro's own form of a union's value: an object with one
// key, the name of a branch. A record or map that could be meant plainly wins
// only if no branch has that name.
func wrapped(n *node, v any) (*node, any, bool) {
	object, ok := v.(map[string]any)
	if !ok || len(object) != 1 {
		return nil, nil, false
	}
	for key, inner := range object {
		for _, branch := range n.branches {
			if branch.name == key || branch.name == "" && branch.avro == key {
				return branch, inner, true
			}
		}
	}
	return nil, nil, false
}

func inBranch(branch *node, native any) any {
	if branch.avro == "null" {
		return nil
	}
	return map[string]any{branchKey(branch): native}
}

func branchNames(n *node) string {
	names := make([]string, len(n.branches))
	for i, b := range n.branches {
		names[i] = b.avro
		if b.name != "" {
			names[i] = b.name
		}
	}
	return strings.Join(names, ", ")
}

// expected is the message for a value of the wrong sort.
func expected(path, what string, got any) error {
	where := ""
	if path != "" {
		where = fmt.Sprintf("field %q: ", clip(path))
	}
	return fmt.Errorf("%sexpected %s, got %s", where, what, describe(got))
}

func describe(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		return fmt.Sprintf("the text %q", clip(v))
	case json.Number:
		return "the number " + clip(v.String())
	case bool:
		return fmt.Sprint(v)
	case []any:
		return "an array"
	}
	return "an object"
}

// clip keeps messages readable whatever is in the data.
func clip(s string) string {
	const most = 120
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "..."
}
