package aggregates

import (
	"bytes"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/linkedin/goavro/v2"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/window"
)

// avroValue is a composite result as an independent Avro library reads it under the result's own schema, and writes it
// again to the same bytes.
func avroValue(t *testing.T, agg window.Aggregate, v schema.Value) any {
	t.Helper()
	codec, err := goavro.NewCodec(agg.Result().Raw)
	if err != nil {
		t.Fatalf("%s: %v", agg.Result().Raw, err)
	}
	native, rest, err := codec.NativeFromBinary(v.Bytes)
	if err != nil || len(rest) > 0 {
		t.Fatalf("%x: %v, %d bytes left", v.Bytes, err, len(rest))
	}
	if again, err := codec.BinaryFromNative(nil, native); err != nil || !bytes.Equal(again, v.Bytes) {
		t.Fatalf("%x, written again %x: %v", v.Bytes, again, err)
	}
	return native
}

// distinct equals the size of a map.
func TestDistinctIsExact(t *testing.T) {
	r := seeded(6)
	for _, c := range []struct {
		in   schema.Type
		draw func(*rand.Rand) schema.Value
	}{{longType, drawInt}, {stringType, drawString}, {boolType, drawBool}, {longType, many}} {
		for range 30 {
			values := draws(r, r.IntN(30)*r.IntN(30), c.draw)
			seen := map[string]bool{}
			for _, v := range values {
				seen[v.String()] = true
			}
			if got := valueOf(t, made(t, "distinct", c.in), values); got.Kind != schema.KindInt || got.Int() != int64(len(seen)) {
				t.Errorf("distinct of %d values is %v, want %d", len(values), got, len(seen))
			}
		}
	}
}

// At the limit the count is given, beyond it is null and the state one byte.
func TestDistinctLimit(t *testing.T) {
	values := make([]schema.Value, limitDefault+1)
	for i := range values {
		values[i] = schema.IntValue(int64(i) * 7)
	}
	agg := made(t, "distinct", longType)
	if got := valueOf(t, agg, append(values[:limitDefault:limitDefault], values[:500]...)); got.Int() != limitDefault {
		t.Errorf("at the limit distinct is %v", got)
	}
	a := filled(t, agg, values)
	if got := valueIn(t, agg, a); !got.IsNull() {
		t.Errorf("beyond the limit distinct is %v", got)
	}
	if n := len(a.Append(nil)); n != 1 || a.Bytes() > 200 {
		t.Errorf("beyond the limit the state takes %d bytes, and %d of memory", n, a.Bytes())
	}
}

// Long values exceed the limit of bytes before that of their number.
func TestDistinctLimitOfBytes(t *testing.T) {
	agg := made(t, "distinct", stringType)
	long := func(i int) schema.Value {
		b := make([]byte, tallyBytesMax/8)
		b[0] = byte(i)
		return schema.StringValue(b)
	}
	var values []schema.Value
	for i := range 8 {
		values = append(values, long(i), long(0))
	}
	if got := valueOf(t, agg, values); got.Int() != 8 {
		t.Errorf("distinct of 1 MiB is %v", got)
	}
	if got := valueOf(t, agg, append(values, schema.StringValue([]byte("x")))); !got.IsNull() {
		t.Errorf("distinct of more than 1 MiB is %v", got)
	}
}

// top_k equals a sort of all counts.
func TestTopKIsExact(t *testing.T) {
	r := seeded(7)
	for range 200 {
		values := draws(r, 1+r.IntN(20)*r.IntN(20), func(r *rand.Rand) schema.Value { return schema.IntValue(r.Int64N(40)*r.Int64N(3) - 20) })
		k := 1 + r.IntN(12)
		type row struct{ value, count int64 }
		var rows []row
		for _, v := range values {
			if i := slices.IndexFunc(rows, func(w row) bool { return w.value == v.Int() }); i >= 0 {
				rows[i].count++
			} else {
				rows = append(rows, row{v.Int(), 1})
			}
		}
		slices.SortFunc(rows, func(a, b row) int {
			if a.count != b.count {
				return int(b.count - a.count)
			}
			return int(a.value - b.value)
		})
		agg := made(t, "top_k", longType, whole(int64(k)))
		var got []row
		for _, item := range avroValue(t, agg, valueOf(t, agg, values)).([]any) {
			fields := item.(map[string]any)
			got = append(got, row{fields["value"].(int64), fields["count"].(int64)})
		}
		if !slices.Equal(got, rows[:min(k, len(rows))]) {
			t.Fatalf("top_k(%d) is %v, want %v", k, got, rows)
		}
	}
}

// Every argument type has a result that is valid Avro.
func TestTopKOfEveryType(t *testing.T) {
	r := seeded(8)
	for _, s := range subjects {
		if s.name != "top_k" && s.name != "top_values" && s.name != "first" && s.name != "last" {
			continue
		}
		values := draws(r, 50, s.draw)
		for _, name := range []string{"top_k", "top_values"} {
			agg := made(t, name, s.in, whole(4))
			if v := valueOf(t, agg, values); v.IsNull() {
				if name == "top_k" {
					t.Errorf("%s of %v is null", name, s.in)
				}
			} else if n := len(avroValue(t, agg, v).([]any)); n == 0 || n > 4 {
				t.Errorf("%s of %v has %d items", name, s.in, n)
			}
		}
	}
	agg := made(t, "top_k", boolType, whole(2))
	avroValue(t, agg, valueOf(t, agg, draws(r, 9, drawBool)))
}

// top_values equals a sort.
func TestTopValuesIsExact(t *testing.T) {
	r := seeded(9)
	for range 200 {
		values := draws(r, 1+r.IntN(20)*r.IntN(20), drawFinite)
		k := 1 + r.IntN(30)
		agg := made(t, "top_values", doubleType, whole(int64(k)))
		want := sortedNumbers(values)
		slices.Reverse(want)
		want = want[:min(k, len(want))]
		for i, item := range avroValue(t, agg, valueOf(t, agg, values)).([]any) {
			if item.(float64) != want[i] {
				t.Fatalf("top_values(%d) has %v at %d, want %v", k, item, i, want)
			}
		}
	}
}

// A NaN is the greatest, and a value that is too long makes the result null even if others are greater.
func TestTopValuesOfSpecials(t *testing.T) {
	agg := made(t, "top_values", doubleType, whole(2))
	v := valueOf(t, agg, []schema.Value{schema.FloatValue(1), schema.FloatValue(math.NaN()), schema.FloatValue(math.Inf(1))})
	if got := avroValue(t, agg, v).([]any); !math.IsNaN(got[0].(float64)) || !math.IsInf(got[1].(float64), 1) {
		t.Errorf("top_values is %v", got)
	}
	agg = made(t, "top_values", stringType, whole(1))
	text := func(b []byte) schema.Value { return schema.StringValue(b) }
	if v := valueOf(t, agg, []schema.Value{text([]byte("z")), text(make([]byte, topValueMax))}); v.IsNull() {
		t.Error("4 KiB are too long")
	}
	if v := valueOf(t, agg, []schema.Value{text([]byte("z")), text(make([]byte, topValueMax+1))}); !v.IsNull() {
		t.Errorf("beyond 4 KiB the result is %v", v)
	}
}
