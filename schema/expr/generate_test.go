package expr

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/tidemark-io/tidemark/schema"
)

// of is an expression of a kind.
func (g *generator) of(k kind, depth int) string {
	if depth <= 0 || g.IntN(6) == 0 {
		return g.leaf(k)
	}
	depth--
	if g.IntN(8) == 0 {
		return fmt.Sprintf("(%s ? %s : %s)", g.of(kindBool, depth), g.of(k, depth), g.of(k, depth))
	}
	switch k {
	case kindBool:
		return g.boolOf(depth)
	case kindInt:
		return g.intOf(depth)
	case kindDouble:
		return g.doubleOf(depth)
	case kindString:
		return g.stringOf(depth)
	case kindBytes:
		return pick(g, g.infix(k, depth, "+"), "bytes("+g.of(kindString, depth)+")", "bytes("+g.of(kindBytes, depth)+")")
	case kindTime:
		return pick(g,
			fmt.Sprintf("(%s %s %s)", g.of(kindTime, depth), pick(g, "+", "-"), g.of(kindSpan, depth)),
			fmt.Sprintf("(%s + %s)", g.of(kindSpan, depth), g.of(kindTime, depth)),
			"timestamp("+g.of(pick(g, kindInt, kindTime, kindString), depth)+")",
			"udf_next("+g.of(kindTime, depth)+")")
	}
	return pick(g,
		fmt.Sprintf("(%s - %s)", g.of(kindTime, depth), g.of(kindTime, depth)),
		fmt.Sprintf("(%s %s %s)", g.of(kindSpan, depth), pick(g, "+", "-"), g.of(kindSpan, depth)),
		"duration("+g.of(pick(g, kindSpan, kindString), depth)+")")
}

func (g *generator) infix(k kind, depth int, ops ...string) string {
	return fmt.Sprintf("(%s %s %s)", g.of(k, depth), pick(g, ops...), g.of(k, depth))
}

var everyKind = []kind{kindBool, kindInt, kindInt, kindDouble, kindDouble, kindString, kindBytes, kindTime, kindSpan}

func (g *generator) boolOf(depth int) string {
	k := pick(g, everyKind...)
	switch g.IntN(11) {
	case 0, 1:
		return g.infix(kindBool, depth, "&&", "||")
	case 2:
		return "!" + g.of(kindBool, depth)
	case 3:
		return g.infix(k, depth, "<", "<=", ">", ">=")
	case 4:
		return pick(g, fmt.Sprintf("(%s %s %s)", g.of(kindInt, depth), pick(g, "<", "<=", ">", ">="), g.of(kindDouble, depth)),
			fmt.Sprintf("(%s %s %s)", g.of(kindDouble, depth), pick(g, "<", "<=", ">", ">="), g.of(kindInt, depth)))
	case 5, 6:
		return g.infix(k, depth, "==", "!=")
	case 7:
		return fmt.Sprintf("(%s %s null)", pick(g, "nb", "ni", "nd", "ns", "ny", "nt"), pick(g, "==", "!="))
	case 8:
		return g.memberOf(k, depth)
	case 9:
		return fmt.Sprintf("%s.%s(%s)", g.of(kindString, depth), pick(g, "startsWith", "endsWith", "contains"), g.of(kindString, 0))
	}
	return pick(g, g.of(kindString, depth)+".matches('"+pick(g, "^[a-z]+$", "a|B", "^.{2,3}$", "")+"')", "bool("+g.of(kindString, depth)+")",
		"bool("+g.of(kindBool, depth)+")", fmt.Sprintf("udf_null(%s)", g.of(kindInt, depth)))
}

// memberOf asks for one of a list: of constants, small or large, or of anything.
func (g *generator) memberOf(k kind, depth int) string {
	n := pick(g, 0, 1, 3, 12)
	items := make([]string, n)
	other := g.IntN(3) == 0
	for i := range items {
		items[i] = g.constant(k)
		if other {
			items[i] = g.of(k, 0)
		}
	}
	return fmt.Sprintf("(%s in [%s])", g.of(k, depth), strings.Join(items, ", "))
}

