package schema

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
)

// leafFromJSON gives what goavro encodes as n, which is neither nested nor a union.
func leafFromJSON(n *node, v any, path string) (any, error) {
	switch n.avro {
	case "null":
		if v != nil {
			return nil, expected(path, "null", v)
		}
		return nil, nil
	case "boolean":
		if b, ok := v.(bool); ok {
			return b, nil
		}
		return nil, expected(path, "true or false", v)
	case "int", "long":
		return intFromJSON(n, v, path)
	case "float", "double":
		return floatFromJSON(n, v, path)
	case "string":
		if s, ok := v.(string); ok {
			return s, nil
		}
		return nil, expected(path, "a text", v)
	case "enum":
		return enumFromJSON(n, v, path)
	}
	return bytesFromJSON(n, v, path)
}

func enumFromJSON(n *node, v any, path string) (any, error) {
	s, ok := v.(string)
	if !ok {
		return nil, expected(path, "a symbol of "+n.name, v)
	}
	for _, symbol := range n.symbols {
		if s == symbol {
			return s, nil
		}
	}
	err := expected(path, fmt.Sprintf("a symbol of %s %v", n.name, n.symbols), v)
	if meant := Suggest(s, n.symbols); meant != "" {
		err = fmt.Errorf("%w, did you mean %q?", err, meant)
	}
	return nil, err
}

func intFromJSON(n *node, v any, path string) (any, error) {
	what := "a whole number (" + n.typ().String() + ")"
	if units, _ := unitsPerSecond(n.logical); units > 0 || n.logical == "date" {
		what = "a " + n.logical + ", as text or as a whole number"
	}
	var i int64
	switch v := v.(type) {
	case json.Number:
		var ok bool
		if i, ok = wholeNumber(v.String()); !ok {
			return nil, expected(path, what, v)
		}
	case string:
		var err error
		if i, err = parseLogical(n.logical, v); err != nil {
			return nil, fmt.Errorf("%w: %w", expected(path, what, v), err)
		}
	default:
		return nil, expected(path, what, v)
	}
	if n.avro == "int" {
		if int64(int32(i)) != i {
			return nil, expected(path, "a whole number within 32 bits", v)
		}
		return int32(i), nil
	}
	return i, nil
}

// wholeNumber reads a JSON number exactly. Forms like 1e3 and 5.0 are what some
// tools make of whole numbers; they are taken while a double holds them exactly.
func wholeNumber(s string) (int64, bool) {
	if i, err := strconv.ParseInt(s, 10, 64); err == nil {
		return i, true
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) >= 1<<53 || f == 0 && math.Signbit(f) {
		return 0, false // 2^53 itself could be the rounding of 2^53 + 1
	}
	return int64(f), true
}

func floatFromJSON(n *node, v any, path string) (any, error) {
	bits := 64
	if n.avro == "float" {
		bits = 32
	}
	var f float64
	switch v := v.(type) {
	case json.Number:
		var err error
		if f, err = strconv.ParseFloat(v.String(), bits); err != nil {
			return nil, expected(path, fmt.Sprintf("a number within the range of a %s", n.avro), v)
		}
	case string:
		switch v {
		case "NaN":
			f = math.NaN()
		case "Infinity":
			f = math.Inf(1)
		case "-Infinity":
			f = math.Inf(-1)
		default:
			return nil, expected(path, `a number, "NaN", "Infinity" or "-Infinity"`, v)
		}
	default:
		return nil, expected(path, "a number ("+n.avro+")", v)
	}
	if bits == 32 {
		return float32(f), nil
	}
	return f, nil
}

func bytesFromJSON(n *node, v any, path string) (any, error) {
	var out []byte
	var err error
	switch v := v.(type) {
	case json.Number:
		if n.logical != "decimal" {
			return nil, expected(path, "a text with a character U+0000 to U+00FF for each byte", v)
		}
		out, err = decimalBytes(v.String(), n)
	case string:
		if n.logical == "decimal" {
			out, err = decimalBytes(v, n)
		} else if out, err = latin1(v); err == nil && n.avro == "fixed" && len(out) != n.size {
			err = fmt.Errorf("%d bytes, exactly %d are needed", len(out), n.size)
		}
	default:
		return nil, expected(path, "a text ("+n.typ().String()+")", v)
	}
	if err != nil {
		return nil, fmt.Errorf("field %q: %s: %w", clip(path), describe(v), err)
	}
	return out, nil
}

// latin1 reads Avro's JSON form of bytes.
func latin1(s string) ([]byte, error) {
	out := make([]byte, 0, len(s))
	for _, r := range s {
		if r > 0xff {
			return nil, fmt.Errorf("character %q is beyond U+00FF: bytes are written with one character U+0000 to U+00FF each", r)
		}
		out = append(out, byte(r))
	}
	return out, nil
}

// fromDefault gives what goavro encodes for a schema's default, which was
// validated and typed when the schema was parsed.
func fromDefault(n *node, def any, path string) (any, error) {
	switch n.avro {
	case "union":
		for _, branch := range n.branches {
			if (branch.avro == "null") != (def == nil) {
				continue
			}
			if out, err := fromDefault(branch, def, path); err == nil {
				return inBranch(branch, out), nil
			}
		}
		return nil, fmt.Errorf("field %q: the schema's default %v fits no branch", path, def)
	case "record":
		given, ok := def.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("field %q: the schema's default %v is no record", path, def)
		}
		return defaultRecord(n, given, path)
	case "array":
		list, ok := def.([]any)
		if !ok {
			return nil, fmt.Errorf("field %q: the schema's default %v is no array", path, def)
		}
		out := make([]any, len(list))
		for i, item := range list {
			var err error
			if out[i], err = fromDefault(n.items, item, path); err != nil {
				return nil, err
			}
		}
		return out, nil
	case "map":
		object, ok := def.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("field %q: the schema's default %v is no map", path, def)
		}
		out := make(map[string]any, len(object))
		for key, item := range object {
			var err error
			if out[key], err = fromDefault(n.items, item, path); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	return defaultLeaf(n, def, path)
}

func defaultRecord(n *node, given map[string]any, path string) (any, error) {
	out := make(map[string]any, len(n.fields))
	for i := range n.fields {
		f := &n.fields[i]
		def, ok := given[f.name]
		if !ok {
			if !f.hasDefault {
				return nil, fmt.Errorf("field %q: the schema's default lacks %q", path, f.name)
			}
			def = f.def
		}
		var err error
		if out[f.name], err = fromDefault(f.node, def, join(path, f.name)); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// defaultLeaf checks that the default has the type that goavro takes for n.
func defaultLeaf(n *node, def any, path string) (any, error) {
	ok := false
	switch n.avro {
	case "null":
		ok = def == nil
	case "boolean":
		_, ok = def.(bool)
	case "int":
		_, ok = def.(int32)
	case "long":
		_, ok = def.(int64)
	case "float":
		_, ok = def.(float32)
	case "double":
		_, ok = def.(float64)
	case "string", "enum":
		_, ok = def.(string)
	case "bytes", "fixed":
		_, ok = def.([]byte)
	}
	if !ok {
		return nil, fmt.Errorf("field %q: the schema's default %v is no %s", path, def, n.avro)
	}
	return def, nil
}
