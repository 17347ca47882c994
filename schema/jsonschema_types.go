package schema

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// typesOf are a schema's types; where it names none, those that its other keywords imply.
func typesOf(s map[string]any, pointer string) ([]string, error) {
	switch t := s["type"].(type) {
	case string:
		return []string{t}, nil
	case []any:
		var out []string
		for _, one := range t {
			name, ok := one.(string)
			if !ok {
				return nil, fmt.Errorf("%s: a type is a text, not %s", pointer, describe(one))
			}
			out = append(out, name)
		}
		return out, nil
	case nil:
	default:
		return nil, fmt.Errorf("%s: type is a text or a list of them, not %s", pointer, describe(t))
	}
	switch {
	case s["properties"] != nil:
		return []string{"object"}, nil
	case s["items"] != nil:
		return []string{"array"}, nil
	case textsOf(s) != nil:
		return []string{"string"}, nil
	}
	return nil, nil
}

// textsOf are the values of enum or const, if all of them are texts or null.
func textsOf(s map[string]any) []any {
	list, ok := s["enum"].([]any)
	if one, found := s["const"]; found {
		list, ok = []any{one}, true
	}
	if !ok {
		return nil
	}
	for _, v := range list {
		if _, text := v.(string); !text && v != nil {
			return nil
		}
	}
	return list
}

func integerShape(s map[string]any) any {
	switch format := s["format"]; format {
	case "int32":
		return "int"
	case "timestamp-millis", "timestamp-micros":
		return map[string]any{"type": "long", "logicalType": format}
	}
	return "long"
}

func decimalShape(s map[string]any, pointer string) (any, error) {
	precision, err := wholeKeyword(s, "precision", pointer)
	if err != nil {
		return nil, err
	}
	scale, err := wholeKeyword(s, "scale", pointer)
	if err != nil {
		return nil, err
	}
	return map[string]any{"type": "bytes", "logicalType": "decimal", "precision": precision, "scale": scale}, nil
}

func wholeKeyword(s map[string]any, keyword, pointer string) (int64, error) {
	number, ok := s[keyword].(json.Number)
	v, whole := wholeNumber(number.String())
	if !ok || !whole || v < 0 {
		return 0, fmt.Errorf(`%s: format decimal needs "precision" and "scale", whole numbers: the most digits, and how many of them stand behind the point`, pointer)
	}
	return v, nil
}

// text is the shape of a string: by its format, an enum of names, or a string.
func (b *shapeBuilder) text(s map[string]any, name string, nullable bool) (any, bool) {
	switch s["format"] {
	case "date-time":
		return map[string]any{"type": "long", "logicalType": "timestamp-micros"}, nullable
	case "date":
		return map[string]any{"type": "int", "logicalType": "date"}, nullable
	}
	texts := textsOf(s)
	if texts == nil {
		return "string", nullable
	}
	symbols := []any{}
	for _, v := range texts {
		symbol, ok := v.(string)
		switch {
		case !ok:
			nullable = true
		case !avroName(symbol):
			return "string", nullable // Avro's symbols are names
		case !slices.Contains(symbols, v):
			symbols = append(symbols, v)
		}
	}
	if len(symbols) == 0 {
		return "null", true
	}
	return map[string]any{"type": "enum", "name": b.unique(name), "symbols": symbols}, nullable
}

// avroName reports whether Avro takes s as a name.
func avroName(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c != '_' && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}

func sortedKeys(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }
