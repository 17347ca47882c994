package curated

import (
	"bytes"
	"encoding/hex"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/linkedin/goavro/v2"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/window"
)

func typ(kind schema.Kind, avro string, nullable bool) schema.Type {
	return schema.Type{Kind: kind, Avro: avro, Nullable: nullable}
}

// flights is the codec of the flights example.
func flights(t *testing.T) *Codec {
	t.Helper()
	c, err := NewCodec("flights", "departures-hourly",
		[]GroupField{{Name: "origin", Type: typ(schema.KindString, "string", false)}},
		[]window.Agg{
			{Name: "flights", Func: window.Count, Arg: -1},
			{Name: "over_60", Func: window.CountIf, In: typ(schema.KindBool, "boolean", false)},
			{Name: "mean_delay", Func: window.Mean, In: typ(schema.KindFloat, "double", true)},
			{Name: "max_delay", Func: window.Max, In: typ(schema.KindFloat, "double", true)},
			{Name: "distance", Func: window.Sum, In: typ(schema.KindInt, "long", false)},
		})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// every has a group field of each type, nullable or not, and aggregates of each type of result.
func every(t *testing.T) *Codec {
	t.Helper()
	millis := typ(schema.KindInt, "long", true)
	millis.Logical = "timestamp-millis"
	date := typ(schema.KindInt, "int", false)
	date.Logical = "date"
	c, err := NewCodec("every-thing", "x.y_z2", []GroupField{
		{Name: "b", Type: typ(schema.KindBool, "boolean", false)},
		{Name: "i", Type: typ(schema.KindInt, "int", true)},
		{Name: "s", Type: typ(schema.KindString, "enum", true)},
		{Name: "y", Type: typ(schema.KindBytes, "fixed", false)},
		{Name: "t", Type: millis},
		{Name: "d", Type: date},
	}, []window.Agg{
		{Name: "n", Func: window.Count, Arg: -1},
		{Name: "low", Func: window.Min, In: typ(schema.KindInt, "int", false)},
		{Name: "latest", Func: window.Max, In: millis},
		{Name: "total", Func: window.Sum, In: typ(schema.KindFloat, "float", false)},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func key(c *Codec, values ...schema.Value) []byte { return c.AppendGroupKey(nil, values) }

func text(s string) schema.Value { return schema.StringValue([]byte(s)) }

type example struct {
	codec *Codec
	row   Row
}

func examples(t *testing.T) map[string]example {
	f, e := flights(t), every(t)
	const start, end = 1357740000000, 1357743600000
	return map[string]example{
		"closed": {f, Row{Key: key(f, text("JFK")), Group: []schema.Value{text("JFK")}, Start: start, End: end,
			Values:   []schema.Value{schema.IntValue(18), schema.IntValue(0), schema.FloatValue(1), schema.FloatValue(44), schema.IntValue(36012)},
			Revision: 19, Status: Closed, Cause: CauseClose, Events: 18, Pipeline: "flights", PublishedAt: 1357745400123}},
		"reconciled": {f, Row{Key: key(f, text("JFK")), Group: []schema.Value{text("JFK")}, Start: start, End: end,
			Values:   []schema.Value{schema.IntValue(19), schema.IntValue(1), schema.FloatValue(69.42), schema.FloatValue(1301), schema.IntValue(44032)},
			Revision: 20, Status: Reconciled, Cause: CauseMixed, Events: 19, Late: 1, Duplicates: 2, Pipeline: "flights", PublishedAt: 1357945400123, Run: "7f3c91"}},
		"retracted": {f, Row{Key: key(f, text("")), Group: []schema.Value{text("")}, Start: -3600000, End: 0,
			Values:   []schema.Value{schema.IntValue(0), schema.IntValue(0), schema.NullValue(), schema.NullValue(), schema.NullValue()},
			Revision: math.MaxInt64, Status: Retracted, Cause: CauseCode, Pipeline: "flights", Run: "é"}},
		"every": {e, Row{
			Key:   key(e, schema.BoolValue(true), schema.NullValue(), text("UP"), schema.BytesValue([]byte{0, 255}), schema.IntValue(start), schema.IntValue(15714)),
			Group: []schema.Value{schema.BoolValue(true), schema.NullValue(), text("UP"), schema.BytesValue([]byte{0, 255}), schema.IntValue(start), schema.IntValue(15714)},
			Start: start, End: end,
			Values:   []schema.Value{schema.IntValue(2), schema.IntValue(math.MinInt64), schema.IntValue(start + 1), schema.FloatValue(math.Copysign(0, -1))},
			Revision: 1, Status: Open, Cause: CauseUpdate, Events: 1, Pipeline: "every-thing"}},
	}
}

func encode(ex example) (key, value []byte) {
	return ex.codec.AppendKey(nil, &ex.row), ex.codec.AppendValue(nil, &ex.row)
}

// TestGoldenBytes holds old bytes against today's codec, in both directions (invariant 5).
func TestGoldenBytes(t *testing.T) {
	files, err := filepath.Glob("testdata/v1-*.hex")
	if err != nil {
		t.Fatal(err)
	}
	all := examples(t)
	if len(files) != len(all) {
		t.Fatalf("%d golden files for %d examples", len(files), len(all))
	}
	for _, file := range files {
		ex := all[strings.TrimSuffix(strings.TrimPrefix(filepath.Base(file), "v1-"), ".hex")]
		oldKey, oldValue := readRecord(t, file)
		var got Row
		if err := ex.codec.Decode(oldKey, oldValue, &got); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if !reflect.DeepEqual(normal(got), normal(ex.row)) {
			t.Errorf("%s decodes to\n%+v, want\n%+v", file, got, ex.row)
		}
		if k, v := encode(ex); !bytes.Equal(k, oldKey) || !bytes.Equal(v, oldValue) {
			t.Errorf("%s is written now as\nkey %x\nvalue %x", file, k, v)
		}
	}
}

// normal makes rows comparable: nil and empty bytes are one.
func normal(r Row) Row {
	for _, values := range []*[]schema.Value{&r.Group, &r.Values} {
		out := make([]schema.Value, len(*values))
		for i, v := range *values {
			v.Bytes = append([]byte{}, v.Bytes...)
			out[i] = v
		}
		*values = out
	}
	return r
}

// readRecord reads a record in hexadecimal: lines of a field's name and its bytes, those of the key marked by "key ".
func readRecord(t *testing.T, file string) (key, value []byte) {
	t.Helper()
	lines, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(lines)) {
		name, digits, _ := strings.Cut(line, ":")
		b, err := hex.DecodeString(strings.Join(strings.Fields(digits), ""))
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if strings.HasPrefix(name, "key ") {
			key = append(key, b...)
		}
		value = append(value, b...)
	}
	return key, value
}

// TestSchemas compares both schemas with the published shape.
func TestSchemas(t *testing.T) {
	for name, c := range map[string]*Codec{"flights": flights(t), "every": every(t)} {
		for suffix, got := range map[string]string{"key": c.KeySchema(), "value": c.ValueSchema()} {
			file := "testdata/v1-" + name + "-" + suffix + ".avsc"
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if got+"\n" != string(want) {
				t.Errorf("%s is another now:\n%s", file, got)
			}
			if _, err := schema.Parse([]byte(got)); err != nil {
				t.Errorf("%s: %v", file, err)
			}
		}
	}
}

// TestGoavroReadsRecords: an independent Avro library reads key and value, and writes them again to the same bytes
// (invariant 5).
func TestGoavroReadsRecords(t *testing.T) {
	for name, ex := range examples(t) {
		key, value := encode(ex)
		for _, part := range []struct {
			schema string
			bytes  []byte
		}{{ex.codec.KeySchema(), key}, {ex.codec.ValueSchema(), value}} {
			codec, err := goavro.NewCodec(part.schema)
			if err != nil {
				t.Fatal(err)
			}
			native, rest, err := codec.NativeFromBinary(part.bytes)
			if err != nil || len(rest) > 0 {
				t.Fatalf("%s: %v, %d bytes left", name, err, len(rest))
			}
			if again, err := codec.BinaryFromNative(nil, native); err != nil || !bytes.Equal(again, part.bytes) {
				t.Errorf("%s: goavro writes\n%x, we\n%x, %v", name, again, part.bytes, err)
			}
			if name == "reconciled" && len(part.bytes) == len(value) {
				checkNative(t, native.(map[string]any))
			}
		}
	}
}

func checkNative(t *testing.T, got map[string]any) {
	t.Helper()
	want := map[string]any{
		"origin": "JFK", "window_start": time.UnixMilli(1357740000000).UTC(), "window_end": time.UnixMilli(1357743600000).UTC(),
		"flights": int64(19), "over_60": int64(1), "mean_delay": map[string]any{"double": 69.42}, "max_delay": map[string]any{"double": 1301.0},
		"distance": map[string]any{"long": int64(44032)}, "_revision": int64(20), "_status": "RECONCILED", "_cause": "MIXED",
		"_input":    map[string]any{"events": int64(19), "late": int64(1), "duplicates": int64(2)},
		"_pipeline": "flights", "_published_at": time.UnixMilli(1357945400123).UTC(), "_run": map[string]any{"string": "7f3c91"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("goavro reads\n%v, want\n%v", got, want)
	}
}

// TestNewCodecRefuses what would make no record.
func TestNewCodecRefuses(t *testing.T) {
	str, num := typ(schema.KindString, "string", false), typ(schema.KindFloat, "double", false)
	count := func(names ...string) (aggs []window.Agg) {
		for _, n := range names {
			aggs = append(aggs, window.Agg{Name: n, Func: window.Count, Arg: -1})
		}
		return aggs
	}
	for want, args := range map[string]struct {
		group []GroupField
		aggs  []window.Agg
	}{
		`two fields are named "n"`:           {[]GroupField{{"n", str}}, count("n")},
		`begins with an underscore`:          {[]GroupField{{"g", str}}, count("_n")},
		`is the name of one of the window`:   {[]GroupField{{"window_end", str}}, nil},
		`is no Avro name`:                    {[]GroupField{{"a.b", str}}, nil},
		`has no name`:                        {[]GroupField{{"", str}}, nil},
		`can't be part of a group key`:       {[]GroupField{{"g", num}}, nil},
		`has no place in a curated record`:   {nil, []window.Agg{{Name: "x", Func: window.Max, In: schema.Type{Avro: "array"}}}},
		`field "2nd" is no Avro name`:        {nil, count("2nd")},
		`two fields are named "twice"`:       {nil, count("twice", "twice")},
		`field "mean-delay" is no Avro name`: {nil, count("mean-delay")},
	} {
		if _, err := NewCodec("p", "o", args.group, args.aggs); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error is %v, want one with %q", err, want)
		}
	}
}

// TestTypeNames: an output may be called like a type within its own record.
func TestTypeNames(t *testing.T) {
	for _, output := range []string{"status", "cause", "input"} {
		c, err := NewCodec("p", output, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := goavro.NewCodec(c.ValueSchema()); err != nil {
			t.Errorf("%s: %v", output, err)
		}
	}
}

func TestAvroNames(t *testing.T) {
	for name, want := range map[string][2]string{
		"departures-hourly": {"departures_hourly", "DeparturesHourly"}, "a.b_c": {"a_b_c", "ABC"}, "2013": {"_2013", "_2013"}, "input": {"input", "InputRecord"}, "--": {"__", "_"},
	} {
		if got := [2]string{AvroName(name), recordName(name)}; got != want {
			t.Errorf("%s is %v in Avro, want %v", name, got, want)
		}
	}
}
