package schema

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// jsonShape is the shape of JSON events: given as an Avro record schema, or as a JSON Schema.
func jsonShape(text []byte) (*Schema, error) {
	if len(text) > MaxSchemaBytes {
		return nil, fmt.Errorf("parse JSON Schema: %d bytes, at most %d are allowed", len(text), MaxSchemaBytes)
	}
	v, err := parseJSON(text)
	if err != nil {
		return nil, fmt.Errorf("parse JSON Schema: %w", err)
	}
	top, ok := v.(map[string]any)
	if !ok {
		return nil, errors.New("parse JSON Schema: it is no JSON object")
	}
	if top["type"] == "record" || top["type"] == "error" {
		return Parse(text)
	}
	b := shapeBuilder{root: top, names: map[string]bool{}, refs: map[string]string{"#": ""}}
	shape, nullable, err := b.typ(top, "#", "event")
	if err == nil && nullable {
		err = errors.New("an event must be an object, not null")
	}
	if err == nil && !isRecord(shape) {
		err = errors.New("the top level must be an object with properties")
	}
	if err != nil {
		return nil, fmt.Errorf("JSON Schema: %w", err)
	}
	avsc, err := json.Marshal(shape)
	if err != nil {
		return nil, fmt.Errorf("JSON Schema: %w", err)
	}
	out, err := Parse(avsc)
	if err != nil {
		return nil, fmt.Errorf("JSON Schema, as a record: %w", err)
	}
	return out, nil
}

// avroRecord and its field are marshalled with their members in a fixed order.
type avroRecord struct {
	Type   string      `json:"type"`
	Name   string      `json:"name"`
	Fields []avroField `json:"fields"`
}

type avroField struct {
	Name string `json:"name"`
	Type any    `json:"type"`
}

func isRecord(shape any) bool {
	_, ok := shape.(*avroRecord)
	return ok
}

// anything is the shape of a value that the schema says nothing about. It cannot be read.
var anything = []any{"null", "boolean", "double", "string"}

// shapeBuilder turns a JSON Schema into the Avro schema of the same shape.
type shapeBuilder struct {
	root  map[string]any
	names map[string]bool   // of types so far
	refs  map[string]string // by JSON pointer: the record that stands there, or "" while it is not known
	depth int
}

// unsupported are keywords that change a value's shape in a way that one Avro type cannot say. Keywords that only
// narrow the values (minimum, pattern, ...) are not looked at.
var unsupported = []string{"$dynamicRef", "$recursiveRef"}

// typ gives the shape of a schema at a JSON pointer, and whether null is among its values. name is for what it may
// have to name.
func (b *shapeBuilder) typ(v any, pointer, name string) (shape any, nullable bool, err error) {
	if b.depth++; b.depth > MaxDepth {
		return nil, false, fmt.Errorf("%s: nested deeper than %d levels", pointer, MaxDepth)
	}
	defer func() { b.depth-- }()
	s, ok := v.(map[string]any)
	if !ok {
		if v == true {
			return anything, true, nil
		}
		return nil, false, fmt.Errorf("%s: a schema is an object, not %s", pointer, describe(v))
	}
	for _, keyword := range unsupported {
		if _, ok := s[keyword]; ok {
			return nil, false, fmt.Errorf("%s: %s is not supported: write the schema out", pointer, keyword)
		}
	}
	if ref, ok := s["$ref"].(string); ok {
		shape, nullable, err = b.reference(ref, pointer)
	} else if all, ok := s["allOf"].([]any); ok && len(all) == 1 && s["properties"] == nil {
		shape, nullable, err = b.typ(all[0], pointer+"/allOf/0", name)
	} else if ok {
		return nil, false, fmt.Errorf("%s: allOf of several schemas is not supported: write out their properties as one object", pointer)
	} else {
		shape, nullable, err = b.alternatives(s, pointer, name)
	}
	return shape, nullable || s["nullable"] == true, err
}

// alternatives looks at anyOf and oneOf: one shape and null, or anything.
func (b *shapeBuilder) alternatives(s map[string]any, pointer, name string) (shape any, nullable bool, err error) {
	for _, keyword := range []string{"anyOf", "oneOf"} {
		list, ok := s[keyword].([]any)
		if !ok || s["type"] != nil || s["properties"] != nil {
			continue
		}
		for i, item := range list {
			one, null, err := b.typ(item, fmt.Sprintf("%s/%s/%d", pointer, keyword, i), name)
			if err != nil {
				return nil, false, err
			}
			nullable = nullable || null
			switch {
			case one == "null":
				nullable = true
			case shape == nil:
				shape = one
			default:
				shape = anything
			}
		}
		if shape == nil {
			shape = "null"
		}
		return shape, nullable, nil
	}
	return b.plain(s, pointer, name)
}

