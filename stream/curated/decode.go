package curated

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/tidemark-io/tidemark/schema"
)

// Decode reads a curated record from the whole of its Kafka key and value. Key, and the bytes of Group and Values,
// alias key and value; the slices of r are reused. The error says which field was wrong; r is of no use then.
func (c *Codec) Decode(key, value []byte, r *Row) error {
	r.Group, r.Values = r.Group[:0], r.Values[:0]
	if err := c.decodeKey(key, r); err != nil {
		return fmt.Errorf("decode curated key of %d bytes: %w", len(key), err)
	}
	if err := c.decodeValue(key, value, r); err != nil {
		return fmt.Errorf("decode curated value of %d bytes: %w", len(value), err)
	}
	return nil
}

func (c *Codec) decodeKey(key []byte, r *Row) error {
	d := decoder{rest: key}
	r.Group = c.decodeGroup(&d, r.Group)
	r.Key = key[:len(key)-len(d.rest)]
	r.Start = d.long(fieldStart)
	r.End = d.long(fieldEnd)
	return d.end()
}

func (c *Codec) decodeGroup(d *decoder, group []schema.Value) []schema.Value {
	for i := range c.group {
		group = append(group, d.value(c.group[i].Name, &c.group[i].Type))
	}
	return group
}

func (c *Codec) decodeValue(key, value []byte, r *Row) error {
	if !bytes.HasPrefix(value, key) {
		return errors.New("the value does not begin with the fields of its key")
	}
	d := decoder{rest: value[len(key):]}
	for i := range c.aggs {
		a := &c.aggs[i]
		switch {
		case a.raw == nil:
			r.Values = append(r.Values, d.value(a.name, &a.typ))
		case d.branch(a.name):
			r.Values = append(r.Values, d.raw(a.name, a.raw))
		default:
			r.Values = append(r.Values, schema.NullValue())
		}
	}
	r.Revision = d.long("_revision")
	r.Status = Status(d.symbol("_status", int64(statuses)))
	r.Cause = Cause(d.symbol("_cause", int64(causes)))
	r.Events = d.long("_input.events")
	r.Late = d.long("_input.late")
	r.Duplicates = d.long("_input.duplicates")
	if b := d.text("_pipeline"); string(b) != r.Pipeline {
		r.Pipeline = string(b)
	}
	r.PublishedAt = d.long("_published_at")
	var run []byte
	if d.branch("_run") {
		run = d.text("_run")
	}
	if string(run) != r.Run {
		r.Run = string(run)
	}
	return d.end()
}

// decoder walks Avro bytes. After the first error every method returns zero.
type decoder struct {
	rest []byte
	err  error
}

func (d *decoder) fail(field string, err error) {
	if d.err == nil {
		d.err = fmt.Errorf("field %s: %w", field, err)
	}
}

func (d *decoder) end() error {
	if d.err == nil && len(d.rest) > 0 {
		return fmt.Errorf("%d bytes follow the last field", len(d.rest))
	}
	return d.err
}

func (d *decoder) value(field string, t *schema.Type) schema.Value {
	if t.Nullable && !d.branch(field) {
		return schema.NullValue()
	}
	switch t.Kind {
	case schema.KindBool:
		b := d.bytes(field, 1)
		if d.err == nil && b[0] > 1 {
			d.fail(field, fmt.Errorf("%d is no boolean", b[0]))
		}
		return schema.BoolValue(d.err == nil && b[0] == 1)
	case schema.KindInt:
		return schema.IntValue(d.long(field))
	case schema.KindFloat:
		if b := d.bytes(field, 8); d.err == nil {
			return schema.Value{Kind: schema.KindFloat, Num: binary.LittleEndian.Uint64(b)}
		}
		return schema.FloatValue(0)
	case schema.KindString:
		return schema.StringValue(d.text(field))
	}
	return schema.BytesValue(d.bytes(field, d.long(field)))
}

func (d *decoder) long(field string) int64 {
	if d.err != nil {
		return 0
	}
	v, n := binary.Varint(d.rest)
	if n <= 0 {
		d.fail(field, errors.New("the bytes end within, or overflow, a number"))
		return 0
	}
	if n > 1 && d.rest[n-1] == 0 { // the same number has a shorter form; two encodings would make two keys of one group
		d.fail(field, errors.New("the number is not in its shortest form"))
		return 0
	}
	d.rest = d.rest[n:]
	return v
}

func (d *decoder) symbol(field string, n int64) int64 {
	v := d.long(field)
	if v < 0 || v >= n {
		d.fail(field, fmt.Errorf("enum index %d has no symbol: the record is of a later version, or no curated record", v))
		return 0
	}
	return v
}

func (d *decoder) branch(field string) bool {
	v := d.long(field)
	if v != 0 && v != 1 {
		d.fail(field, fmt.Errorf("union branch %d does not exist", v))
	}
	return v == 1
}

func (d *decoder) bytes(field string, n int64) []byte {
	if d.err != nil {
		return nil
	}
	if n < 0 || n > int64(len(d.rest)) {
		d.fail(field, fmt.Errorf("%d bytes are wanted, but %d are left", n, len(d.rest)))
		return nil
	}
	b := d.rest[:n:n]
	d.rest = d.rest[n:]
	return b
}

func (d *decoder) text(field string) []byte {
	b := d.bytes(field, d.long(field))
	if !utf8.Valid(b) {
		d.fail(field, errors.New("the string is not valid UTF-8"))
		return nil
	}
	return b
}
