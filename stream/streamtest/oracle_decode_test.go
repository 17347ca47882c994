package streamtest

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"io"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/linkedin/goavro/v2"
)

// oracleFact is a record as the oracle reads it: values by path (nil, bool, int64, float64, string, []byte, and oracleStamp
// for times), and those of each unnested element.
type oracleFact struct {
	row      map[string]any
	elements []map[string]any // one without values if nothing is unnested
	time     int64            // ms
}

// oracleStamp is a time in its own unit.
type oracleStamp struct {
	raw    int64
	micros bool
}

func (s oracleStamp) ms() int64 {
	if s.micros {
		return (s.raw - mod(s.raw, 1000)) / 1000
	}
	return s.raw
}

func (s oracleStamp) at() time.Time {
	if s.micros {
		return time.UnixMicro(s.raw).UTC()
	}
	return time.UnixMilli(s.raw).UTC()
}

// oracleReader decodes a source's records.
type oracleReader struct {
	s     *metaSource
	codec *goavro.Codec
	ids   []string // what makes an identity: the paths that are read, sorted
}

func newOracleReader(s *metaSource, read []string) (*oracleReader, error) {
	codec, err := goavro.NewCodec(s.avsc(true))
	return &oracleReader{s: s, codec: codec, ids: read}, err
}

// read is the record's fact; nil if it is no event.
func (o *oracleReader) read(value []byte) *oracleFact {
	var native map[string]any
	if o.s.format == "json" {
		if native = parseObject(value); native == nil {
			return nil
		}
	} else {
		if o.s.format == "avro" {
			if len(value) < 5 || value[0] != 0 {
				return nil
			}
			value = value[5:]
		}
		v, rest, err := o.codec.NativeFromBinary(value)
		if err != nil || len(rest) > 0 {
			return nil
		}
		native = v.(map[string]any)
	}
	f := &oracleFact{row: map[string]any{}}
	ok := o.flatten(f.row, "", native)
	f.elements = o.unnest(native, &ok)
	stamp, isStamp := f.row[o.s.time].(oracleStamp)
	if f.time = stamp.ms(); !ok || !isStamp || f.time < metaTimeMin || f.time > metaTimeMax {
		return nil
	}
	return f
}

// flatten takes the fields of an object out of it, by path.
func (o *oracleReader) flatten(to map[string]any, prefix string, from map[string]any) bool {
	ok := true
	for i := range o.s.fields {
		f := &o.s.fields[i]
		rest, is := strings.CutPrefix(f.path, prefix)
		if !is || rest == "codes" || prefix == "" && strings.HasPrefix(rest, "items.") {
			continue
		}
		v := any(from)
		for part := range strings.SplitSeq(rest, ".") {
			within, object := v.(map[string]any)
			ok = ok && object
			v = within[part]
		}
		value, valid := oracleValue(f, v)
		to[f.path], ok = value, ok && valid
	}
	return ok
}

func (o *oracleReader) unnest(native map[string]any, ok *bool) []map[string]any {
	var out []map[string]any
	items, isItems := native["items"].([]any)
	codes, isCodes := native["codes"].([]any)
	*ok = *ok && isItems && isCodes
	for _, item := range items {
		row := map[string]any{}
		object, is := item.(map[string]any)
		*ok = *ok && is && o.flatten(row, "items.", object)
		if o.s.unnest == "items" {
			out = append(out, row)
		}
	}
	for _, code := range codes {
		v, valid := oracleValue(o.s.field("codes"), code)
		*ok = *ok && valid
		if o.s.unnest == "codes" {
			out = append(out, map[string]any{"codes": v})
		}
	}
	if o.s.unnest == "" {
		return []map[string]any{{}}
	}
	return out
}

