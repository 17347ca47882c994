package curated

import (
	"bytes"
	"fmt"

	"github.com/tidemark-io/tidemark/schema"
)

// FormatValue is the value of aggregate i as people read it: numbers in decimal, timestamps in RFC 3339, bytes in
// hexadecimal, composite values as JSON. It is no encoding.
func (c *Codec) FormatValue(i int, v schema.Value) string {
	a := &c.aggs[i]
	switch {
	case v.IsNull():
		return "null"
	case a.raw != nil:
		return a.json(v.Bytes)
	case a.typ.Decimal():
		return formatDecimal(v.Bytes, a.typ.Scale)
	case v.Kind == schema.KindInt:
		return formatField(v, a.typ)
	}
	return v.String()
}

// json is a composite value as JSON, or in hexadecimal if it is malformed.
func (a *aggregate) json(datum []byte) string {
	text, err := a.wrapped.ToJSON(datum)
	if err != nil {
		return fmt.Sprintf("0x%x", datum)
	}
	text = bytes.TrimSuffix(bytes.TrimSpace(text), []byte("}"))
	_, text, _ = bytes.Cut(text, []byte(":"))
	return string(bytes.TrimSpace(text))
}
