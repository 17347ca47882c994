package aggregates

import (
	"fmt"
	"strings"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/window"
)

// wholeParam is a parameter that is a whole number from lo to hi.
func wholeParam(l window.Literal, what string, lo, hi int64) (int, error) {
	if l.Kind != window.LiteralInt || l.Int < lo || l.Int > hi {
		return 0, fmt.Errorf("%s is %v: write a whole number from %d to %d", what, l, lo, hi)
	}
	return int(l.Int), nil
}

// needNumber refuses what isn't an int or a float, and moments in time, whose distance from 1970 means nothing.
func needNumber(in schema.Type, what string) error {
	switch {
	case in.Decimal():
		return fmt.Errorf("%s of %v: convert it to a double first", what, in)
	case in.Kind != schema.KindInt && in.Kind != schema.KindFloat:
		return fmt.Errorf("%s of %v: it needs a number", what, in)
	case in.Logical == "date" || strings.Contains(in.Logical, "timestamp"):
		return fmt.Errorf("%s of %v: take the difference of two times instead", what, in)
	}
	return nil
}

// nullable is t as the type of a result that may be null. What the source's own definitions decide goes: an enum
// becomes a string, a fixed becomes bytes.
func nullable(t schema.Type) schema.Type {
	switch t.Avro {
	case "enum":
		t.Avro, t.Symbols = "string", nil
	case "fixed":
		t.Avro, t.Size = "bytes", 0
	}
	t.Nullable = true
	return t
}

// mismatch is the error of merging accumulators of two aggregates.
func mismatch(a, b window.Accumulator) error {
	return fmt.Errorf("merge of %T with another aggregate's %T", a, b)
}

var (
	typeLong           = schema.Type{Kind: schema.KindInt, Avro: "long"}
	typeNullableLong   = schema.Type{Kind: schema.KindInt, Avro: "long", Nullable: true}
	typeNullableDouble = schema.Type{Kind: schema.KindFloat, Avro: "double", Nullable: true}
	typeNullableBool   = schema.Type{Kind: schema.KindBool, Avro: "boolean", Nullable: true}
)
