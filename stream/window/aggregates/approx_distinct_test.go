package aggregates

import (
	"bytes"
	"math"
	"testing"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/window"
)

// Up to 1,536 values the count is exact.
func TestApproxDistinctIsExactAtFirst(t *testing.T) {
	agg := made(t, "approx_distinct", longType)
	a := agg.New()
	for i := range int64(listMax) {
		for range 1 + i%3 {
			if err := a.Add(schema.IntValue(i*i*i), window.Order{}); err != nil {
				t.Fatal(err)
			}
		}
		if got := valueIn(t, agg, a).Int(); got != i+1 {
			t.Fatalf("%d values count as %d", i+1, got)
		}
	}
	if n := len(a.Append(nil)); n != 1+8*listMax {
		t.Errorf("the list takes %d bytes", n)
	}
	if err := a.Add(schema.IntValue(-1), window.Order{}); err != nil {
		t.Fatal(err)
	}
	if n := len(a.Append(nil)); n != 1+packedBytes {
		t.Errorf("the registers take %d bytes", n)
	}
}

// The error is that of 2^14 registers, 0.81 % (one standard error), at all sizes up to a million.
func TestApproxDistinctError(t *testing.T) {
	agg := made(t, "approx_distinct", stringType)
	for _, size := range []int{1_600, 2_000, 5_000, 20_000, 50_000, 100_000} {
		var squares float64
		rounds := 10
		for round := range rounds {
			squares += math.Pow(errorOf(t, agg, size, byte(round)), 2)
		}
		if rms := math.Sqrt(squares / float64(rounds)); rms > 0.0081*1.6 {
			t.Errorf("%d values: the error is %.4f, standard error 0.0081", size, rms)
		}
	}
	if e := errorOf(t, agg, 1_000_000, 99); math.Abs(e) > 3*0.0081 {
		t.Errorf("a million values: the error is %.4f", e)
	}
}

// errorOf is the relative error for size different strings.
func errorOf(t *testing.T, agg window.Aggregate, size int, salt byte) float64 {
	t.Helper()
	a := agg.New()
	key := []byte{salt, 'v', 0, 0, 0}
	for i := range size {
		key[2], key[3], key[4] = byte(i>>16), byte(i>>8), byte(i)
		if err := a.Add(schema.StringValue(key), window.Order{}); err != nil {
			t.Fatal(err)
		}
	}
	return float64(valueIn(t, agg, a).Int())/float64(size) - 1
}

// Lists and registers merge to the same bytes in any mixture, at the sizes where the one becomes the other (law L1).
func TestApproxDistinctIsCanonicalAroundTheSwitch(t *testing.T) {
	agg := made(t, "approx_distinct", longType)
	r := seeded(5)
	for _, size := range []int{listMax - 1, listMax, listMax + 1, 2 * listMax, 5 * listMax} {
		values := make([]schema.Value, size)
		for i := range values {
			values[i] = schema.IntValue(int64(i))
		}
		want := filled(t, agg, values).Append(nil)
		for range 5 {
			parts := []window.Accumulator{agg.New(), agg.New(), agg.New()}
			cut := r.IntN(10)
			for _, v := range values {
				if err := parts[max(0, r.IntN(12)-cut)%3].Add(v, window.Order{}); err != nil {
					t.Fatal(err)
				}
			}
			for _, i := range []int{1, 2} {
				if err := parts[0].Merge(parts[i]); err != nil {
					t.Fatal(err)
				}
			}
			if got := parts[0].Append(nil); !bytes.Equal(got, want) {
				t.Fatalf("%d values: the bytes depend on the split", size)
			}
		}
	}
}

// The hash is XXH64 with seed 0, of the documented bytes: these are the reference implementation's numbers.
func TestApproxDistinctHash(t *testing.T) {
	agg := made(t, "approx_distinct", stringType)
	for text, want := range map[string]uint64{
		"":    0xef46db3751d8e999,
		"a":   0xd24ec4f1a98c6e5b,
		"abc": 0x44bc2cf5ad770999,
	} {
		a := filled(t, agg, []schema.Value{schema.StringValue([]byte(text))}).(*hashed)
		if got := a.hashes.list[0]; got != want {
			t.Errorf("%q has the hash %#x, want %#x", text, got, want)
		}
	}
}

// -0 is 0, and a NaN is a value.
func TestApproxDistinctOfSpecials(t *testing.T) {
	values := []schema.Value{
		schema.FloatValue(0), schema.FloatValue(math.Copysign(0, -1)), schema.FloatValue(math.NaN()), schema.FloatValue(-math.NaN()),
	}
	for _, name := range []string{"approx_distinct", "distinct"} {
		if got := valueOf(t, made(t, name, doubleType), values); got.Int() != 2 {
			t.Errorf("%s is %v, want 2", name, got)
		}
	}
}
