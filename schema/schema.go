package schema

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/linkedin/goavro/v2"
	"github.com/twmb/avro"
)

// Schema is an Avro record schema: the writer's schema of a topic's events. It
// is immutable and safe for concurrent use.
type Schema struct {
	json   []byte
	root   *node
	fields []Field
	unnest string                        // path of the array whose elements stand in its place; see Unnested
	edge   func() (*goavro.Codec, error) // for JSON at the edges; built on first use
	check  func() (*Projection, error)   // of no field; built on first use
}

// Parse reads an Avro schema (Avro 1.12 specification, JSON form). The top
// level must be a record. The whole schema is validated, names and defaults
// included.
func Parse(avsc []byte) (*Schema, error) {
	if len(avsc) > MaxSchemaBytes {
		return nil, fmt.Errorf("parse Avro schema: %d bytes, at most %d are allowed", len(avsc), MaxSchemaBytes)
	}
	parsed, err := avro.Parse(string(avsc))
	if err != nil {
		return nil, fmt.Errorf("parse Avro schema: %w", err)
	}
	b := builder{named: map[string]*node{}}
	root, err := b.build(parsed.Root(), "")
	if err != nil {
		return nil, fmt.Errorf("parse Avro schema: %w", err)
	}
	if root.avro != "record" {
		return nil, fmt.Errorf("parse Avro schema: the top level is %s, an event must be a record", root.avro)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, avsc); err != nil {
		return nil, fmt.Errorf("parse Avro schema: %w", err)
	}
	s := &Schema{json: compact.Bytes(), root: root}
	for _, f := range root.fields {
		s.fields = append(s.fields, Field{Name: f.name, Type: f.node.typ()})
	}
	s.edge = sync.OnceValues(func() (*goavro.Codec, error) { return edgeCodec(root) })
	s.check = sync.OnceValues(func() (*Projection, error) { return s.Project(nil) })
	return s, nil
}

// JSON is the schema as it was given, without insignificant white space. The
// caller must not modify it.
func (s *Schema) JSON() []byte { return s.json }

// Name is the full name of the record: with its namespace, if it has one.
func (s *Schema) Name() string { return s.root.name }

// Fields are the record's own fields, in the schema's order.
func (s *Schema) Fields() []Field { return slices.Clone(s.fields) }

// Lookup finds the type of a field; "a.b" goes into the record (or nullable
// record) a, and is nullable if a is. Of an unnested array (see Unnested) it
// finds the element. An absent field is an *UnknownFieldError.
func (s *Schema) Lookup(path string) (Type, error) {
	record, nullable, rest := s.root, false, path
	for {
		name, tail, more := strings.Cut(rest, ".")
		f := record.field(name)
		if f == nil {
			return Type{}, unknownField(record, path, rest)
		}
		inner := f.node
		if strings.TrimSuffix(strings.TrimSuffix(path, tail), ".") == s.unnest {
			inner, nullable = inner.plain().items, false // there is no element where the array is null
		}
		if !more {
			t := inner.typ()
			t.Nullable = t.Nullable || nullable && t.Avro != "null"
			return t, nil
		}
		if opt, _, ok := inner.optional(); ok {
			inner, nullable = opt, true
		}
		if inner.avro != "record" {
			at := strings.TrimSuffix(path, "."+tail)
			return Type{}, fmt.Errorf("field %q: %q is %s, only a record or a nullable record has fields", path, at, inner.typ())
		}
		record, rest = inner, tail
	}
}

func (n *node) field(name string) *fieldNode {
	for i := range n.fields {
		if n.fields[i].name == name {
			return &n.fields[i]
		}
	}
	return nil
}

// unknownField says that record, reached by the part of path before rest, has
// no such field, and what was probably meant.
func unknownField(record *node, path, rest string) *UnknownFieldError {
	name, _, _ := strings.Cut(rest, ".")
	names := make([]string, len(record.fields))
	for i, f := range record.fields {
		names[i] = f.name
	}
	e := &UnknownFieldError{Path: path, Record: record.name, Fields: names}
	if s := Suggest(name, names); s != "" {
		e.Suggestion = strings.TrimSuffix(path, rest) + s + strings.TrimPrefix(rest, name)
	}
	return e
}
