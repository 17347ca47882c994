package exact

import (
	"bytes"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

const seed = 20130101

func sumOf(values []float64) (*Sum, *Wide) {
	var s Sum
	w := &Wide{}
	for _, x := range values {
		s.Add(x, w)
	}
	return &s, w
}

func same(a, b float64) bool { return math.Float64bits(a) == math.Float64bits(b) }

// Invariants 1, 3, 4 and law L1: whatever the order, and wherever the sum is encoded and read back on the way, the
// bytes are the same and the rounded results are those of math/big.
func TestSumIsAFunctionOfTheSet(t *testing.T) {
	for _, f := range families {
		t.Run(f.name, func(t *testing.T) {
			t.Logf("seed %d", seed)
			r := rand.New(rand.NewPCG(seed, 1))
			for range 80 {
				values := make([]float64, 1+r.IntN(300))
				for i := range values {
					values[i] = f.draw(r)
				}
				checkSet(t, r, values)
			}
		})
	}
}

func checkSet(t *testing.T, r *rand.Rand, values []float64) {
	t.Helper()
	o := newOracle(values)
	s, w := sumOf(values)
	want := s.Append(nil, w)
	n := 1 + r.Uint64N(1<<uint(1+r.IntN(62)))
	if got := s.Float64(w); !same(got, o.mean(1)) {
		t.Fatalf("sum %v, want %v of %v", got, o.mean(1), values)
	}
	if got := s.Mean(n, w); !same(got, o.mean(n)) {
		t.Fatalf("mean of %d: %v, want %v of %v", n, got, o.mean(n), values)
	}
	for range 3 {
		r.Shuffle(len(values), func(i, j int) { values[i], values[j] = values[j], values[i] })
		got := restarted(t, r, values)
		if !bytes.Equal(got, want) {
			t.Fatalf("another order and other restarts: % x, was % x, of %v", got, want, values)
		}
	}
}

// restarted sums values, writing the sum down and reading it into a new one at random places.
func restarted(t *testing.T, r *rand.Rand, values []float64) []byte {
	t.Helper()
	s, w := &Sum{}, &Wide{}
	for _, x := range values {
		if r.IntN(20) == 0 {
			b := s.Append(nil, w)
			s, w = &Sum{}, &Wide{}
			if rest, err := s.Decode(b, w); err != nil || len(rest) != 0 {
				t.Fatalf("decode % x: %v, %d bytes left", b, err, len(rest))
			}
			if again := s.Append(nil, w); !bytes.Equal(again, b) {
				t.Fatalf("% x is read and written as % x", b, again)
			}
		}
		s.Add(x, w)
	}
	return s.Append(nil, w)
}

// Invariant 2: a sum that spilled on the way and came back is the sum that never did.
func TestSpillLeavesNoTrace(t *testing.T) {
	spilled, w := sumOf([]float64{3, 1e300, 1e-300, -1e300, -1e-300})
	if spilled[meta]&wideBit == 0 || w.Bytes() == 0 {
		t.Fatal("1e300 and 1e-300 together were to spill")
	}
	plain, pw := sumOf([]float64{3})
	if a, b := spilled.Append(nil, w), plain.Append(nil, pw); !bytes.Equal(a, b) {
		t.Fatalf("% x, want % x", a, b)
	}
	var back Sum
	bw := &Wide{}
	if _, err := back.Decode(spilled.Append(nil, w), bw); err != nil || back[meta]&wideBit != 0 || bw.Bytes() != 0 {
		t.Fatalf("a small total was read back into a wide one (%v)", err)
	}
}

// What exact arithmetic is for, and the rules for what isn't finite (invariants 1 and 4).
func TestSumCases(t *testing.T) {
	inf, nan, negZero := math.Inf(1), math.NaN(), math.Copysign(0, -1)
	for _, c := range []struct {
		name   string
		values []float64
		want   float64
	}{
		{"nothing", nil, 0},
		{"ten tenths", []float64{.1, .1, .1, .1, .1, .1, .1, .1, .1, .1}, 1},
		{"absorbed by naive addition", []float64{1e100, 1, -1e100}, 1},
		{"negative zeros", []float64{negZero, negZero}, 0},
		{"cancelled", []float64{1.5, -1.5}, 0},
		{"smallest", []float64{5e-324, 5e-324}, 1e-323},
		{"overflow on the way only", []float64{math.MaxFloat64, math.MaxFloat64, -math.MaxFloat64}, math.MaxFloat64},
		{"overflow", []float64{math.MaxFloat64, math.MaxFloat64}, inf},
		{"rounds to infinity", []float64{math.MaxFloat64, 0x1p970}, inf},
		{"rounds below infinity", []float64{math.MaxFloat64, 0x1p969}, math.MaxFloat64},
		{"tie to even, down", []float64{0x1p53, 1}, 0x1p53},
		{"tie broken by the smallest double", []float64{0x1p53, 1, 5e-324}, 0x1p53 + 2},
		{"infinity", []float64{1, inf, 2}, inf},
		{"negative infinity", []float64{-inf, 1e308}, -inf},
		{"both infinities", []float64{inf, -inf}, math.Float64frombits(nanBits)},
		{"NaN", []float64{inf, nan, 1}, math.Float64frombits(nanBits)},
	} {
		s, w := sumOf(c.values)
		if got := s.Float64(w); !same(got, c.want) {
			t.Errorf("%s: %v (%#x), want %v", c.name, got, math.Float64bits(got), c.want)
		}
	}
	s, w := sumOf([]float64{math.MaxFloat64, math.MaxFloat64})
	if got := s.Mean(2, w); got != math.MaxFloat64 {
		t.Errorf("the mean of two greatest doubles is %v", got)
	}
}

// Quotient is the mean of integers: rounded once, also at ties and at the ends of 128 bits.
func TestQuotient(t *testing.T) {
	neg := func(x uint64) (uint64, uint64) { v := int128{lo: x}.negated(); return v.lo, v.hi }
	l7, h7 := neg(7)
	for _, c := range []struct {
		lo, hi, n uint64
		want      float64
	}{
		{0, 0, 3, 0}, {7, 0, 2, 3.5}, {l7, h7, 2, -3.5}, {1, 0, 3, 1.0 / 3}, {1<<53 + 1, 0, 1, 1 << 53},
		{1<<54 + 2, 0, 2, 1 << 53}, {3*(1<<53+1) + 1, 0, 3, 1<<53 + 2},
		{0, 1 << 63, 1, -0x1p127}, {math.MaxUint64, math.MaxInt64, 1, 0x1p127}, {0, 1 << 62, math.MaxUint64, 0x1p62},
	} {
		if got := Quotient(c.lo, c.hi, c.n); !same(got, c.want) {
			t.Errorf("(%#x, %#x) / %d = %v, want %v", c.lo, c.hi, c.n, got, c.want)
		}
	}
}

// The remainder of a division breaks ties that no bit of the quotient does: 1/n just above the middle of two doubles.
func TestQuotientJustAboveATie(t *testing.T) {
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 3))
	for range 1000 {
		a := new(big.Int).SetUint64(1<<53 + r.Uint64N(1<<51)*4 + 1) // 54 bits, a tie to an even mantissa
		n := new(big.Int).Div(new(big.Int).Lsh(big.NewInt(1), 117), a).Uint64()
		want := (&oracle{total: big.NewRat(1, 1)}).mean(n)
		if got := Quotient(1, 0, n); !same(got, want) {
			t.Fatalf("1 / %d = %v, want %v", n, got, want)
		}
	}
}