func (g *generator) intOf(depth int) string {
	switch g.IntN(8) {
	case 0, 1, 2:
		return g.infix(kindInt, depth, "+", "-", "*", "/", "%")
	case 3:
		return "-" + g.of(pick(g, kindInt), 0)
	case 4:
		return "int(" + g.of(pick(g, kindInt, kindDouble, kindString, kindTime, kindSpan), depth) + ")"
	case 5:
		return "size(" + g.of(pick(g, kindString, kindBytes), depth) + ")"
	case 6:
		field := pick(g, "getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear", "getHours", "getMinutes", "getSeconds", "getMilliseconds")
		return g.of(kindTime, depth) + "." + field + "(" + pick(g, "", "", "'UTC'", "'-05:00'", "'+05:30'", "'-00:30'", "'13:45'") + ")"
	}
	return pick(g, g.of(kindSpan, depth)+"."+pick(g, "getHours", "getMinutes", "getSeconds", "getMilliseconds")+"()",
		fmt.Sprintf("udf_sum(%s, %s)", g.of(kindInt, depth), g.of(kindInt, depth)))
}

func (g *generator) doubleOf(depth int) string {
	return pick(g, g.infix(kindDouble, depth, "+", "-", "*", "/"), g.infix(kindDouble, depth, "+", "-", "*", "/"), "(-"+g.of(kindDouble, depth)+")",
		"double("+g.of(pick(g, kindInt, kindDouble, kindString), depth)+")")
}

func (g *generator) stringOf(depth int) string {
	return pick(g, g.infix(kindString, depth, "+"), "string("+g.of(pick(g, everyKind...), depth)+")", "string("+g.of(kindString, depth)+")",
		"udf_upper("+g.of(kindString, depth)+")")
}

// leaf is a field, a let or a constant.
func (g *generator) leaf(k kind) string {
	if g.IntN(3) == 0 {
		return g.constant(k)
	}
	var names []string
	for _, f := range fieldTypes {
		if kindOf(f.typ) == k {
			names = append(names, f.name)
		}
	}
	for _, name := range g.lets {
		if kindOf(g.env.Lets[name].typ) == k {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return g.constant(k)
	}
	return pick(g, names...)
}

func kindOf(t schema.Type) kind {
	switch t.Kind {
	case schema.KindBool:
		return kindBool
	case schema.KindInt:
		if perSecond(t) > 0 {
			return kindTime
		}
		return kindInt
	case schema.KindFloat:
		return kindDouble
	case schema.KindString:
		return kindString
	}
	return kindBytes
}

var (
	someInts    = []int64{0, 1, -1, 2, 3, 7, 60, -61, 1 << 31, 1<<53 + 1, -(1<<53 + 1), math.MaxInt64, math.MaxInt64 - 1, math.MinInt64, math.MinInt64 + 1, 3037000500, 253402300800, -62135596801}
	someDoubles = []float64{0, math.Copysign(0, -1), 1, -1.5, 2.5, 60, 1e21, 1e-7, 1 << 53, -(1 << 63), 1 << 63, math.MaxFloat64, math.SmallestNonzeroFloat64, math.NaN(), math.Inf(1), math.Inf(-1), 123456789.125}
	someTexts   = []string{"", "a", "ab", "ABC", "12", "-7", "1.5", "NaN", "true", "f", "1h30m", "ä€😀", "2013-01-05T07:30:00Z", "2013-01-05T07:30:00.123456789+05:30", "9999-12-31T23:59:59Z", "1e400", "9223372036854775808", "-0"}
)

func (g *generator) constant(k kind) string {
	switch k {
	case kindBool:
		return pick(g, "true", "false")
	case kindInt:
		return strconv.FormatInt(pick(g, someInts...), 10)
	case kindDouble:
		x := pick(g, someDoubles...)
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return fmt.Sprintf("double('%v')", x)
		}
		if text := strconv.FormatFloat(x, 'g', -1, 64); strings.ContainsAny(text, ".e") {
			return text
		}
		return strconv.FormatFloat(x, 'f', 1, 64)
	case kindString:
		return "'" + pick(g, someTexts...) + "'"
	case kindBytes:
		return pick(g, "b''", "b'a'", `b'\xff\x00'`, "b'ab'")
	case kindTime:
		return "timestamp('" + pick(g, "1970-01-01T00:00:00Z", "2013-01-05T07:30:00.123456789Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z", "1969-12-31T23:59:59.5+01:00") + "')"
	}
	return "duration('" + pick(g, "0s", "1ns", "-1.5s", "1h", "25h", "-100h", "2562047h47m16.854775807s", "-2562047h47m16.854775808s", "999ms") + "')"
}

