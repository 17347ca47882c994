package reconcile

import (
	"math"
	"testing"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/curated"
	"github.com/tidemark-io/tidemark/stream/pipeline"
	"github.com/tidemark-io/tidemark/stream/window"
)

// kept is an aggregate by the name of what it keeps and its result.
type kept struct {
	window.Aggregate
	cell   string
	result schema.Type
}

func (k kept) Cell() string        { return k.cell }
func (k kept) Result() schema.Type { return k.result }

// Totals of aggregates that aren't words: decimals add up exactly, what can't be added has no total.
func TestTotalsOfCustoms(t *testing.T) {
	double := schema.Type{Kind: schema.KindFloat, Avro: "double", Nullable: true}
	long := schema.Type{Kind: schema.KindInt, Avro: "long", Nullable: true}
	money := schema.Type{Kind: schema.KindBytes, Avro: "bytes", Logical: "decimal", Precision: 38, Scale: 2, Nullable: true}
	text := schema.Type{Kind: schema.KindString, Avro: "string", Nullable: true}
	at := schema.Type{Kind: schema.KindInt, Avro: "long", Logical: "timestamp-millis", Nullable: true}
	list := schema.Type{Kind: schema.KindBytes, Avro: "raw", Raw: `{"type":"array","items":"string"}`}
	unscaled := func(b ...byte) schema.Value { return schema.BytesValue(b) }
	f, i, s := schema.FloatValue, schema.IntValue, schema.StringValue
	for _, c := range []struct {
		name                 string
		cell                 string
		result               schema.Type
		one, two             schema.Value
		method, total, delta string
	}{
		{"sum of decimals", "decimal_sum/1 bytes=4", money, unscaled(0x04, 0xe2), unscaled(0x9c), methodSum, "11.50", "-1.00"},
		{"mean of decimals", "decimal_sum/1 bytes=4", double, f(1), f(4), methodMean, "3", "2"},
		{"least decimal", "min/1 decimal", money, unscaled(0x04, 0xe2), unscaled(0x9c), methodLeast, "-1.00", "-13.50"},
		{"greatest decimal", "max/1 decimal", money, unscaled(0x04, 0xe2), unscaled(0x9c), methodGreatest, "12.50", "0.00"},
		{"least text", "min/1 string", text, s([]byte("b")), s([]byte("a")), methodLeast, "a", "null"},
		{"greatest time", "max/1 long", at, i(0), i(3_600_000), methodGreatest, "1970-01-01T01:00:00Z", "null"},
		{"quantile", "ddsketch/1 alpha=0.01", double, f(1), f(4), methodMean, "3", "2"},
		{"distinct", "hyperloglog/1 x", long, i(3), i(4), methodSum, "7", "4"},
		{"last time", "last/1 x", at, i(0), i(1), methodNone, "null", "null"},
		{"last number", "last/1 x", long, i(1), i(4), methodMean, "3", "2"},
		{"last text", "last/1 x", text, s([]byte("b")), s([]byte("a")), methodNone, "null", "null"},
		{"any", "truth/1", schema.Type{Kind: schema.KindBool, Avro: "boolean"}, schema.BoolValue(true), schema.BoolValue(false), methodTrue, "1", "0"},
		{"top", "tally/1 x", list, unscaled(0), unscaled(0), methodNone, "null", "null"},
	} {
		tt := newTotals([]window.Agg{{Name: "a", Func: window.Custom, Custom: kept{cell: c.cell, result: c.result}}})
		before, first, second := &publishedRow{}, &batchRow{counts: []int64{1}}, &batchRow{counts: []int64{2}}
		before.row.Events, first.row.Events, second.row.Events = 1, 1, 2
		before.row.Values, first.row.Values, second.row.Values = []schema.Value{c.one}, []schema.Value{c.one}, []schema.Value{c.two}
		tt.add(pair{before: before, after: first})
		tt.add(pair{after: second})
		if got := tt.of("o")[0]; got.Method != c.method || got.After.String() != c.total || got.Delta.String() != c.delta {
			t.Errorf("%s: %q %s (%s), want %q %s (%s)", c.name, got.Method, got.After, got.Delta, c.method, c.total, c.delta)
		}
	}
}

// Values of results as documents and people see them: decimals with all their digits, times as times, lists as lists.
func TestNumbersOfResults(t *testing.T) {
	aggs := []window.Agg{
		{Name: "money", Func: window.Custom, Custom: kept{result: schema.Type{Kind: schema.KindBytes, Avro: "bytes", Logical: "decimal", Precision: 9, Scale: 2, Nullable: true}}},
		{Name: "at", Func: window.Custom, Custom: kept{result: schema.Type{Kind: schema.KindInt, Avro: "long", Logical: "timestamp-millis", Nullable: true}}},
		{Name: "top", Func: window.Custom, Custom: kept{result: schema.Type{Kind: schema.KindBytes, Avro: "raw", Raw: `{"type":"array","items":"string"}`}}},
		{Name: "n", Func: window.Count, Arg: -1},
	}
	codec, err := curated.NewCodec("p", "o", nil, aggs)
	if err != nil {
		t.Fatal(err)
	}
	p := &pipeline.Plan{Outputs: []window.Output{{Name: "o", Aggs: aggs}}, Codecs: []*curated.Codec{codec}}
	for i, c := range []struct {
		v          schema.Value
		text, json string
		number     bool
	}{
		{schema.BytesValue([]byte{0x04, 0xe2}), "12.50", `"12.50"`, true},
		{schema.IntValue(0), "1970-01-01T00:00:00Z", `"1970-01-01T00:00:00Z"`, false},
		{schema.BytesValue([]byte{2, 2, 'a', 0}), `["a"]`, `["a"]`, false},
		{schema.IntValue(math.MaxInt64), "9223372036854775807", "9223372036854775807", true},
	} {
		n := resultOf(p, 0, i, c.v)
		json, err := n.MarshalJSON()
		if _, ok := n.Float(); err != nil || n.String() != c.text || string(json) != c.json || ok != c.number {
			t.Errorf("%s: %s, %s, a number: %v, %v", aggs[i].Name, n, json, ok, err)
		}
		null := resultOf(p, 0, i, schema.NullValue())
		if json, err := null.MarshalJSON(); err != nil || string(json) != "null" || null.String() != "null" {
			t.Errorf("%s: null is %s, %s", aggs[i].Name, null, json)
		}
	}
}
