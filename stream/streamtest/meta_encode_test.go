package streamtest

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"
)

// happening is an event as the generator makes it: values by path, and of the arrays by element.
type happening struct {
	values map[string]any // nil, bool, int64, float64, string, []byte
	items  []map[string]any
	codes  []int64
}

func (h *happening) clone() *happening {
	out := &happening{values: map[string]any{}, items: h.items, codes: h.codes}
	for k, v := range h.values {
		out.values[k] = v
	}
	return out
}

// encode writes the event in the source's format, by hand: the tests lean on none of the codecs that they test.
func (s *metaSource) encode(h *happening, r *rng) []byte {
	switch s.format {
	case "avro":
		return append([]byte{0, 0, 0, 0, 7}, s.encodeAvro(h)...)
	case "json":
		return s.encodeJSON(h, r)
	}
	return s.encodeAvro(h)
}

func (s *metaSource) encodeAvro(h *happening) []byte {
	var b []byte
	each := func(prefix string, values map[string]any, whole bool) {
		for i := range s.fields {
			f := &s.fields[i]
			rest, ok := strings.CutPrefix(f.path, prefix)
			if !ok || strings.Contains(rest, ".") || rest == "codes" {
				continue
			}
			key := rest
			if whole {
				key = f.path
			}
			b = f.appendAvro(b, values[key])
		}
	}
	each("", h.values, true)
	if s.hasSub() {
		each("sub.", h.values, true)
	}
	if len(h.items) > 0 {
		b = binary.AppendVarint(b, int64(len(h.items)))
		for _, item := range h.items {
			each("items.", item, false)
		}
	}
	b = append(b, 0)
	if len(h.codes) > 0 {
		b = binary.AppendVarint(b, int64(len(h.codes)))
		for _, c := range h.codes {
			b = binary.AppendVarint(b, c)
		}
	}
	return append(b, 0)
}

func (f *metaField) appendAvro(b []byte, v any) []byte {
	if f.nullable {
		if v == nil {
			return append(b, 0)
		}
		b = append(b, 2)
	}
	switch v := v.(type) {
	case bool:
		if v {
			return append(b, 1)
		}
		return append(b, 0)
	case int64:
		return binary.AppendVarint(b, v)
	case float64:
		if f.typ == "float" {
			return binary.LittleEndian.AppendUint32(b, math.Float32bits(float32(v)))
		}
		return binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
	case string:
		if f.typ == "enum" {
			return binary.AppendVarint(b, int64(strings.Index("RED GREENBLUE", v)/4)) // 0, 1, 2
		}
		return appendString(b, v)
	case []byte:
		return append(binary.AppendVarint(b, int64(len(v))), v...)
	}
	panic(fmt.Sprintf("field %s is %v", f.path, v))
}

// encodeJSON writes numbers and times in one of the ways that mean the same.
func (s *metaSource) encodeJSON(h *happening, r *rng) []byte {
	object := func(prefix string, values map[string]any, whole bool) map[string]json.RawMessage {
		out := map[string]json.RawMessage{}
		for i := range s.fields {
			f := &s.fields[i]
			rest, ok := strings.CutPrefix(f.path, prefix)
			if !ok || strings.Contains(rest, ".") || rest == "codes" {
				continue
			}
			key := rest
			if whole {
				key = f.path
			}
			if v := values[key]; v != nil || r.one(2) {
				out[rest] = f.json(v, r)
			}
		}
		return out
	}
	top := object("", h.values, true)
	if s.hasSub() {
		top["sub"] = mustJSON(object("sub.", h.values, true))
	}
	items := []any{}
	for _, item := range h.items {
		items = append(items, object("items.", item, false))
	}
	codes := h.codes
	if codes == nil {
		codes = []int64{}
	}
	top["items"], top["codes"] = mustJSON(items), mustJSON(codes)
	if r.one(4) {
		top["unknown"] = mustJSON("member")
	}
	return mustJSON(top)
}

func mustJSON(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

func (f *metaField) json(v any, r *rng) json.RawMessage {
	switch v := v.(type) {
	case int64:
		if f.typ == "millis" && v > -60_000_000_000_000 && v < 250_000_000_000_000 && r.one(3) {
			return mustJSON(time.UnixMilli(v).UTC().Format(time.RFC3339Nano))
		}
		if f.typ != "millis" && f.typ != "micros" && r.one(4) {
			return json.RawMessage(strconv.FormatInt(v, 10) + pickOf(r, ".0", ".00", "e0", "E+0"))
		}
		return json.RawMessage(strconv.FormatInt(v, 10))
	case float64:
		if f.typ == "float" {
			return json.RawMessage(strconv.FormatFloat(v, 'g', -1, 32))
		}
		return json.RawMessage(strconv.FormatFloat(v, pickOf(r, byte('g'), byte('e')), -1, 64))
	case []byte:
		text := decimalText(v, 2)
		if r.one(2) {
			return mustJSON(text)
		}
		return json.RawMessage(text)
	}
	return mustJSON(v)
}

// decimalText writes an unscaled number, two's complement, as a decimal of a scale.
func decimalText(b []byte, scale int) string {
	n := signed(b)
	text := new(big.Int).Abs(n).String()
	for len(text) <= scale {
		text = "0" + text
	}
	text = text[:len(text)-scale] + "." + text[len(text)-scale:]
	if n.Sign() < 0 {
		text = "-" + text
	}
	return text
}

// signed reads two's complement, big endian.
func signed(b []byte) *big.Int {
	n := new(big.Int).SetBytes(b)
	if len(b) > 0 && b[0]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	return n
}

// twosComplement writes a number as short as can be.
func twosComplement(n *big.Int) []byte {
	for size := 1; ; size++ {
		limit := new(big.Int).Lsh(big.NewInt(1), uint(8*size-1))
		if n.Cmp(limit) >= 0 || n.Cmp(new(big.Int).Neg(limit)) < 0 {
			continue
		}
		m := new(big.Int).Set(n)
		if m.Sign() < 0 {
			m.Add(m, new(big.Int).Lsh(limit, 1))
		}
		return m.FillBytes(make([]byte, size))
	}
}
