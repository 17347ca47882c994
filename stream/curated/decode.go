package curated

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/internal/avrobytes"
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
	d := decoderOf(key)
	r.Group = c.decodeGroup(&d, r.Group)
	r.Key = key[:len(key)-len(d.Rest())]
	r.Start = d.Long(fieldStart)
	r.End = d.Long(fieldEnd)
	return d.End()
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
	d := decoderOf(value[len(key):])
	for i := range c.aggs {
		a := &c.aggs[i]
		switch {
		case a.raw == nil:
			r.Values = append(r.Values, d.value(a.name, &a.typ))
		case d.Branch(a.name):
			r.Values = append(r.Values, d.raw(a.name, a.raw))
		default:
			r.Values = append(r.Values, schema.NullValue())
		}
	}
	r.Revision = d.Long("_revision")
	r.Status = Status(d.symbol("_status", int64(statuses)))
	r.Cause = Cause(d.symbol("_cause", int64(causes)))
	r.Events = d.Long("_input.events")
	r.Late = d.Long("_input.late")
	r.Duplicates = d.Long("_input.duplicates")
	if b := d.Text("_pipeline"); string(b) != r.Pipeline {
		r.Pipeline = string(b)
	}
	r.PublishedAt = d.Long("_published_at")
	var run []byte
	if d.Branch("_run") {
		run = d.Text("_run")
	}
	if string(run) != r.Run {
		r.Run = string(run)
	}
	return d.End()
}

// decoder reads what curated records are made of. After the first error every method returns zero.
type decoder struct{ avrobytes.Reader }

func decoderOf(b []byte) decoder { return decoder{avrobytes.New(b)} }

func (d *decoder) value(field string, t *schema.Type) schema.Value {
	if t.Nullable && !d.Branch(field) {
		return schema.NullValue()
	}
	switch t.Kind {
	case schema.KindBool:
		b := d.Bytes(field, 1)
		if d.Err() == nil && b[0] > 1 {
			d.Fail(field, fmt.Errorf("%d is no boolean", b[0]))
		}
		return schema.BoolValue(d.Err() == nil && b[0] == 1)
	case schema.KindInt:
		return schema.IntValue(d.Long(field))
	case schema.KindFloat:
		if b := d.Bytes(field, 8); d.Err() == nil {
			return schema.Value{Kind: schema.KindFloat, Num: binary.LittleEndian.Uint64(b)}
		}
		return schema.FloatValue(0)
	case schema.KindString:
		return schema.StringValue(d.Text(field))
	}
	return schema.BytesValue(d.Bytes(field, d.Long(field)))
}

func (d *decoder) symbol(field string, n int64) int64 {
	v := d.Long(field)
	if v < 0 || v >= n {
		d.Fail(field, fmt.Errorf("enum index %d has no symbol: the record is of a later version, or no curated record", v))
		return 0
	}
	return v
}
