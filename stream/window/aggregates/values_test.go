package aggregates

import (
	"bytes"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/window"
)

// first and last equal the ends of a sort by (time, identity, value).
func TestFirstAndLastAreByEventTime(t *testing.T) {
	type event struct {
		at window.Order
		v  schema.Value
	}
	r := seeded(12)
	for range 300 {
		events := make([]event, 1+r.IntN(30))
		for i := range events {
			events[i] = event{window.Order{Time: r.Int64N(5) - 2, ID: [16]byte{0: byte(r.IntN(2)), 15: byte(r.IntN(2))}}, drawString(r)}
		}
		first, last := made(t, "first", stringType), made(t, "last", stringType)
		a, b := first.New(), last.New()
		for _, e := range events {
			if err := a.Add(e.v, e.at); err != nil {
				t.Fatal(err)
			}
			if err := b.Add(e.v, e.at); err != nil {
				t.Fatal(err)
			}
		}
		slices.SortFunc(events, func(a, b event) int {
			if a.at.Time != b.at.Time {
				return int(a.at.Time - b.at.Time)
			}
			if c := bytes.Compare(a.at.ID[:], b.at.ID[:]); c != 0 {
				return c
			}
			return strings.Compare(string(a.v.Bytes), string(b.v.Bytes))
		})
		if got := valueIn(t, first, a); !bytes.Equal(got.Bytes, events[0].v.Bytes) {
			t.Fatalf("first is %q of %v", got.Bytes, events)
		}
		if got := valueIn(t, last, b); !bytes.Equal(got.Bytes, events[len(events)-1].v.Bytes) {
			t.Fatalf("last is %q of %v", got.Bytes, events)
		}
	}
}

// A single value comes out of first, last, min and max as it went in, of every type, with its type.
func TestValuesComeOutAsTheyWentIn(t *testing.T) {
	r := seeded(13)
	fixed := schema.Type{Kind: schema.KindBytes, Avro: "fixed", Size: 3}
	for _, c := range []struct {
		in   schema.Type
		draw func(*rand.Rand) schema.Value
	}{
		{boolType, drawBool}, {longType, drawInt}, {timeType, drawInt}, {doubleType, drawFloat}, {stringType, drawString},
		{bytesType, drawBytes}, {decimalType, drawDecimal}, {wideType, drawWide}, {fixed, drawBytes},
	} {
		names := []string{"first", "last"}
		if c.in.Kind >= schema.KindString {
			names = append(names, "min", "max")
		}
		for _, name := range names {
			agg := made(t, name, c.in)
			if typ := agg.Result(); typ.Kind != c.in.Kind || typ.Logical != c.in.Logical || typ.Scale != c.in.Scale || !typ.Nullable || typ.Avro == "fixed" {
				t.Errorf("%s of %v is of type %v", name, c.in, typ)
			}
			for range 50 {
				v := c.draw(r)
				want := v
				if c.in.Decimal() {
					want.Bytes = trimmed(v.Bytes)
				}
				if got := valueOf(t, agg, []schema.Value{v}); got.Kind != v.Kind || got.Num != v.Num || !bytes.Equal(got.Bytes, want.Bytes) {
					t.Errorf("%s of %v is %v", name, v, got)
				}
			}
			if got := valueOf(t, agg, nil); !got.IsNull() {
				t.Errorf("%s of nothing is %v", name, got)
			}
		}
	}
}

// min and max equal the ends of a sort: of bytes by their bytes, of decimals by their numbers.
func TestMinAndMax(t *testing.T) {
	r := seeded(14)
	for range 200 {
		values := draws(r, 1+r.IntN(30), drawBytes)
		least := slices.MinFunc(values, func(a, b schema.Value) int { return bytes.Compare(a.Bytes, b.Bytes) })
		most := slices.MaxFunc(values, func(a, b schema.Value) int { return bytes.Compare(a.Bytes, b.Bytes) })
		if got := valueOf(t, made(t, "min", bytesType), values); !bytes.Equal(got.Bytes, least.Bytes) {
			t.Errorf("min is %v, want %v", got, least)
		}
		if got := valueOf(t, made(t, "max", bytesType), values); !bytes.Equal(got.Bytes, most.Bytes) {
			t.Errorf("max is %v, want %v", got, most)
		}
		values = draws(r, 1+r.IntN(30), drawWide)
		byNumber := func(a, b schema.Value) int { return bigOf(a.Bytes).Cmp(bigOf(b.Bytes)) }
		if got, want := valueOf(t, made(t, "min", wideType), values), slices.MinFunc(values, byNumber); byNumber(got, want) != 0 {
			t.Errorf("min is %v, want %v", got, want)
		}
		if got, want := valueOf(t, made(t, "max", wideType), values), slices.MaxFunc(values, byNumber); byNumber(got, want) != 0 {
			t.Errorf("max is %v, want %v", got, want)
		}
	}
}

