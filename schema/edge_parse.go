package schema

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"
)

// parseJSON reads exactly one JSON value: objects as map[string]any, numbers
// as json.Number. Unlike encoding/json it refuses a key given twice and bytes
// that are no UTF-8: both would silently become other data.
func parseJSON(text []byte) (any, error) {
	if !utf8.Valid(text) {
		return nil, errors.New("not UTF-8")
	}
	if at := loneSurrogate(text); at >= 0 {
		return nil, fmt.Errorf("byte %d: half of a surrogate pair is no character", at)
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	v, err := jsonValue(dec, 0)
	if err != nil {
		if errors.Is(err, io.EOF) {
			return nil, errors.New("the JSON text ends too early")
		}
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("more text after the JSON value, at byte %d: one value a line is expected", dec.InputOffset())
	}
	return v, nil
}

// loneSurrogate is the place of the first \u escape that is half of a surrogate pair without the other, or -1. Decoders
// put U+FFFD in its place, which would make different ids the same.
func loneSurrogate(text []byte) int {
	high := -1 // where the first half stands, while the second is due
	for i := 0; i < len(text); i++ {
		unit := -1
		if text[i] == '\\' && i+1 < len(text) {
			if text[i+1] == 'u' && i+6 <= len(text) {
				if n, err := strconv.ParseUint(string(text[i+2:i+6]), 16, 16); err == nil {
					unit = int(n)
				}
			}
		}
		second := unit >= 0xdc00 && unit < 0xe000
		switch {
		case high >= 0 && !second:
			return high
		case high < 0 && second:
			return i
		}
		high = -1
		if unit >= 0xd800 && unit < 0xdc00 {
			high = i
		}
		if unit >= 0 {
			i += 5
		} else if text[i] == '\\' {
			i++ // whatever is escaped, a backslash included
		}
	}
	return high
}

func jsonValue(dec *json.Decoder, depth int) (any, error) {
	if depth > 4*MaxDepth { // a level of data takes several of JSON
		return nil, fmt.Errorf("nested deeper than %d levels", 4*MaxDepth)
	}
	token, err := dec.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		return jsonObject(dec, depth)
	case json.Delim('['):
		list := []any{}
		for dec.More() {
			v, err := jsonValue(dec, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err = dec.Token()
		return list, err
	}
	return token, nil
}

func jsonObject(dec *json.Decoder, depth int) (any, error) {
	object := map[string]any{}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return nil, err
		}
		name, ok := key.(string)
		if !ok {
			return nil, fmt.Errorf("a key of a JSON object must be a string, not %v", key)
		}
		if _, twice := object[name]; twice {
			return nil, fmt.Errorf("key %q is given twice", name)
		}
		if object[name], err = jsonValue(dec, depth+1); err != nil {
			return nil, err
		}
	}
	_, err := dec.Token()
	return object, err
}