// Bytes that Append never writes are refused, so that equal sums have equal bytes.
func TestDecodeRefusesOtherBytes(t *testing.T) {
	for _, c := range []struct{ name, bytes string }{
		{"nothing", ""},
		{"unknown flags", "\x08"},
		{"no length", "\x00"},
		{"a length with a superfluous byte", "\x00\x81\x00\x01\x00\x00"},
		{"too long", "\x00\xff\x7f"},
		{"integer cut off", "\x00\x02\x01"},
		{"no exponent", "\x00\x01\x01\x00"},
		{"an even integer", "\x00\x01\x02\x04\x00"},
		{"a superfluous byte", "\x00\x02\x00\x01\x04\x00"},
		{"a superfluous byte, negative", "\x00\x02\xff\xff\x04\x00"},
		{"beyond any sum", "\x00\x01\x01\x08\x73"},
	} {
		var s Sum
		if _, err := s.Decode([]byte(c.bytes), &Wide{}); err == nil {
			t.Errorf("%s: % x is read as %v", c.name, c.bytes, s)
		}
	}
	var s Sum
	if _, err := s.Decode([]byte("\x00\x01\x01\x08\x72"), &Wide{}); err != nil {
		t.Errorf("the greatest exponent: %v", err)
	}
}

// No bytes panic, and what is read is what Append would have written.
func FuzzDecode(f *testing.F) {
	for _, fam := range families {
		r := rand.New(rand.NewPCG(seed, 2))
		s, w := sumOf([]float64{fam.draw(r), fam.draw(r), fam.draw(r)})
		f.Add(s.Append(nil, w))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var s Sum
		w := &Wide{}
		rest, err := s.Decode(b, w)
		if err != nil {
			return
		}
		if got := s.Append(nil, w); !bytes.Equal(got, b[:len(b)-len(rest)]) {
			t.Fatalf("% x is read and written as % x", b[:len(b)-len(rest)], got)
		}
		s.Add(1, w)
		s.Float64(w)
	})
}

// Wide reports what it takes.
func TestWideIsAccountedFor(t *testing.T) {
	var held int64
	w := &Wide{Held: &held}
	for range 40 {
		var s Sum
		s.Add(1e300, w)
		s.Add(1e-300, w)
	}
	if held != w.Bytes() || held != 3*blockSums*wideWords*8 {
		t.Fatalf("held %d, bytes %d", held, w.Bytes())
	}
}
