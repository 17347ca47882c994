package pipeline

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tidemark-io/tidemark/schema"
)

// Limits of the files that a source names.
const (
	schemaBytesMax     = 1 << 20
	descriptorBytesMax = 16 << 20 // a FileDescriptorSet holds all that the message imports
)

// builtSource is a source with its schema.
type builtSource struct {
	sourceRef
	source schema.Source
	schema *schema.Schema
	// nullable says that the source's fields can be null whatever the schema says: the event in hand may be another
	// source's, or have nothing to be enriched by.
	nullable bool
}

// readSources reads the schemas of all sources and declares their fields to expressions. It is false if any can't be read.
func (b *builder) readSources() bool {
	refs := b.p.allSources()
	ok := true
	for _, ref := range refs {
		if len(refs) == 1 {
			ref.name = "" // check says that it needs none
		}
		s := &builtSource{sourceRef: ref, nullable: b.shape == CoGroup || b.shape == Enrich && ref.name == b.p.Enrich.With}
		ok = b.readSchema(s) && ok
		b.sources = append(b.sources, s)
	}
	if !ok {
		return false
	}
	for _, s := range b.sources {
		for _, f := range s.schema.Paths() {
			name := join(s.name, f.Name)
			b.names = append(b.names, name)
			b.env.Fields[name] = s.seen(f.Type)
		}
	}
	return true
}

// seen is a field's type as expressions see it.
func (s *builtSource) seen(t schema.Type) schema.Type {
	t.Nullable = t.Nullable || s.nullable && t.Avro != "null"
	return t
}

// readSchema reads the files that the source names.
func (b *builder) readSchema(s *builtSource) bool {
	file, key, limit, hint := s.Schema.File, "file", schemaBytesMax, "give the Avro schema of the topic's records, a record in JSON form"
	format := FormatAvroRaw // if it isn't known: that has been said, and what else there is to say goes by the fields
	switch {
	case file != "":
	case s.Schema.JSONSchema != "":
		file, key, hint = s.Schema.JSONSchema, "json_schema", "give a JSON Schema of an object with its properties"
		format = FormatJSON
	case s.Schema.Descriptor != "":
		file, key, limit = s.Schema.Descriptor, "descriptor", descriptorBytesMax
		hint = "make it with protoc --include_imports --descriptor_set_out, and give the message's full name"
		format = FormatProtobuf
	}
	if file == "" {
		return false
	}
	path := join(s.path, "schema."+key)
	text, err := readLimited(b.p.Path(file), int64(limit))
	if err != nil {
		b.fs.add(path, complain("relative paths start from the pipeline file's directory", "read %s: %v", file, err))
		return false
	}
	if s.Format != "" {
		format = s.Format
	}
	s.source = schema.Source{
		Format: format, Schema: text, Message: s.Schema.Message,
		Wire:  schema.Wire{Confluent: s.Format == FormatAvro || s.Format != FormatAvroRaw && len(s.Schema.IDs) > 0, IDs: s.Schema.IDs},
		Event: schema.EventDef{ID: s.EventID, Time: s.EventTime},
	}
	if s.schema, err = s.source.Shape(); err != nil {
		b.fs.add(path, complain(hint, "%s is no schema that can be used: %v", file, err))
		return false
	}
	if s.Unnest == "" {
		return true
	}
	s.source.Unnest = s.Unnest
	if s.schema, err = s.source.Shape(); err != nil {
		b.fs.add(join(s.path, "unnest"), complain("name an array of records or of plain values", "%v", err))
		return false
	}
	return true
}

// sourceFields checks the fields that the source declares.
func (b *builder) sourceFields(s *builtSource) {
	path := join(s.path, "event_time")
	if t, ok := b.field(s, path, s.EventTime); ok && !t.Timestamp() {
		b.fs.add(path, complain("give the field the type long with logicalType timestamp-millis or timestamp-micros", "%s is %s, no timestamp", s.EventTime, a(t)))
	}
	for i, id := range s.EventID {
		path := element(join(s.path, "event_id"), i)
		if t, ok := b.field(s, path, id); ok && !t.Projectable() {
			b.fs.add(path, complain("name plain fields", "%s is %s, which can't be compared", id, a(t)))
		}
	}
	for i, key := range s.Key {
		path := element(join(s.path, "key"), i)
		if t, ok := b.field(s, path, key); ok && (t.Kind != schema.KindString && t.Kind != schema.KindInt) {
			b.fs.add(path, complain("name strings or whole numbers", "%s is %s, of which no record key is made", key, a(t)))
		}
	}
}

// field looks up a field of the source's record, by its own name. Empty names have faults of their own.
func (b *builder) field(s *builtSource, path, name string) (schema.Type, bool) {
	if name == "" {
		return schema.Type{}, false
	}
	if s.Unnest != "" && (name == s.Unnest || strings.HasPrefix(name, s.Unnest+".")) {
		b.fs.add(path, complain("name a field of the record around the array", "%s is a field of the elements of %s, of which a record has several", name, s.Unnest))
		return schema.Type{}, false
	}
	t, err := s.schema.Lookup(name)
	if err == nil {
		return t, true
	}
	names := s.paths()
	hint := didYouMean(name, names)
	msg := "there is no field " + name
	if strings.Contains(name, ".") {
		msg = err.Error()
	}
	if own, qualified := strings.CutPrefix(name, s.name+"."); qualified && s.name != "" && slices.Contains(names, own) {
		hint = "write " + own + ": within a source its own fields have no name before them"
	}
	if slices.ContainsFunc(b.p.Let, func(l Let) bool { return l.Name == name }) {
		hint = "name a field of the schema: what identifies, dates and keys an event can't be a let"
	}
	b.fs.add(path, complain(hint, "%s", msg))
	return schema.Type{}, false
}

// paths are the fields of the source, by their own names.
func (s *builtSource) paths() []string {
	var names []string
	for _, f := range s.schema.Paths() {
		names = append(names, f.Name)
	}
	return names
}

// resolve finds the source of a field and the field's name in it. The source is -1 if the name has none.
func (b *builder) resolve(name string) (int, string) {
	if b.sources[0].name == "" {
		return 0, name
	}
	source, path, _ := strings.Cut(name, ".")
	for i, s := range b.sources {
		if s.name == source {
			return i, path
		}
	}
	return -1, name
}

// lookup finds a field by the name that the file has for it.
func (b *builder) lookup(name string) (schema.Type, error) {
	i, path := b.resolve(name)
	if i < 0 {
		return schema.Type{}, fmt.Errorf("there is no source %s", strings.SplitN(name, ".", 2)[0])
	}
	t, err := b.sources[i].schema.Lookup(path)
	return b.sources[i].seen(t), err
}