// oracleValue is a value of goavro or of JSON as one of the oracle's.
func oracleValue(f *metaField, v any) (any, bool) {
	if union, is := v.(map[string]any); is && f.nullable && len(union) == 1 { // goavro's way of writing unions
		for _, inner := range union {
			v = inner
		}
	}
	if v == nil {
		return nil, f.nullable
	}
	if n, is := v.(json.Number); is || f.typ == "millis" || f.typ == "decimal" {
		if text, isText := v.(string); isText && (f.typ == "millis" || f.typ == "decimal") {
			return oracleText(f, text)
		}
		if is {
			return oracleNumber(f, string(n))
		}
	}
	switch v := v.(type) {
	case int64:
		return intOrStamp(f, v)
	case int32:
		return int64(v), f.typ == "int"
	case float32:
		return float64(v), f.typ == "float"
	case float64:
		return v, f.typ == "double"
	case bool:
		return v, f.typ == "boolean"
	case []byte:
		if f.typ == "decimal" {
			return twosComplement(signed(v)), true
		}
		return v, f.typ == "bytes"
	case string:
		return v, f.typ == "string" || f.typ == "enum" && slices.Contains([]string{"RED", "GREEN", "BLUE"}, v)
	}
	return nil, false
}

func intOrStamp(f *metaField, v int64) (any, bool) {
	switch f.typ {
	case "millis", "micros":
		return oracleStamp{v, f.typ == "micros"}, true
	}
	return v, f.typ == "long" || f.typ == "int" && v == int64(int32(v))
}

// oracleNumber is a number of JSON, exactly.
func oracleNumber(f *metaField, text string) (any, bool) {
	switch f.typ {
	case "double":
		v, err := strconv.ParseFloat(text, 64)
		return v, err == nil
	case "float":
		v, err := strconv.ParseFloat(text, 32)
		return v, err == nil
	}
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		return nil, false
	}
	if f.typ == "decimal" {
		r.Mul(r, big.NewRat(100, 1))
		return twosComplement(r.Num()), r.IsInt()
	}
	if !r.IsInt() || !r.Num().IsInt64() {
		return nil, false
	}
	return intOrStamp(f, r.Num().Int64())
}

// oracleText is a text of JSON that stands for a number or a time.
func oracleText(f *metaField, text string) (any, bool) {
	if f.typ == "decimal" {
		return oracleNumber(f, text)
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	return oracleStamp{t.UnixMilli(), false}, err == nil
}

// parseObject is a JSON object and nothing else.
func parseObject(text []byte) map[string]any {
	if !utf8.Valid(text) {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var out map[string]any
	if err := d.Decode(&out); err != nil {
		return nil
	}
	if _, err := d.Token(); err != io.EOF {
		return nil
	}
	return out
}

// identity is what copies of the record share (schema/FORMAT.md).
func (o *oracleReader) identity(f *oracleFact) [16]byte {
	b := []byte{1}
	if o.s.unnest != "" {
		b[0] = 2
	}
	for _, path := range o.ids {
		if !o.s.ofElement(path) {
			b = appendIdentityValue(b, f.row[path])
		}
	}
	if o.s.unnest != "" {
		b = binary.BigEndian.AppendUint32(b, uint32(len(f.elements)))
		for _, e := range f.elements {
			for _, path := range o.ids {
				if o.s.ofElement(path) {
					b = appendIdentityValue(b, e[path])
				}
			}
		}
	}
	sum := sha256.Sum256(b)
	return [16]byte(sum[:16])
}

func appendIdentityValue(b []byte, v any) []byte {
	switch v := v.(type) {
	case bool:
		if v {
			return append(b, 1, 1)
		}
		return append(b, 1, 0)
	case int64:
		return binary.BigEndian.AppendUint64(append(b, 2), uint64(v))
	case oracleStamp:
		return appendIdentityValue(b, v.raw)
	case float64:
		bits := math.Float64bits(v)
		if v != v {
			bits = 0x7ff8000000000001
		}
		return binary.BigEndian.AppendUint64(append(b, 3), bits)
	case string:
		return append(binary.BigEndian.AppendUint32(append(b, 4), uint32(len(v))), v...)
	case []byte:
		return append(binary.BigEndian.AppendUint32(append(b, 5), uint32(len(v))), v...)
	}
	return append(b, 0)
}