// plain reads a schema by its type.
func (b *shapeBuilder) plain(s map[string]any, pointer, name string) (shape any, nullable bool, err error) {
	types, err := typesOf(s, pointer)
	if err != nil {
		return nil, false, err
	}
	if i := slices.Index(types, "null"); i >= 0 && len(types) > 1 {
		types, nullable = slices.Delete(slices.Clone(types), i, i+1), true
	}
	if slices.Equal(types, []string{"integer", "number"}) || slices.Equal(types, []string{"number", "integer"}) {
		types = []string{"number"}
	}
	if s["format"] == "decimal" {
		shape, err := decimalShape(s, pointer)
		return shape, nullable, err
	}
	if len(types) != 1 {
		return anything, true, nil
	}
	switch types[0] {
	case "object":
		shape, err = b.object(s, pointer, name)
	case "array":
		shape, err = b.array(s, pointer, name)
	case "string":
		shape, nullable = b.text(s, name, nullable)
	case "integer":
		shape = integerShape(s)
	case "number":
		shape = "double"
	case "boolean", "null":
		shape = types[0]
	default:
		err = fmt.Errorf("%s: type %q is none of JSON Schema's", pointer, types[0])
	}
	return shape, nullable, err
}

func (b *shapeBuilder) array(s map[string]any, pointer, name string) (any, error) {
	items, ok := s["items"]
	if !ok {
		return map[string]any{"type": "array", "items": anything}, nil
	}
	inner, nullable, err := b.typ(items, pointer+"/items", name+"_item")
	return map[string]any{"type": "array", "items": orNull(inner, nullable)}, err
}

// object is the shape of an object: a record of its properties; without them a map.
func (b *shapeBuilder) object(s map[string]any, pointer, name string) (any, error) {
	properties, ok := s["properties"].(map[string]any)
	if !ok {
		values, given := s["additionalProperties"].(map[string]any)
		if !given {
			return map[string]any{"type": "map", "values": anything}, nil
		}
		inner, nullable, err := b.typ(values, pointer+"/additionalProperties", name+"_value")
		return map[string]any{"type": "map", "values": orNull(inner, nullable)}, err
	}
	required := map[string]bool{}
	if list, ok := s["required"].([]any); ok {
		for _, v := range list {
			if key, ok := v.(string); ok {
				required[key] = true
			}
		}
	}
	record := &avroRecord{Type: "record", Name: b.unique(name), Fields: []avroField{}}
	if _, referred := b.refs[pointer]; referred {
		b.refs[pointer] = record.Name
	}
	for _, key := range sortedKeys(properties) {
		if !avroName(key) {
			continue // no expression can name it
		}
		inner, nullable, err := b.typ(properties[key], pointer+"/properties/"+key, record.Name+"_"+key)
		if err != nil {
			return nil, err
		}
		record.Fields = append(record.Fields, avroField{Name: key, Type: orNull(inner, nullable || !required[key])})
	}
	return record, nil
}

// orNull is a shape that may be null.
func orNull(shape any, nullable bool) any {
	if _, union := shape.([]any); union || !nullable || shape == "null" {
		return shape
	}
	return []any{"null", shape}
}

// reference resolves a JSON pointer within the document.
func (b *shapeBuilder) reference(ref, pointer string) (shape any, nullable bool, err error) {
	path, local := strings.CutPrefix(ref, "#")
	if !local || path != "" && path[0] != '/' {
		return nil, false, fmt.Errorf("%s: $ref %q: only references within the document are supported, as #/$defs/name", pointer, clip(ref))
	}
	if name, open := b.refs[ref]; open {
		if name == "" {
			return nil, false, fmt.Errorf("%s: $ref %q refers to itself, and not through the properties of an object", pointer, clip(ref))
		}
		return name, false, nil
	}
	var at any = b.root
	name := "event"
	if path != "" {
		for token := range strings.SplitSeq(path[1:], "/") {
			token = strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~")
			inner, ok := at.(map[string]any)
			if at = inner[token]; !ok || at == nil {
				return nil, false, fmt.Errorf("%s: $ref %q: there is no such definition", pointer, clip(ref))
			}
			name = token
		}
	}
	b.refs[ref] = ""
	shape, nullable, err = b.typ(at, ref, name)
	if !isRecord(shape) {
		delete(b.refs, ref) // to be written out wherever it is used
	}
	return shape, nullable, err
}

// unique makes an Avro name that no other type has.
func (b *shapeBuilder) unique(name string) string {
	clean := bytes.Map(func(r rune) rune {
		if r < 0x80 && avroName("a"+string(r)) {
			return r
		}
		return '_'
	}, []byte(name))
	const most = 64
	if len(clean) > most {
		clean = clean[:most]
	}
	if !avroName(string(clean)) {
		clean = append([]byte("t_"), clean...)
	}
	out := string(clean)
	for i := 2; b.names[out]; i++ {
		out = fmt.Sprintf("%s_%d", clean, i)
	}
	b.names[out] = true
	return out
}
