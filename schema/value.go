package schema

import (
	"fmt"
	"math"
	"strconv"
)

// Kind is the shape of a [Value]: the few shapes that windows, keys and
// expressions work with, whatever the Avro type was.
type Kind uint8

// The kinds. Their numbers are part of the identity encoding (FORMAT.md) and
// never change.
const (
	KindNull   Kind = 0
	KindBool   Kind = 1
	KindInt    Kind = 2 // Avro int, long
	KindFloat  Kind = 3 // Avro float, double
	KindString Kind = 4 // Avro string, enum (its symbol)
	KindBytes  Kind = 5 // Avro bytes, fixed
)

// String names the kind as error messages do.
func (k Kind) String() string {
	switch k {
	case KindNull:
		return "null"
	case KindBool:
		return "bool"
	case KindInt:
		return "int"
	case KindFloat:
		return "float"
	case KindString:
		return "string"
	case KindBytes:
		return "bytes"
	}
	return "kind " + strconv.Itoa(int(k))
}

// CanonicalNaN is the one bit pattern that a NaN has in a Value: Avro carries
// the payload bits of a NaN, and two NaNs must not make two events or two groups.
const CanonicalNaN uint64 = 0x7ff8000000000001

// Value is one field of one event. It is a plain struct and no interface, so
// that a row of values costs no allocation.
//
// Bytes of a decoded Value alias the payload (or, for an enum, the schema): it
// is valid until the owner of the payload reuses it, and must not be written to.
type Value struct {
	Kind  Kind
	Num   uint64 // bool: 0 or 1; int: the bits of an int64; float: math.Float64bits
	Bytes []byte // string, bytes
}

// NullValue is the null.
func NullValue() Value { return Value{} }

// BoolValue holds b.
func BoolValue(b bool) Value {
	if b {
		return Value{Kind: KindBool, Num: 1}
	}
	return Value{Kind: KindBool}
}

// IntValue holds i.
func IntValue(i int64) Value { return Value{Kind: KindInt, Num: uint64(i)} }

// FloatValue holds f; every NaN becomes [CanonicalNaN]. The sign of zero is kept.
func FloatValue(f float64) Value {
	if f != f {
		return Value{Kind: KindFloat, Num: CanonicalNaN}
	}
	return Value{Kind: KindFloat, Num: math.Float64bits(f)}
}

// StringValue holds s without copying it.
func StringValue(s []byte) Value { return Value{Kind: KindString, Bytes: s} }

// BytesValue holds b without copying it.
func BytesValue(b []byte) Value { return Value{Kind: KindBytes, Bytes: b} }

// IsNull reports whether v is the null.
func (v Value) IsNull() bool { return v.Kind == KindNull }

// Bool is the value of a KindBool.
func (v Value) Bool() bool { return v.Num != 0 }

// Int is the value of a KindInt.
func (v Value) Int() int64 { return int64(v.Num) }

// Float is the value of a KindFloat.
func (v Value) Float() float64 { return math.Float64frombits(v.Num) }

// String is the value as text for messages; it is no encoding.
func (v Value) String() string {
	switch v.Kind {
	case KindNull:
		return "null"
	case KindBool:
		return strconv.FormatBool(v.Bool())
	case KindInt:
		return strconv.FormatInt(v.Int(), 10)
	case KindFloat:
		return strconv.FormatFloat(v.Float(), 'g', -1, 64)
	case KindString:
		return string(v.Bytes)
	case KindBytes:
		return fmt.Sprintf("0x%x", v.Bytes)
	}
	return v.Kind.String()
}
