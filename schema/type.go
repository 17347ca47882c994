package schema

import "strings"

// Type is the type of a field as the rest of the engine sees it. A union of
// null and one other type is that type with Nullable set.
//
// A field that cannot be read as one Value (record, array, map, another union)
// has Kind KindNull and Avro "record", "array", "map" or "union"; see Projectable.
type Type struct {
	Kind     Kind
	Nullable bool
	Logical  string   // the logicalType where the Avro type allows it: "timestamp-millis", "date", "decimal", ...; else empty
	Avro     string   // "null", "boolean", "int", "long", "float", "double", "string", "bytes", "enum", "fixed", "record", "array", "map", "union"
	Symbols  []string // of an enum, in the schema's order; not to be modified
	Size     int      // of a fixed, in bytes

	// Precision and Scale are those of a decimal: the most digits it has, and how many of them stand behind the point.
	// Zero for other types.
	Precision, Scale int
	// Raw, when not empty, is the Avro schema (JSON) of a composite value: Kind is KindBytes, Avro is "raw", and the
	// Value's Bytes are a finished datum of that schema.
	Raw string
}

// Decimal reports whether t is a decimal: its Value is KindBytes, the unscaled number big endian in two's complement
// without redundant leading bytes, so that equal numbers have equal bytes among decimals of one scale.
func (t Type) Decimal() bool { return t.Logical == "decimal" && t.Kind == KindBytes }

// Projectable reports whether a field of this type can be read as one Value.
func (t Type) Projectable() bool {
	switch t.Avro {
	case "record", "array", "map", "union", "":
		return false
	}
	return true
}

// Timestamp reports whether t is an instant that can be an event time: a long
// with logicalType timestamp-millis or timestamp-micros.
func (t Type) Timestamp() bool {
	return t.Avro == "long" && (t.Logical == "timestamp-millis" || t.Logical == "timestamp-micros")
}

// String is the type as messages show it: "nullable long (timestamp-millis)".
func (t Type) String() string {
	var b strings.Builder
	if t.Nullable {
		b.WriteString("nullable ")
	}
	b.WriteString(t.Avro)
	if t.Logical != "" {
		b.WriteString(" (" + t.Logical + ")")
	}
	return b.String()
}

// Field is one field of a record.
type Field struct {
	Name string
	Type Type
}
