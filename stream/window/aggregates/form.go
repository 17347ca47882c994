package aggregates

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/tidemark-io/tidemark/schema"
)

// form is how values of one type are kept: as keys, canonical bytes that order as the values do.
//
//	bool     1 byte
//	int      8 bytes, big-endian, sign bit flipped
//	float    8 bytes, big-endian: IEEE 754 bits, inverted if negative, else with the sign bit flipped; a NaN 64 ones
//	string   UTF-8 as it is: code points in their order
//	bytes    as they are
//	decimal  4 bytes, big-endian: 2^31 + n, or 2^31 - 1 - n of a negative; n bytes: two's complement, as short as can be
type form struct {
	kind    schema.Kind
	decimal bool
}

// formOf is the form of values of type t.
func formOf(t schema.Type) (form, error) {
	switch t.Kind {
	case schema.KindBool, schema.KindInt, schema.KindFloat, schema.KindString, schema.KindBytes:
		return form{kind: t.Kind, decimal: t.Decimal()}, nil
	}
	return form{}, fmt.Errorf("values of type %v can't be aggregated: name a field inside it", t)
}

const (
	signBit       = 1 << 63
	rankNaN       = math.MaxUint64
	decimalMiddle = 1 << 31
)

// size is the length of every key, 0 if it varies.
func (f form) size() int {
	switch f.kind {
	case schema.KindBool:
		return 1
	case schema.KindInt, schema.KindFloat:
		return 8
	}
	return 0
}

// String is the form's name in cells.
func (f form) String() string {
	if f.decimal {
		return "decimal"
	}
	return f.kind.String()
}

// check says whether v is of the form.
func (f form) check(v schema.Value) error {
	if v.Kind != f.kind {
		return fmt.Errorf("a value of kind %v where %v is declared", v.Kind, f.kind)
	}
	return nil
}

// append appends v's key.
func (f form) append(dst []byte, v schema.Value) []byte {
	switch f.kind {
	case schema.KindBool:
		return append(dst, byte(v.Num&1))
	case schema.KindInt:
		return binary.BigEndian.AppendUint64(dst, v.Num^signBit)
	case schema.KindFloat:
		return binary.BigEndian.AppendUint64(dst, rankOf(v.Float()))
	}
	if !f.decimal {
		return append(dst, v.Bytes...)
	}
	b := trimmed(v.Bytes)
	return append(binary.BigEndian.AppendUint32(dst, decimalPrefix(b)), b...)
}

// decimalPrefix makes longer numbers greater, and longer negative numbers less. b has at least one byte.
func decimalPrefix(b []byte) uint32 {
	if b[0]&0x80 != 0 {
		return decimalMiddle - 1 - uint32(len(b))
	}
	return decimalMiddle + uint32(len(b))
}

// appendEqual appends the key under which values that are equal meet: -0 is 0.
func (f form) appendEqual(dst []byte, v schema.Value) []byte {
	if f.kind == schema.KindFloat && v.Num == signBit {
		v.Num = 0
	}
	return f.append(dst, v)
}

// value is the value with a key that is valid. Its bytes alias the key.
func (f form) value(key []byte) schema.Value {
	switch f.kind {
	case schema.KindBool:
		return schema.BoolValue(key[0] != 0)
	case schema.KindInt:
		return schema.IntValue(int64(binary.BigEndian.Uint64(key) ^ signBit))
	case schema.KindFloat:
		return schema.FloatValue(floatOf(binary.BigEndian.Uint64(key)))
	case schema.KindString:
		return schema.StringValue(key)
	}
	if f.decimal {
		return schema.BytesValue(key[4:])
	}
	return schema.BytesValue(key)
}

// valid says why append never makes key, if so.
func (f form) valid(key []byte) error {
	if n := f.size(); n > 0 && len(key) != n {
		return fmt.Errorf("a value of %d bytes where %v has %d", len(key), f.kind, n)
	}
	switch {
	case f.kind == schema.KindBool && key[0] > 1:
		return fmt.Errorf("a bool of %d", key[0])
	case f.kind == schema.KindFloat:
		if rank := binary.BigEndian.Uint64(key); rankOf(floatOf(rank)) != rank {
			return fmt.Errorf("no double has the rank %#x", rank)
		}
	case f.decimal:
		if len(key) < 5 {
			return fmt.Errorf("a decimal of %d bytes", len(key))
		}
		if b := key[4:]; len(trimmed(b)) < len(b) || binary.BigEndian.Uint32(key) != decimalPrefix(b) {
			return fmt.Errorf("a decimal that is not as short as can be, or of another length than it says")
		}
	}
	return nil
}

// validEqual says why appendEqual never makes key, if so.
func (f form) validEqual(key []byte) error {
	if f.kind == schema.KindFloat && len(key) == 8 && binary.BigEndian.Uint64(key) == ^uint64(signBit) {
		return fmt.Errorf("a -0, which is kept as 0")
	}
	return f.valid(key)
}

// rankOf is a word that orders as doubles do: -0 below +0, a NaN above all.
func rankOf(f float64) uint64 {
	b := math.Float64bits(f)
	switch {
	case f != f:
		return rankNaN
	case b&signBit != 0:
		return ^b
	}
	return b ^ signBit
}

// floatOf is the double with a rank.
func floatOf(rank uint64) float64 {
	switch {
	case rank == rankNaN:
		return math.Float64frombits(schema.CanonicalNaN)
	case rank&signBit == 0:
		return math.Float64frombits(^rank)
	}
	return math.Float64frombits(rank ^ signBit)
}

// trimmed is the two's-complement number b without leading bytes that only repeat its sign; 0 is one byte.
func trimmed(b []byte) []byte {
	if len(b) == 0 {
		return []byte{0}
	}
	for len(b) > 1 && b[0] == byte(int8(b[1])>>7) {
		b = b[1:]
	}
	return b
}
