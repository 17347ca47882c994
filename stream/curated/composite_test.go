package curated

import (
	"bytes"
	"encoding/binary"
	"math/big"
	"reflect"
	"testing"

	"github.com/linkedin/goavro/v2"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/window"
)

// made is an aggregate of a given result, for codecs only.
type made struct {
	window.Aggregate
	result schema.Type
}

func (m made) Result() schema.Type { return m.result }

func raw(text string) schema.Type {
	return schema.Type{Kind: schema.KindBytes, Avro: "raw", Raw: text, Nullable: true}
}

const topK = `{"type":"array","items":{"type":"record","name":"top_k","fields":[{"name":"value","type":["null","string"]},{"name":"count","type":"long"}]}}`

// composite has two aggregates of one composite type, a list, a decimal, and a decimal in its key.
func composite(t *testing.T) *Codec {
	t.Helper()
	fare := schema.Type{Kind: schema.KindBytes, Avro: "bytes", Logical: "decimal", Precision: 12, Scale: 2, Nullable: true}
	c, err := NewCodec("p", "tops", []GroupField{{Name: "fare", Type: fare}}, []window.Agg{
		{Name: "carriers", Func: window.Custom, Custom: made{result: raw(topK)}},
		{Name: "origins", Func: window.Custom, Custom: made{result: raw(topK)}},
		{Name: "delays", Func: window.Custom, Custom: made{result: raw(`{"type":"array","items":"long"}`)}},
		{Name: "total", Func: window.Custom, Custom: made{result: fare}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// datums of topK: one entry AA 3 and one null 1, and none.
var (
	twoTops = []byte{4, 2, 4, 'A', 'A', 6, 0, 2, 0}
	noTops  = []byte{0}
)

func compositeRow(c *Codec) *Row {
	fare := schema.BytesValue([]byte{0x04, 0xe2}) // 12.50
	return &Row{Key: c.AppendGroupKey(nil, []schema.Value{fare}), Start: 0, End: 1000, Revision: 3, Status: Closed, Cause: CauseClose, Events: 4, Pipeline: "p",
		Values: []schema.Value{schema.BytesValue(twoTops), schema.BytesValue(noTops), schema.BytesValue([]byte{4, 2, 6, 0}), schema.BytesValue([]byte{0xff, 0x38})}}
}

// TestComposite: composite values pass through as they are, any Avro library reads them, and two aggregates of one
// function don't clash (invariant 5).
func TestComposite(t *testing.T) {
	c := composite(t)
	row := compositeRow(c)
	key, value := c.AppendKey(nil, row), c.AppendValue(nil, row)
	var got Row
	if err := c.Decode(key, value, &got); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got.Values, row.Values) || got.Revision != 3 {
		t.Errorf("decoded %+v", got)
	}
	codec, err := goavro.NewCodec(c.ValueSchema())
	if err != nil {
		t.Fatal(err)
	}
	native, rest, err := codec.NativeFromBinary(value)
	if err != nil || len(rest) > 0 {
		t.Fatal(err, rest)
	}
	fields := native.(map[string]any)
	if total := fields["total"].(map[string]any)["bytes.decimal"].(*big.Rat); total.Cmp(big.NewRat(-2, 1)) != 0 {
		t.Errorf("the total is %v", total)
	}
	for i, want := range []string{`[{"value":"AA","count":3},{"value":null,"count":1}]`, "[]", "[1,3]", "-2.00"} {
		if text := c.FormatValue(i, row.Values[i]); text != want {
			t.Errorf("value %d is %s, want %s", i, text, want)
		}
	}
	row.Status = Retracted
	if err := c.Decode(key, c.AppendValue(nil, row), &got); err != nil || !got.Values[0].IsNull() || !got.Values[3].IsNull() {
		t.Errorf("a retracted row: %v, %v", got.Values, err)
	}
}

// TestCompositeCorrupt: bytes that are no value of the type are refused, whatever they are, without much work.
func TestCompositeCorrupt(t *testing.T) {
	c := composite(t)
	row := compositeRow(c)
	key := c.AppendKey(nil, row)
	good := c.AppendValue(nil, row)
	var got Row
	for n := range good {
		if err := c.Decode(key, good[:n], &got); err == nil {
			t.Errorf("decoded from %d of %d bytes", n, len(good))
		}
	}
	for name, datum := range map[string][]byte{
		"a count beyond the bytes": binary.AppendVarint(nil, 1<<40),
		"the least count":          append(binary.AppendVarint(nil, -1<<63), 0),
		"a branch too far":         {2, 4, 0, 0},
		"no UTF-8":                 {2, 2, 2, 0xff, 0, 0},
		"a long form":              {0x82, 0x00, 0, 0, 0},
	} {
		row.Values[0] = schema.BytesValue(datum)
		if err := c.Decode(key, c.AppendValue(nil, row), &got); err == nil {
			t.Errorf("%s: decoded", name)
		}
	}
}

// TestBadComposite: schemas that can't be part of the record's are refused, with the aggregate's name.
func TestBadComposite(t *testing.T) {
	for _, text := range []string{`{`, `"nothing"`, `{"type":"record","name":"a.b","fields":[]}`, `{"type":"array"}`, `7`,
		`{"type":"record","name":"a","fields":[{"name":"next","type":["null","a"]}]}`, `{"type":"record","name":"a","fields":[{"type":"int"}]}`} {
		_, err := NewCodec("p", "o", nil, []window.Agg{{Name: "top", Func: window.Custom, Custom: made{result: raw(text)}}})
		if err == nil || !bytes.Contains([]byte(err.Error()), []byte(`aggregate "top"`)) {
			t.Errorf("%s: %v", text, err)
		}
	}
	if Groupable(raw(topK)) {
		t.Error("a list is no key")
	}
}

// TestDecimalText: what people type gives the bytes that the decoder gives, and back.
func TestDecimalText(t *testing.T) {
	c := composite(t)
	for text, want := range map[string]string{"12.50": "12.50", "12.5": "12.50", "0": "0.00", "-0.01": "-0.01", "-1.28": "-1.28", "1.28": "1.28", "-1.29": "-1.29",
		"0.5": "0.50", "-327.68": "-327.68", "9999999999.99": "9999999999.99", `\N`: `\N`} {
		key, err := c.ParseKey(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.FormatKey(key); got != want {
			t.Errorf("%s is %s, want %s", text, got, want)
		}
	}
	if key, err := c.ParseKey("-1.28"); err != nil || !bytes.Equal(key, []byte{2, 2, 0x80}) {
		t.Errorf("-1.28 is %x, %v: one byte is enough", key, err)
	}
	for _, text := range []string{"", "12.505", "1e3", "twelve", "-", "1.2.3"} {
		if _, err := c.ParseKey(text); err == nil {
			t.Errorf("%q is a key", text)
		}
	}
}