// sum and mean of decimals equal those of math/big.
func TestDecimalsAddUp(t *testing.T) {
	r := seeded(15)
	for _, c := range []struct {
		in   schema.Type
		draw func(*rand.Rand) schema.Value
	}{{decimalType, drawDecimal}, {wideType, drawWide}} {
		for range 200 {
			values := draws(r, 1+r.IntN(20)*r.IntN(20), c.draw)
			total, long := new(big.Int), false
			for _, v := range values {
				total.Add(total, bigOf(v.Bytes))
				long = long || len(v.Bytes) > 40
			}
			digits := big.NewInt(10)
			digits.Exp(digits, big.NewInt(int64(max(38, c.in.Precision))), nil)
			got := valueOf(t, made(t, "sum", c.in), values)
			switch {
			case long || total.CmpAbs(digits) >= 0:
				if !got.IsNull() {
					t.Errorf("a sum of too many digits is %v", got)
				}
			case bigOf(got.Bytes).Cmp(total) != 0 || got.Kind != schema.KindBytes:
				t.Errorf("the sum is %v, want %v", bigOf(got.Bytes), total)
			}
			scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(c.in.Scale)), nil)
			scale.Mul(scale, big.NewInt(int64(len(values))))
			want, _ := new(big.Rat).SetFrac(total, scale).Float64()
			if got := valueOf(t, made(t, "mean", c.in), values); long != got.IsNull() || !long && got.Float() != want {
				t.Errorf("the mean is %v, want %v", got, want)
			}
		}
	}
}

// The sum's type has 38 digits, or the argument's if those are more; one digit more is null.
func TestDecimalSumOverflows(t *testing.T) {
	agg := made(t, "sum", decimalType)
	if typ := agg.Result(); typ.Precision != 38 || typ.Scale != 2 || typ.Logical != "decimal" || typ.Avro != "bytes" {
		t.Errorf("the sum's type is %v with %d digits, scale %d", typ, typ.Precision, typ.Scale)
	}
	if typ := made(t, "sum", wideType).Result(); typ.Precision != 60 {
		t.Errorf("the sum of 60 digits has %d", typ.Precision)
	}
	greatest := new(big.Int).Exp(big.NewInt(10), big.NewInt(38), nil)
	greatest.Sub(greatest, big.NewInt(1))
	values := []schema.Value{schema.BytesValue(bytesOf(greatest)), schema.BytesValue([]byte{0})}
	if got := valueOf(t, agg, values); bigOf(got.Bytes).Cmp(greatest) != 0 {
		t.Errorf("the sum is %v", got)
	}
	values[1].Bytes[0] = 1
	if got := valueOf(t, agg, values); !got.IsNull() {
		t.Errorf("the sum of 39 digits is %v", got)
	}
	values = append(values, schema.BytesValue([]byte{0xff}))
	if got := valueOf(t, agg, values); bigOf(got.Bytes).Cmp(greatest) != 0 {
		t.Errorf("the sum that comes back to 38 digits is %v", got)
	}
}

func TestAnyAndAll(t *testing.T) {
	yes, no := schema.BoolValue(true), schema.BoolValue(false)
	for _, c := range []struct {
		values   []schema.Value
		any, all string
	}{
		{nil, "null", "null"},
		{[]schema.Value{yes, yes}, "true", "true"},
		{[]schema.Value{no, yes, no}, "true", "false"},
		{[]schema.Value{no}, "false", "false"},
	} {
		if got := valueOf(t, made(t, "any", boolType), c.values); got.String() != c.any {
			t.Errorf("any(%v) is %v", c.values, got)
		}
		if got := valueOf(t, made(t, "all", boolType), c.values); got.String() != c.all {
			t.Errorf("all(%v) is %v", c.values, got)
		}
	}
}

// Keys order as values do.
func TestKeysOrderAsValues(t *testing.T) {
	r := seeded(16)
	for range 5_000 {
		a, b := drawWide(r), drawWide(r)
		f := form{kind: schema.KindBytes, decimal: true}
		if got, want := bytes.Compare(f.append(nil, a), f.append(nil, b)), bigOf(a.Bytes).Cmp(bigOf(b.Bytes)); got != want {
			t.Fatalf("decimals %v and %v compare as %d, want %d", bigOf(a.Bytes), bigOf(b.Bytes), got, want)
		}
		x, y := drawInfinite(r), drawInfinite(r)
		f = form{kind: schema.KindFloat}
		got := bytes.Compare(f.append(nil, x), f.append(nil, y))
		if x.Float() < y.Float() && got >= 0 || x.Float() > y.Float() && got <= 0 || math.IsNaN(x.Float()) {
			t.Fatalf("%v and %v compare as %d", x, y, got)
		}
	}
}
