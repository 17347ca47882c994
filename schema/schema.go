package schema

// Schema is an Avro record schema: the writer's schema of a topic's events. It
// is immutable and safe for concurrent use.
type Schema struct {
	json []byte
}

// Parse reads an Avro schema (Avro 1.12 specification, JSON form). The top
// level must be a record.
func Parse(avsc []byte) (*Schema, error) { panic("not yet") }

// JSON is the schema as it was given, without insignificant white space. The
// caller must not modify it.
func (s *Schema) JSON() []byte { return s.json }

// Name is the full name of the record: with its namespace, if it has one.
func (s *Schema) Name() string { panic("not yet") }

// Fields are the record's own fields, in the schema's order.
func (s *Schema) Fields() []Field { panic("not yet") }

// Lookup finds the type of a field; "a.b" goes into the record (or nullable
// record) a, and is nullable if a is. An absent field is an *UnknownFieldError.
func (s *Schema) Lookup(path string) (Type, error) { panic("not yet") }

// Suggest gives the candidate that name was probably meant to be, or "" if none
// is close. Of equally close ones the first wins.
func Suggest(name string, candidates []string) string { return "" }

// AppendJSON encodes one JSON object as an Avro datum and appends it to dst.
func (s *Schema) AppendJSON(dst []byte, jsonLine []byte) ([]byte, error) { panic("not yet") }

// ToJSON decodes an Avro datum into one plain JSON object.
func (s *Schema) ToJSON(payload []byte) ([]byte, error) { panic("not yet") }

// Projection reads named fields straight from the bytes of a datum. It is
// immutable and safe for concurrent use.
type Projection struct{}

// Project compiles a projection of the fields, in the order of paths.
func (s *Schema) Project(paths []string) (*Projection, error) { panic("not yet") }

// Decode walks and validates the whole datum and fills row, whose length must
// be the number of paths. A *RecordError says what is wrong with the bytes.
func (p *Projection) Decode(payload []byte, row []Value) error { panic("not yet") }
