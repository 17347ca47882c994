package curated

import (
	"bytes"
	"strings"
	"testing"

	"github.com/tidemark-io/tidemark/schema"
)

// TestKeyText: what people type and read is one to one with the bytes of a group (invariant 1).
func TestKeyText(t *testing.T) {
	f, e := flights(t), every(t)
	for _, c := range []struct {
		codec  *Codec
		values []schema.Value
		text   string
	}{
		{f, []schema.Value{text("JFK")}, "JFK"},
		{f, []schema.Value{text("")}, ""},
		{f, []schema.Value{text(`a,b\c`)}, `a\,b\\c`},
		{f, []schema.Value{text("N")}, "N"},
		{f, []schema.Value{text("a\nb\x1b[31m\u202eé u{1b}")}, `a\u{a}b\u{1b}[31m\u{202e}é u{1b}`},
		{f, []schema.Value{text(`\u{1b}`)}, `\\u{1b}`},
		{e, []schema.Value{schema.BoolValue(false), schema.IntValue(-7), schema.NullValue(), schema.BytesValue([]byte{0, 171}), schema.IntValue(1357740000000), schema.IntValue(3)},
			`false,-7,\N,00ab,2013-01-09T14:00:00Z,3`},
		{e, []schema.Value{schema.BoolValue(true), schema.NullValue(), text("NULL"), schema.BytesValue(nil), schema.NullValue(), schema.IntValue(0)},
			`true,\N,NULL,,\N,0`},
		{e, []schema.Value{schema.BoolValue(true), schema.NullValue(), text("a"), schema.BytesValue(nil), schema.IntValue(1 << 60), schema.IntValue(0)},
			`true,\N,a,,1152921504606846976,0`},
	} {
		want := key(c.codec, c.values...)
		if got := c.codec.FormatKey(want); got != c.text {
			t.Errorf("%x is shown as %s, want %s", want, got, c.text)
		}
		if got, err := c.codec.ParseKey(c.text); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is read as %x, want %x, %v", c.text, got, want, err)
		}
	}
	if got := f.FormatKey([]byte{200, 1}); got != "0x?c801" {
		t.Errorf("bytes that are no key are shown as %s", got)
	}
	none, err := NewCodec("p", "o", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := none.ParseKey(""); err != nil || len(got) != 0 {
		t.Errorf("the key of no fields is %x, %v", got, err)
	}
}

func TestParseKeyRefuses(t *testing.T) {
	f, e := flights(t), every(t)
	for _, c := range []struct {
		codec      *Codec
		text, want string
	}{
		{f, "JFK,1", `has 2 fields, but this output is grouped by 1 (origin)`},
		{f, `\N`, "it is never null"},
		{f, `a\b`, "a backslash stands alone"},
		{f, `a\`, "a backslash stands alone"},
		{f, "\xff", "not valid UTF-8"},
		{e, `yes,1,a,00,1,1`, "write true or false"},
		{e, `true,x,a,00,1,1`, "no whole number"},
		{e, `true,1,a,0g,1,1`, "not hexadecimal"},
		{e, `true,1,a,00,9 Jan,1`, "is no time"},
	} {
		if _, err := c.codec.ParseKey(c.text); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error is %v, want one with %q", c.text, err, c.want)
		}
	}
}

// FuzzDecode: bytes that decode are the canonical bytes of what they decode to, and the key's text leads back to it
// (invariants 1 and 2).
func FuzzDecode(f *testing.F) {
	var t testing.T
	for _, ex := range examples(&t) {
		k, v := encode(ex)
		f.Add(k, v)
	}
	c := every(&t)
	f.Fuzz(func(t *testing.T, k, v []byte) {
		var r Row
		if c.Decode(k, v, &r) != nil {
			return
		}
		if r.Status == Retracted {
			return // its aggregates are written as defaults, whatever they were
		}
		if again := c.AppendKey(nil, &r); !bytes.Equal(again, k) {
			t.Errorf("key %x is written again as %x", k, again)
		}
		if again := c.AppendValue(nil, &r); !bytes.Equal(again, v) {
			t.Errorf("value %x is written again as %x", v, again)
		}
		if parsed, err := c.ParseKey(c.FormatKey(r.Key)); err != nil || !bytes.Equal(parsed, r.Key) {
			t.Errorf("key %x is shown as %s and read as %x, %v", r.Key, c.FormatKey(r.Key), parsed, err)
		}
	})
}
