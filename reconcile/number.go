package reconcile

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"strconv"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/pipeline"
)

// RawJSON is JSON as it is.
type RawJSON = json.RawMessage

// Number is a value of a result in JSON: null, a JSON number, or a string for what no JSON number
// can be (text, decimals with all their digits, times in RFC 3339, bytes as base64, "NaN", "Infinity", "-Infinity"); composite
// values are arrays or objects.
type Number struct {
	v schema.Value
	// shown is the value as people read it, where that isn't v's own text: of decimals, times and composite values.
	shown string
	class class
}

// class says what a value is beyond its kind.
type class uint8

const (
	plain     class = iota
	decimal         // shown is its digits
	instant         // v is a time since the epoch, shown is RFC 3339
	composite       // shown is JSON
)

// classOf is the class of values of a type.
func classOf(t schema.Type) class {
	switch {
	case t.Raw != "":
		return composite
	case t.Decimal():
		return decimal
	case t.Timestamp():
		return instant
	}
	return plain
}

func intNumber(i int64) Number     { return Number{v: schema.IntValue(i)} }
func floatNumber(f float64) Number { return Number{v: schema.FloatValue(f)} }

// numberOf keeps v, copying its bytes.
func numberOf(v schema.Value) Number {
	if v.Bytes != nil {
		v.Bytes = append([]byte(nil), v.Bytes...)
	}
	return Number{v: v}
}

// resultOf keeps the value of an output's aggregate, as the output's rows show it.
func resultOf(p *pipeline.Plan, output, agg int, v schema.Value) Number {
	n := numberOf(v)
	if n.class = classOf(p.Outputs[output].Aggs[agg].Result()); n.class != plain && !v.IsNull() {
		n.shown = p.Codecs[output].FormatValue(agg, v)
	}
	return n
}

// IsNull reports whether there is no value.
func (n Number) IsNull() bool { return n.v.IsNull() }

// Float is the value as a float; false if it is no number. Of a decimal it is the nearest.
func (n Number) Float() (float64, bool) {
	switch {
	case n.class == decimal && !n.IsNull():
		f, err := strconv.ParseFloat(n.shown, 64)
		return f, err == nil
	case n.class != plain:
		return 0, false
	case n.v.Kind == schema.KindInt:
		return float64(n.v.Int()), true
	case n.v.Kind == schema.KindFloat:
		return n.v.Float(), true
	}
	return 0, false
}

// Int is the value if it is an integer.
func (n Number) Int() (int64, bool) {
	return n.v.Int(), n.v.Kind == schema.KindInt && n.class == plain
}

// String is the value as text, the shortest that reads back the same; composite values as JSON.
func (n Number) String() string {
	if n.class != plain && !n.IsNull() {
		return n.shown
	}
	return n.v.String()
}

// MarshalJSON writes the value.
func (n Number) MarshalJSON() ([]byte, error) {
	switch {
	case n.class == plain || n.IsNull():
	case n.class == composite && json.Valid([]byte(n.shown)):
		return []byte(n.shown), nil
	default:
		return json.Marshal(n.shown)
	}
	switch n.v.Kind {
	case schema.KindBool:
		return strconv.AppendBool(nil, n.v.Bool()), nil
	case schema.KindInt:
		return strconv.AppendInt(nil, n.v.Int(), 10), nil
	case schema.KindFloat:
		f := n.v.Float()
		switch {
		case math.IsNaN(f):
			return []byte(`"NaN"`), nil
		case math.IsInf(f, 1):
			return []byte(`"Infinity"`), nil
		case math.IsInf(f, -1):
			return []byte(`"-Infinity"`), nil
		}
		if math.Abs(f) >= 1<<53 { // as plain digits it would be read as a whole number of another value
			return strconv.AppendFloat(nil, f, 'e', -1, 64), nil
		}
		return json.Marshal(f)
	case schema.KindString:
		return json.Marshal(string(n.v.Bytes))
	case schema.KindBytes:
		return json.Marshal(base64.StdEncoding.EncodeToString(n.v.Bytes))
	}
	return []byte("null"), nil
}
