package expr

import (
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// convert builds int(), double(), string(), bool(), bytes(), timestamp() and
// duration().
func convert(name string, args []node) (node, bool) {
	if len(args) != 1 {
		return node{}, false
	}
	a := args[0]
	if conversionTo[name] == a.kind && a.kind != kindNull {
		return whole(a), true
	}
	switch name {
	case "int":
		return toInt(a)
	case "double":
		switch a.kind {
		case kindInt:
			return doubleNode(unary(a, a.ints, func(x int64) (float64, *fault) { return float64(x), nil })), true
		case kindString:
			return doubleNode(unary(a, a.texts, parseDouble)), true
		}
	case "string":
		return toText(a)
	case "bool":
		if a.kind == kindString {
			return boolNode(unary(a, a.texts, parseBool)), true
		}
	case "bytes":
		if a.kind == kindString {
			return textNode(kindBytes, unary(a, a.texts, asIs)), true
		}
	case "timestamp":
		switch a.kind {
		case kindInt:
			return timeNode(unary(a, a.ints, fromSeconds)), true
		case kindString:
			n := timeNode(unary(a, a.texts, parseTime))
			n.zoned = !endsInZ(a)
			return n, true
		}
	case "duration":
		if a.kind == kindString {
			return spanNode(unary(a, a.texts, parseSpan)), true
		}
	}
	return node{}, false
}

// conversionTo gives the kind of a conversion's result.
var conversionTo = map[string]kind{
	"int": kindInt, "double": kindDouble, "string": kindString, "bool": kindBool,
	"bytes": kindBytes, "timestamp": kindTime, "duration": kindSpan,
}

// whole is a conversion of a value to the kind that it has: it takes no null.
func whole(a node) node {
	n := node{kind: a.kind, zoned: a.zoned}
	switch a.kind {
	case kindBool:
		n.bools = unary(a, a.bools, func(x bool) (bool, *fault) { return x, nil })
	case kindInt, kindSpan:
		n.ints = unary(a, a.ints, func(x int64) (int64, *fault) { return x, nil })
	case kindDouble:
		n.floats = unary(a, a.floats, func(x float64) (float64, *fault) { return x, nil })
	case kindString, kindBytes:
		n.texts = unary(a, a.texts, asIs)
	case kindTime:
		n.times = unary(a, a.times, func(x instant) (instant, *fault) { return x, nil })
	}
	return n
}

func asIs(text []byte) ([]byte, *fault) { return text, nil }

func toInt(a node) (node, bool) {
	switch a.kind {
	case kindDouble:
		return intNode(unary(a, a.floats, truncate)), true
	case kindString:
		return intNode(unary(a, a.texts, parseInt)), true
	case kindTime:
		return intNode(unary(a, a.times, func(t instant) (int64, *fault) { return t.sec, nil })), true
	case kindSpan:
		return intNode(unary(a, a.ints, func(x int64) (int64, *fault) { return x, nil })), true
	}
	return node{}, false
}

// truncate leaves out both ends of the range, as CEL does.
func truncate(x float64) (int64, *fault) {
	if math.IsNaN(x) || x <= math.MinInt64 || x >= math.MaxInt64 {
		return 0, faultOverflow
	}
	return int64(x), nil
}

func parseInt(text []byte) (int64, *fault) {
	x, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil {
		return 0, faultNotInt
	}
	return x, nil
}

func parseDouble(text []byte) (float64, *fault) {
	x, err := strconv.ParseFloat(string(text), 64)
	if err != nil {
		return 0, faultNotDouble
	}
	return x, nil
}

func parseBool(text []byte) (bool, *fault) {
	x, err := strconv.ParseBool(string(text))
	if err != nil {
		return false, faultNotBool
	}
	return x, nil
}

func fromSeconds(sec int64) (instant, *fault) {
	if sec < minSecond || sec > maxSecond {
		return instant{}, faultTime
	}
	return instant{sec: sec}, nil
}

// endsInZ reports a constant text whose timestamp is shown in UTC.
func endsInZ(a node) bool {
	if !a.constant {
		return false
	}
	text, s := a.texts(&run{})
	return s == valid && strings.HasSuffix(string(text), "Z")
}

// toText writes into the event's buffer. A timestamp made from a text with an
// offset shows that offset in CEL, which an instant does not know.
func toText(a node) (node, bool) {
	switch a.kind {
	case kindInt:
		return textNode(kindString, written(a, a.ints, func(b []byte, x int64) []byte { return strconv.AppendInt(b, x, 10) })), true
	case kindDouble:
		return textNode(kindString, written(a, a.floats, func(b []byte, x float64) []byte { return strconv.AppendFloat(b, x, 'g', -1, 64) })), true
	case kindBool:
		return textNode(kindString, written(a, a.bools, strconv.AppendBool)), true
	case kindSpan:
		return textNode(kindString, written(a, a.ints, func(b []byte, x int64) []byte {
			return append(strconv.AppendFloat(b, time.Duration(x).Seconds(), 'f', -1, 64), 's')
		})), true
	case kindTime:
		if !a.zoned {
			return textNode(kindString, written(a, a.times, func(b []byte, t instant) []byte {
				return t.utc(0).AppendFormat(b, time.RFC3339Nano)
			})), true
		}
	case kindBytes:
		return textNode(kindString, unary(a, a.texts, func(text []byte) ([]byte, *fault) {
			if !utf8.Valid(text) {
				return nil, faultUTF8
			}
			return text, nil
		})), true
	}
	return node{}, false
}

func written[T any](na node, a reader[T], write func([]byte, T) []byte) reader[[]byte] {
	isNull := na.isNull()
	return func(r *run) ([]byte, state) {
		x, s := a(r)
		if s != valid {
			return nil, r.need(s, isNull)
		}
		return r.made(write(r.text, x)), valid
	}
}
