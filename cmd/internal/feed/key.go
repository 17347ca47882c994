package feed

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"github.com/tidemark-io/tidemark/schema"
)

// key makes the text of a record's key from its fields: a string as it is, a whole number in decimal, several joined
// by "|". It is the text that a pipeline's source.key expects.
type key struct {
	fields []string
	kinds  []schema.Kind
	// Of Avro: how the fields are read from the datum. Of the other formats they are read from the line.
	projection *schema.Projection
	row        []schema.Value
	header     int // bytes before the datum
}

// CheckKey says what is wrong with a key, before anything is sent.
func CheckKey(s schema.Source, fields []string) error {
	if len(fields) == 0 {
		return nil
	}
	_, err := newKey(s, fields)
	return err
}

func newKey(source schema.Source, fields []string) (*key, error) {
	source.Unnest = ""
	s, err := source.Shape()
	if err != nil {
		return nil, err
	}
	k := &key{fields: fields}
	for _, field := range fields {
		t, err := s.Lookup(field)
		if err != nil {
			return nil, err
		}
		if t.Kind != schema.KindString && t.Kind != schema.KindInt {
			return nil, fmt.Errorf("field %s is a %s: a key is made of strings and whole numbers", field, t)
		}
		if t.Timestamp() && !avro(source) {
			return nil, fmt.Errorf("field %s is a %s: in %s a key is made of strings and whole numbers", field, t, source.Format)
		}
		k.kinds = append(k.kinds, t.Kind)
	}
	if !avro(source) {
		return k, nil
	}
	if k.projection, err = s.Project(fields); err != nil {
		return nil, fmt.Errorf("key: %w", err)
	}
	k.row = make([]schema.Value, len(fields))
	if source.Format == schema.FormatAvro {
		k.header = confluentHeader
	}
	return k, nil
}

func avro(s schema.Source) bool {
	return s.Format == schema.FormatAvro || s.Format == schema.FormatAvroRaw
}

// confluentHeader is the length of the wire header: 0x00, schema id.
const confluentHeader = 5

// text is the key of one record: of the line that it was made of, and its value.
func (k *key) text(line, value []byte) ([]byte, error) {
	if k.projection == nil {
		return k.ofLine(line)
	}
	if err := k.projection.Decode(value[k.header:], k.row); err != nil {
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
			return nil, k.null(i)
		}
	}
	return bytes.Join(parts, []byte("|")), nil
}

func (k *key) null(i int) error {
	return fmt.Errorf("key field %s is null, and no partition is right for that", k.fields[i])
}

// ofLine reads the key from a line of JSON that is known to be a record. Protobuf's JSON writes large integers as text, and
// fields by either name.
func (k *key) ofLine(line []byte) ([]byte, error) {
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	var record any
	if err := d.Decode(&record); err != nil {
		return nil, fmt.Errorf("key: %w", err)
	}
	parts := make([][]byte, len(k.fields))
	for i, field := range k.fields {
		var text string
		switch v := member(record, field).(type) {
		case string:
			text = v
		case json.Number:
			text = v.String()
		default:
			return nil, k.null(i)
		}
		if k.kinds[i] == schema.KindInt {
			n, ok := new(big.Rat).SetString(text)
			if !ok || !n.IsInt() || !n.Num().IsInt64() {
				return nil, fmt.Errorf("key field %s is %s: a whole number is needed", field, text)
			}
			text = n.Num().String()
		}
		parts[i] = []byte(text)
	}
	return bytes.Join(parts, []byte("|")), nil
}

// member is the value at a path; nil if there is none.
func member(v any, path string) any {
	for name := range strings.SplitSeq(path, ".") {
		object, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		if v, ok = object[name]; !ok {
			v = object[lowerCamel(name)]
		}
	}
	return v
}

// lowerCamel is a Protobuf field's name in JSON.
func lowerCamel(name string) string {
	var out strings.Builder
	up := false
	for _, c := range []byte(name) {
		if c == '_' {
			up = true
			continue
		}
		if up && c >= 'a' && c <= 'z' {
			c -= 'a' - 'A'
		}
		up = false
		out.WriteByte(c)
	}
	return out.String()
}
