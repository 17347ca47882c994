package curated

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/tidemark-io/tidemark/schema"
)

// A group key as people type and read it, as in "explain --key JFK": the fields' texts joined by commas. A backslash
// stands before a comma or backslash that belongs to a text, and \N is the null, which tells it from the string "N".
// Characters that would move the cursor or turn the text around are written as in \u{1b}: a key is data, and no commands
// to a terminal.
// Numbers are decimal, those of a decimal type with all digits of its scale,
// booleans true and false, timestamps RFC 3339 in UTC, bytes hexadecimal.
const nullText = `\N`

// FormatKey is a group key as text. ParseKey gives the same bytes back. Bytes that are no group key of this output
// are shown as hexadecimal digits behind "0x?".
func (c *Codec) FormatKey(groupKey []byte) string {
	d := decoderOf(groupKey)
	values := c.decodeGroup(&d, nil)
	if d.End() != nil {
		return "0x?" + hex.EncodeToString(groupKey)
	}
	parts := make([]string, len(values))
	for i, v := range values {
		parts[i] = formatField(v, c.group[i].Type)
	}
	return strings.Join(parts, ",")
}

func formatField(v schema.Value, t schema.Type) string {
	switch v.Kind {
	case schema.KindNull:
		return nullText
	case schema.KindBool:
		return strconv.FormatBool(v.Bool())
	case schema.KindInt:
		if at, ok := instant(v.Int(), t.Logical); ok {
			return at.Format(time.RFC3339Nano)
		}
		return strconv.FormatInt(v.Int(), 10)
	case schema.KindBytes:
		if t.Decimal() {
			return formatDecimal(v.Bytes, t.Scale)
		}
		return hex.EncodeToString(v.Bytes)
	}
	return escapeText(string(v.Bytes))
}

// escapeText is a text within a key.
func escapeText(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '\\' || r == ',':
			b.WriteByte('\\')
			b.WriteRune(r)
		case unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029':
			fmt.Fprintf(&b, `\u{%x}`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// instant is a timestamp as a time, if RFC 3339 can write it: the years 0 to 9999.
func instant(n int64, logical string) (time.Time, bool) {
	var at time.Time
	switch logical {
	case "timestamp-millis":
		at = time.UnixMilli(n).UTC()
	case "timestamp-micros":
		at = time.UnixMicro(n).UTC()
	default:
		return at, false
	}
	return at, at.Year() >= 0 && at.Year() <= 9999
}

// ParseKey reads a group key as FormatKey writes it and gives its canonical bytes. The error says which field is
// wrong and what it should look like.
func (c *Codec) ParseKey(text string) ([]byte, error) {
	parts := splitKey(text)
	if len(c.group) == 0 && text == "" {
		return nil, nil
	}
	if len(parts) != len(c.group) {
		return nil, fmt.Errorf("key %q has %d fields, but this output is grouped by %d (%s): write them in this order with commas between, and \\, for a comma within one",
			text, len(parts), len(c.group), c.groupNames())
	}
	values := make([]schema.Value, len(parts))
	for i, part := range parts {
		v, err := parseField(part, c.group[i].Type)
		if err != nil {
			return nil, fmt.Errorf("key %q: field %s: %w", text, c.group[i].Name, err)
		}
		values[i] = v
	}
	return c.AppendGroupKey(nil, values), nil
}

func (c *Codec) groupNames() string {
	names := make([]string, len(c.group))
	for i, g := range c.group {
		names[i] = g.Name
	}
	return strings.Join(names, ",")
}

// splitKey cuts at commas that no backslash stands before, and leaves the backslashes in.
func splitKey(text string) []string {
	var parts []string
	from := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case ',':
			parts = append(parts, text[from:i])
			from = i + 1
		}
	}
	return append(parts, text[from:])
}

func parseField(part string, t schema.Type) (schema.Value, error) {
	if part == nullText {
		if !t.Nullable {
			return schema.Value{}, fmt.Errorf("it is never null; write a %s", t.Kind)
		}
		return schema.NullValue(), nil
	}
	switch t.Kind {
	case schema.KindBool:
		if part != "true" && part != "false" {
			return schema.Value{}, fmt.Errorf("%q is no boolean; write true or false", part)
		}
		return schema.BoolValue(part == "true"), nil
	case schema.KindInt:
		return parseInt(part, t.Logical)
	case schema.KindBytes:
		if t.Decimal() {
			return parseDecimal(part, t)
		}
		b, err := hex.DecodeString(part)
		if err != nil {
			return schema.Value{}, fmt.Errorf("%q is not hexadecimal; write the bytes as in 00ff", part)
		}
		return schema.BytesValue(b), nil
	}
	return parseText(part)
}

func parseInt(part, logical string) (schema.Value, error) {
	n, err := strconv.ParseInt(part, 10, 64)
	if err == nil {
		return schema.IntValue(n), nil
	}
	at, timeErr := time.Parse(time.RFC3339Nano, part)
	switch {
	case logical == "timestamp-millis" && timeErr == nil:
		return schema.IntValue(at.UnixMilli()), nil
	case logical == "timestamp-micros" && timeErr == nil:
		return schema.IntValue(at.UnixMicro()), nil
	case logical == "timestamp-millis" || logical == "timestamp-micros":
		return schema.Value{}, fmt.Errorf("%q is no time; write it as in 2013-01-09T14:00:00Z", part)
	}
	return schema.Value{}, fmt.Errorf("%q is no whole number of 64 bits", part)
}

func parseText(part string) (schema.Value, error) {
	if !utf8.ValidString(part) {
		return schema.Value{}, fmt.Errorf("%q is not valid UTF-8", part)
	}
	text := make([]byte, 0, len(part))
	for i := 0; i < len(part); i++ {
		if part[i] == '\\' {
			i++
			if r, n := escapedRune(part[i:]); n > 0 {
				text = utf8.AppendRune(text, r)
				i += n - 1
				continue
			}
			if i == len(part) || part[i] != '\\' && part[i] != ',' {
				return schema.Value{}, fmt.Errorf(`in %q a backslash stands alone; write \\ for it, \, for a comma`, part)
			}
		}
		text = append(text, part[i])
	}
	return schema.StringValue(text), nil
}

// escapedRune reads u{1b} and says how long it is; 0 for anything else.
func escapedRune(s string) (r rune, n int) {
	hexed, _, ok := strings.Cut(s, "}")
	digits, found := strings.CutPrefix(hexed, "u{")
	if !ok || !found {
		return 0, 0
	}
	code, err := strconv.ParseUint(digits, 16, 32)
	if err != nil || !utf8.ValidRune(rune(code)) {
		return 0, 0
	}
	return rune(code), len(hexed) + 1
}
