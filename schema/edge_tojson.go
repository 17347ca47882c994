package schema

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"
)

// ToJSON decodes an Avro datum into one plain JSON object for people to read:
// fields in the schema's order, map keys sorted, unions without their type,
// timestamps as RFC 3339 UTC, dates and decimals as text, bytes as text with a
// character for each byte. Integers are exact. A payload that Decode refuses is
// refused with the same *RecordError.
//
// AppendJSON reads it back to an equal datum unless a union has several
// branches that the same JSON fits.
func (s *Schema) ToJSON(payload []byte) ([]byte, error) {
	codec, err := s.edge()
	if err != nil {
		return nil, err
	}
	check, err := s.check()
	if err != nil {
		return nil, err
	}
	if err := check.Decode(payload, nil); err != nil { // goavro trusts counts and lengths
		return nil, err
	}
	native, _, err := codec.NativeFromBinary(payload)
	if err != nil {
		return nil, fmt.Errorf("decode %s: %w", s.root.name, err)
	}
	return appendJSON(nil, s.root, native)
}

func appendJSON(dst []byte, n *node, native any) ([]byte, error) {
	switch n.avro {
	case "record":
		fields, ok := native.(map[string]any)
		if !ok {
			return nil, mismatch(n, native)
		}
		dst = append(dst, '{')
		for i := range n.fields {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(appendString(dst, n.fields[i].name), ':')
			var err error
			if dst, err = appendJSON(dst, n.fields[i].node, fields[n.fields[i].name]); err != nil {
				return nil, err
			}
		}
		return append(dst, '}'), nil
	case "map":
		return appendMap(dst, n, native)
	case "array":
		list, ok := native.([]any)
		if !ok {
			return nil, mismatch(n, native)
		}
		dst = append(dst, '[')
		for i, item := range list {
			if i > 0 {
				dst = append(dst, ',')
			}
			var err error
			if dst, err = appendJSON(dst, n.items, item); err != nil {
				return nil, err
			}
		}
		return append(dst, ']'), nil
	case "union":
		return appendUnion(dst, n, native)
	}
	return appendLeaf(dst, n, native)
}

func appendMap(dst []byte, n *node, native any) ([]byte, error) {
	object, ok := native.(map[string]any)
	if !ok {
		return nil, mismatch(n, native)
	}
	dst = append(dst, '{')
	for i, key := range slices.Sorted(maps.Keys(object)) {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendString(dst, key), ':')
		var err error
		if dst, err = appendJSON(dst, n.items, object[key]); err != nil {
			return nil, err
		}
	}
	return append(dst, '}'), nil
}

func appendUnion(dst []byte, n *node, native any) ([]byte, error) {
	if native == nil {
		return append(dst, "null"...), nil
	}
	if value, ok := native.(map[string]any); ok && len(value) == 1 {
		for key, inner := range value {
			for _, branch := range n.branches {
				if branchKey(branch) == key {
					return appendJSON(dst, branch, inner)
				}
			}
		}
	}
	return nil, mismatch(n, native)
}

func appendLeaf(dst []byte, n *node, native any) ([]byte, error) {
	switch v := native.(type) {
	case nil:
		return append(dst, "null"...), nil
	case bool:
		return strconv.AppendBool(dst, v), nil
	case int32:
		return appendInt(dst, n, int64(v)), nil
	case int64:
		return appendInt(dst, n, v), nil
	case float32:
		return appendFloat(dst, float64(v), 32)
	case float64:
		return appendFloat(dst, v, 64)
	case string:
		return appendString(dst, v), nil
	case []byte:
		if n.logical == "decimal" {
			if text, ok := formatDecimal(v, n.scale); ok {
				return appendString(dst, text), nil
			}
		}
		text := make([]rune, len(v))
		for i, b := range v {
			text[i] = rune(b)
		}
		return appendString(dst, string(text)), nil
	}
	return nil, mismatch(n, native)
}

func appendInt(dst []byte, n *node, v int64) []byte {
	if text, ok := formatLogical(n.logical, v); ok {
		return appendString(dst, text)
	}
	return strconv.AppendInt(dst, v, 10)
}

func appendFloat(dst []byte, f float64, bits int) ([]byte, error) {
	switch {
	case math.IsNaN(f):
		return append(dst, `"NaN"`...), nil
	case math.IsInf(f, 1):
		return append(dst, `"Infinity"`...), nil
	case math.IsInf(f, -1):
		return append(dst, `"-Infinity"`...), nil
	case f == 0 && math.Signbit(f):
		return append(dst, "-0.0"...), nil // "-0" could be read as the whole number 0
	}
	if math.Abs(f) >= 1<<53 { // as plain digits it would be read as a whole number of another value
		return strconv.AppendFloat(dst, f, 'e', -1, bits), nil
	}
	var v any = f
	if bits == 32 {
		v = float32(f)
	}
	text, err := json.Marshal(v) // the shortest text that reads back the same
	return append(dst, text...), err
}

// appendString writes a JSON string. It escapes what JSON demands and nothing
// else, so that people can read it.
func appendString(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r == '\n':
			dst = append(dst, `\n`...)
		case r == '\t':
			dst = append(dst, `\t`...)
		case r == '\r':
			dst = append(dst, `\r`...)
		case r < 0x20 || r >= 0x7f && r <= 0x9f:
			dst = append(dst, `\u00`...)
			dst = append(dst, hex[r>>4], hex[r&0xf])
		default:
			dst = utf8.AppendRune(dst, r)
		}
	}
	return append(dst, '"')
}

func mismatch(n *node, native any) error {
	return fmt.Errorf("decode %s: unexpected %T for %s", n.name, native, n.avro)
}
