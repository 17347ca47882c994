package reconcile

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"strconv"

	"github.com/tidemark-io/tidemark/schema"
)

// RawJSON is JSON as it is.
type RawJSON = json.RawMessage

// Number is a value of a result in JSON: null, a JSON number, or a string for what no JSON number
// can be (text, bytes as base64, "NaN", "Infinity", "-Infinity").
type Number struct{ v schema.Value }

func intNumber(i int64) Number     { return Number{schema.IntValue(i)} }
func floatNumber(f float64) Number { return Number{schema.FloatValue(f)} }

// numberOf keeps v, copying its bytes.
func numberOf(v schema.Value) Number {
	if v.Bytes != nil {
		v.Bytes = append([]byte(nil), v.Bytes...)
	}
	return Number{v}
}

// IsNull reports whether there is no value.
func (n Number) IsNull() bool { return n.v.IsNull() }

// Float is the value as a float; false if it is no number.
func (n Number) Float() (float64, bool) {
	switch n.v.Kind {
	case schema.KindInt:
		return float64(n.v.Int()), true
	case schema.KindFloat:
		return n.v.Float(), true
	}
	return 0, false
}

// Int is the value if it is an integer.
func (n Number) Int() (int64, bool) { return n.v.Int(), n.v.Kind == schema.KindInt }

// String is the value as text, the shortest that reads back the same.
func (n Number) String() string { return n.v.String() }

// MarshalJSON writes the value.
func (n Number) MarshalJSON() ([]byte, error) {
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