// row has the edges of each type, and null where it may be.
func (g *generator) row() []schema.Value {
	row := make([]schema.Value, len(fieldTypes))
	for i, f := range fieldTypes {
		if f.typ.Nullable && g.IntN(3) == 0 {
			continue
		}
		row[i] = g.value(f.typ)
	}
	return row
}

func (g *generator) value(t schema.Type) schema.Value {
	switch kindOf(t) {
	case kindBool:
		return schema.BoolValue(g.IntN(2) == 0)
	case kindInt:
		return schema.IntValue(pick(g, pick(g, someInts...), g.Int64()-g.Int64(), g.Int64N(100)-20))
	case kindDouble:
		return schema.FloatValue(pick(g, pick(g, someDoubles...), math.NaN(), g.NormFloat64()*100, float64(g.IntN(50))))
	case kindString:
		return schema.StringValue([]byte(pick(g, someTexts...)))
	case kindBytes:
		return schema.BytesValue([]byte(pick(g, "", "a", "ab", "\xff\x00", "ABC", "12")))
	}
	unit := perSecond(t)
	sec := pick(g, 0, -1, 1357371000, 951782400, 951868799, -62135596800, -62135596801, 253402300799, 253402300800, g.Int64N(4e9)-2e9)
	if unit == billion && (sec > 9e9 || sec < -9e9) {
		sec = 1
	}
	return schema.IntValue(sec*unit + pick(g, 0, 1, unit-1))
}

// userFunctions: one of each behaviour.
func userFunctions() map[string]Function {
	long := schema.Type{Kind: schema.KindInt, Avro: "long"}
	nullable := schema.Type{Kind: schema.KindInt, Avro: "long", Nullable: true}
	text := schema.Type{Kind: schema.KindString, Avro: "string"}
	millis := schema.Type{Kind: schema.KindInt, Avro: "long", Logical: "timestamp-millis"}
	return map[string]Function{
		"udf_sum": {Args: []schema.Type{long, nullable}, Result: nullable, Call: func(args []schema.Value) (schema.Value, error) {
			switch {
			case args[1].IsNull():
				return schema.NullValue(), nil
			case args[0].Int() == 7:
				return schema.Value{}, errors.New("seven")
			case args[0].Int() == 60:
				panic("sixty")
			}
			return schema.IntValue(args[0].Int() + args[1].Int()), nil
		}},
		"udf_null": {Args: []schema.Type{nullable}, Result: schema.Type{Kind: schema.KindBool, Avro: "boolean"}, Call: func(args []schema.Value) (schema.Value, error) {
			return schema.BoolValue(args[0].IsNull()), nil
		}},
		"udf_upper": {Args: []schema.Type{text}, Result: text, Call: func(args []schema.Value) (schema.Value, error) {
			return schema.StringValue([]byte(strings.ToUpper(string(args[0].Bytes)))), nil
		}},
		"udf_next": {Args: []schema.Type{millis}, Result: millis, Call: func(args []schema.Value) (schema.Value, error) {
			return schema.IntValue(args[0].Int() + 1), nil
		}},
	}
}
