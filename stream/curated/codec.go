package curated

import (
	"encoding/binary"
	"fmt"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/window"
)

// Version is the format's version. It stands in both schemas, as the attribute tidemark_format.
const Version = 1

// GroupField is one field of an output's group key, under its name in the curated record.
type GroupField struct {
	Name string
	Type schema.Type
}

// Codec reads and writes the rows of one output. It is immutable and safe for concurrent use.
type Codec struct {
	pipeline string
	group    []GroupField
	aggs     []aggregate

	keySchema, valueSchema string
}

// aggregate is what the codec keeps of a window.Agg: its name and the type of its result.
type aggregate struct {
	name string
	typ  schema.Type
	// raw is the type of a composite result, and wrapped a record of one field of it; else nil.
	raw     *rawType
	wrapped *schema.Schema
}

// NewCodec makes the codec of an output with the group fields in the order of group_by and the aggregates in that of
// the output's definition. It refuses what would make no valid Avro schema: illegal or repeated names, and group
// fields of a type that has no canonical bytes (float and double: -0 and 0 are equal, NaN is not).
func NewCodec(pipeline, output string, group []GroupField, aggs []window.Agg) (*Codec, error) {
	c := &Codec{pipeline: pipeline, group: group, aggs: make([]aggregate, len(aggs))}
	seen := make(map[string]bool)
	check := func(name string) error {
		if err := checkFieldName(name); err != nil {
			return fmt.Errorf("curated record of output %s: %w", output, err)
		}
		if seen[name] {
			return fmt.Errorf("curated record of output %s: two fields are named %q", output, name)
		}
		seen[name] = true
		return nil
	}
	for _, g := range group {
		if err := check(g.Name); err != nil {
			return nil, err
		}
		if !Groupable(g.Type) {
			return nil, fmt.Errorf("curated record of output %s: field %q of type %s can't be part of a group key", output, g.Name, g.Type)
		}
	}
	for i, a := range aggs {
		if err := check(a.Name); err != nil {
			return nil, err
		}
		c.aggs[i] = aggregate{name: a.Name, typ: a.Result()}
		if c.aggs[i].typ.Raw != "" {
			if err := c.aggs[i].parseRaw(); err != nil {
				return nil, fmt.Errorf("curated record of output %s: aggregate %q: %w", output, a.Name, err)
			}
		}
		if _, err := avroType(c.aggs[i].typ); err != nil {
			return nil, fmt.Errorf("curated record of output %s: aggregate %q: %w", output, a.Name, err)
		}
	}
	if err := c.buildSchemas(output); err != nil {
		return nil, fmt.Errorf("curated record of output %s: %w", output, err)
	}
	if _, err := schema.Parse([]byte(c.valueSchema)); err != nil {
		return nil, fmt.Errorf("curated record of output %s: %w", output, err)
	}
	return c, nil
}

// Groupable reports whether values of the type have one canonical encoding, so that events can be grouped by them.
func Groupable(t schema.Type) bool {
	if t.Raw != "" {
		return false
	}
	switch t.Kind {
	case schema.KindBool, schema.KindInt, schema.KindString, schema.KindBytes:
		return true
	}
	return false
}

// KeySchema is the Avro schema of the Kafka key, as JSON.
func (c *Codec) KeySchema() string { return c.keySchema }

// ValueSchema is the Avro schema of the value, as JSON.
func (c *Codec) ValueSchema() string { return c.valueSchema }

// Group lists the fields of the group key. The caller must not modify it.
func (c *Codec) Group() []GroupField { return c.group }

// AppendGroupKey appends the canonical bytes of a group, given the values of its fields in the order of group_by. It
// allocates only to grow dst. A value whose kind is not its field's is taken for a null, which a field that isn't
// nullable writes as its zero: the types were checked when the pipeline was compiled.
func (c *Codec) AppendGroupKey(dst []byte, values []schema.Value) []byte {
	for i := range c.group {
		dst = appendValue(dst, &c.group[i].Type, at(values, i))
	}
	return dst
}

// AppendKey appends the Kafka key: the row's group key, then the window's start and end.
func (c *Codec) AppendKey(dst []byte, r *Row) []byte {
	dst = append(dst, r.Key...)
	dst = binary.AppendVarint(dst, r.Start)
	return binary.AppendVarint(dst, r.End)
}

// AppendValue appends the Avro bytes of the row. It reads Key and not Group, and writes the aggregates of a retracted
// row as 0 or null. Run and Pipeline must be valid UTF-8.
func (c *Codec) AppendValue(dst []byte, r *Row) []byte {
	dst = c.appendResult(dst, r)
	dst = binary.AppendVarint(dst, r.Revision)
	dst = binary.AppendVarint(dst, int64(r.Status))
	dst = binary.AppendVarint(dst, int64(r.Cause))
	dst = binary.AppendVarint(dst, r.Events)
	dst = binary.AppendVarint(dst, r.Late)
	dst = binary.AppendVarint(dst, r.Duplicates)
	dst = binary.AppendVarint(dst, int64(len(r.Pipeline)))
	dst = append(dst, r.Pipeline...)
	dst = binary.AppendVarint(dst, r.PublishedAt)
	if r.Run == "" {
		return append(dst, 0)
	}
	dst = append(dst, 2) // union branch 1, zig-zag
	dst = binary.AppendVarint(dst, int64(len(r.Run)))
	return append(dst, r.Run...)
}

// appendResult appends what the row hash covers: key and aggregates, the beginning of the value.
func (c *Codec) appendResult(dst []byte, r *Row) []byte {
	dst = c.AppendKey(dst, r)
	values := r.Values
	if r.Status == Retracted {
		values = nil
	}
	for i := range c.aggs {
		dst = appendValue(dst, &c.aggs[i].typ, at(values, i))
	}
	return dst
}

func at(values []schema.Value, i int) schema.Value {
	if i < len(values) {
		return values[i]
	}
	return schema.NullValue()
}

// appendValue appends one value in Avro's binary encoding (Avro 1.12, "Binary Encoding"); a nullable type is the union
// [null, type].
func appendValue(dst []byte, t *schema.Type, v schema.Value) []byte {
	null := v.Kind != t.Kind
	if t.Nullable {
		if null {
			return append(dst, 0)
		}
		dst = append(dst, 2)
	}
	if null {
		v = schema.Value{Kind: t.Kind}
	}
	switch t.Kind {
	case schema.KindBool:
		return append(dst, byte(v.Num&1))
	case schema.KindInt:
		return binary.AppendVarint(dst, v.Int())
	case schema.KindFloat:
		return binary.LittleEndian.AppendUint64(dst, v.Num)
	}
	if t.Raw == "" { // a composite value is finished Avro
		dst = binary.AppendVarint(dst, int64(len(v.Bytes)))
	}
	return append(dst, v.Bytes...)
}
