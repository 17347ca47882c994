package exact

import (
	"math"
	"math/bits"
)

// magnitude is a positive integer times a power of two, on the stack: the words (lowest first) of a total, and two
// more for the fraction of a quotient.
type magnitude struct {
	words    [wideWords + 2]uint64
	n        int  // words in use
	exponent int  // of bit 0
	sticky   bool // the true value is a little greater
}

// Float64 is the sum, rounded once.
func (s *Sum) Float64(w *Wide) float64 { return s.Mean(1, w) }

// Mean is the sum divided by n, rounded once. n is above 0.
func (s *Sum) Mean(n uint64, w *Wide) float64 {
	if f := s.flags(); f != 0 {
		return specialOf(f)
	}
	var m magnitude
	var negative bool
	if s[meta]&wideBit != 0 {
		negative = m.setWide(w.total(s.index()))
		m.exponent = -bias
	} else {
		negative = m.set128(int128{s[low], s[high]})
		m.exponent = s.exponent() - bias
	}
	return m.quotient(n, negative)
}

// Quotient is the 128-bit two's-complement integer (lo, hi) divided by n, rounded once. n is above 0.
func Quotient(lo, hi, n uint64) float64 {
	var m magnitude
	negative := m.set128(int128{lo, hi})
	return m.quotient(n, negative)
}

func specialOf(flags byte) float64 {
	switch flags {
	case flagPosInf:
		return math.Inf(1)
	case flagNegInf:
		return math.Inf(-1)
	}
	return math.Float64frombits(nanBits)
}

func (m *magnitude) set128(v int128) (negative bool) {
	negative = v.isNegative()
	if negative {
		v = v.negated()
	}
	m.words[0], m.words[1], m.n = v.lo, v.hi, 2
	return negative
}

func (m *magnitude) setWide(t []uint64) (negative bool) {
	negative = t[wideWords-1]>>63 != 0
	m.n = copy(m.words[:], t)
	if negative {
		var borrow uint64
		for i := range m.n {
			m.words[i], borrow = bits.Sub64(0, m.words[i], borrow)
		}
	}
	return negative
}

// quotient divides by n and rounds. 128 more bits make the quotient longer than any mantissa, and the remainder
// tells which side of a tie it is on.
func (m *magnitude) quotient(n uint64, negative bool) float64 {
	if n > 1 {
		copy(m.words[2:], m.words[:m.n])
		m.words[0], m.words[1] = 0, 0
		m.n += 2
		m.exponent -= 128
		var rem uint64
		for i := m.n - 1; i >= 0; i-- {
			m.words[i], rem = bits.Div64(rem, m.words[i], n)
		}
		m.sticky = rem != 0
	}
	f := m.rounded()
	if negative {
		return -f // -0 where what is below zero underflows, as IEEE 754 rounds it; a total of zero is never negative
	}
	return f
}

// rounded is the nearest double; of two equally near, the one with an even mantissa.
func (m *magnitude) rounded() float64 {
	length := m.length()
	if length == 0 {
		return 0
	}
	top := length - 1 + m.exponent // the value is in [2^top, 2^(top+1))
	if top > 1023 {
		return math.Inf(1)
	}
	precision := mantissaBits + 1
	if top < -1022 {
		precision = top + bias + 1 // subnormal: the last bit is 2^-1074
	}
	if precision < 0 {
		return 0 // below half of the smallest double
	}
	mant := m.extract(length-precision, precision)
	if m.roundsUp(length-precision, mant) {
		mant++
	}
	// mant has its leading bit at 52 unless subnormal: adding it to an exponent field one too low carries rightly,
	// also when rounding up made it 2^53 or turned a subnormal into a normal.
	field := uint64(0)
	if top >= -1022 {
		field = uint64(top + 1022)
	}
	return math.Float64frombits(field<<mantissaBits + mant)
}

// length is the number of bits.
func (m *magnitude) length() int {
	for i := m.n - 1; i >= 0; i-- {
		if m.words[i] != 0 {
			return i*64 + bits.Len64(m.words[i])
		}
	}
	return 0
}

// extract is the width bits (at most 53) from bit `from` on; from may be negative.
func (m *magnitude) extract(from, width int) uint64 {
	if width == 0 {
		return 0
	}
	if from < 0 {
		return m.words[0] << -from
	}
	word, shift := from/64, from%64
	v := m.words[word] >> shift
	if word+1 < m.n {
		v |= m.words[word+1] << (64 - shift)
	}
	return v & (1<<width - 1)
}

// roundsUp says whether what was cut off below bit `from` is more than half, or half and mant is odd.
func (m *magnitude) roundsUp(from int, mant uint64) bool {
	if from <= 0 {
		return false
	}
	half := from - 1
	if m.words[half/64]>>(half%64)&1 == 0 {
		return false
	}
	if mant&1 != 0 || m.sticky {
		return true
	}
	for i := range half / 64 {
		if m.words[i] != 0 {
			return true
		}
	}
	return m.words[half/64]&(1<<(half%64)-1) != 0
}
