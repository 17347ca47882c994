package feed

import (
	"bytes"
	"fmt"
	"strconv"

	"github.com/tidemark-io/tidemark/schema"
)

// key makes the text of a record's key from its fields: a string as it is, a whole number in decimal, several joined
// by "|". It is the text that a pipeline's source.key expects.
type key struct {
	fields     []string
	projection *schema.Projection
	row        []schema.Value
}

// CheckKey says what is wrong with a key, before anything is sent.
func CheckKey(s *schema.Schema, fields []string) error {
	if len(fields) == 0 {
		return nil
	}
	_, err := newKey(s, fields)
	return err
}

func newKey(s *schema.Schema, fields []string) (*key, error) {
	for _, field := range fields {
		t, err := s.Lookup(field)
		if err != nil {
			return nil, err
		}
		if t.Kind != schema.KindString && t.Kind != schema.KindInt {
			return nil, fmt.Errorf("field %s is a %s: a key is made of strings and whole numbers", field, t)
		}
	}
	projection, err := s.Project(fields)
	if err != nil {
		return nil, fmt.Errorf("key: %w", err)
	}
	return &key{fields: fields, projection: projection, row: make([]schema.Value, len(fields))}, nil
}

// text is the key of one Avro datum.
func (k *key) text(datum []byte) ([]byte, error) {
	if err := k.projection.Decode(datum, k.row); err != nil {
		return nil, fmt.Errorf("key: %w", err)
	}
	parts := make([][]byte, len(k.row))
	for i, v := range k.row {
		switch v.Kind {
		case schema.KindString:
			parts[i] = v.Bytes
		case schema.KindInt:
			parts[i] = strconv.AppendInt(nil, v.Int(), 10)
		default:
			return nil, fmt.Errorf("key field %s is null, and no partition is right for that", k.fields[i])
		}
	}
	return bytes.Join(parts, []byte("|")), nil
}
