package exact

import (
	"math"
	"math/bits"
)

// Sum is an exact total of doubles in three words, so that it can live in a slab of words. The zero Sum is the sum
// of nothing. It belongs to the one Wide that every call on it is given.
type Sum [3]uint64

// The words of a Sum: S, low and high, and the third:
//
//	bits 0-11   e + 1074 (0 to 2175); of no meaning while S is 0
//	bits 12-14  NaN, +Inf, -Inf were added
//	bit  15     the total is in the Wide, at the index in bits 32-63; S is 0
const (
	low  = 0
	high = 1
	meta = 2

	exponentMask = 1<<12 - 1
	flagShift    = 12
	flagMask     = 7 << flagShift
	wideBit      = 1 << 15
	indexShift   = 32

	flagNaN    = 1
	flagPosInf = 2
	flagNegInf = 4
)

const (
	mantissaBits = 52
	mantissaMask = 1<<mantissaBits - 1
	exponentInf  = 0x7ff // exponent field of infinities and NaN
	bias         = 1074  // 2^-bias is the smallest double
	nanBits      = 0x7ff8000000000001
	shiftMax     = 127 - 53 - 1 // a 53-bit integer shifted by it leaves two bits of 128
	spare        = 28           // bits that are left for growth when S is aligned lower than it must be
)

// Add adds x.
func (s *Sum) Add(x float64, w *Wide) {
	b := math.Float64bits(x)
	exp := b >> mantissaBits & exponentInf
	m := b & mantissaMask
	switch exp {
	case 0: // subnormal: as if the exponent were 1, without the implicit bit
		exp = 1
	case exponentInf:
		s.special(b)
		return
	default:
		m |= 1 << mantissaBits
	}
	d := exp - 1 - s[meta]&exponentMask
	if d > shiftMax || s[meta]&wideBit != 0 { // a negative d is a great one
		s.addFar(m, int(exp-1), b>>63 != 0, w)
		return
	}
	sign := -(b >> 63) // all ones for a negative x: S + (v ^ sign) + 1 is S - v
	l, carry := bits.Add64(s[low], m<<d^sign, sign&1)
	addend := (m>>(64-d) | m<<(d-64)) ^ sign // one of the shifts is beyond 63, which gives 0; both give m at d = 64
	h, _ := bits.Add64(s[high], addend, carry)
	if (s[high]^h)&(addend^h)>>63 != 0 {
		s.addFar(m, int(exp-1), b>>63 != 0, w)
		return
	}
	s[low], s[high] = l, h
}

// special notes an infinity or a NaN, given as its bits.
func (s *Sum) special(b uint64) {
	flag := uint64(flagPosInf)
	switch {
	case b&mantissaMask != 0:
		flag = flagNaN
	case b>>63 != 0:
		flag = flagNegInf
	}
	s[meta] |= flag << flagShift
}

// addFar adds ±m * 2^(at-bias) when it doesn't fit S as it is aligned: it moves S or, if need be, the total into w.
func (s *Sum) addFar(m uint64, at int, negative bool, w *Wide) {
	if m == 0 {
		return
	}
	if s[meta]&wideBit != 0 {
		w.add(s.index(), m, at, negative)
		return
	}
	if s.add128(m, at, negative) {
		return
	}
	i := w.spill(int128{s[low], s[high]}, s.exponent())
	w.add(i, m, at, negative)
	s[low], s[high] = 0, 0
	s[meta] = s[meta]&flagMask | wideBit | uint64(i)<<indexShift
}

// add128 adds ±m * 2^(at-bias) if the total then fits 128 bits.
func (s *Sum) add128(m uint64, at int, negative bool) bool {
	zeros := bits.TrailingZeros64(m)
	v, e := int128{lo: m >> zeros}, at+zeros
	if negative {
		v = v.negated()
	}
	t := int128{s[low], s[high]}
	if !t.isZero() {
		t, shed := t.odd() // only an odd S says how much room there is
		exp := s.exponent() + shed
		lower := min(e, exp)
		t, fits := t.shiftedLeft(exp - lower)
		addend, fitsToo := v.shiftedLeft(e - lower)
		sum, added := t.plus(addend)
		if !fits || !fitsToo || !added {
			return false
		}
		v, e = sum, lower
	}
	// Align to the unstripped exponent of values like this one where there is room: the next is then added at once.
	if e > at && v.length()+e-at <= 128-spare {
		v, _ = v.shiftedLeft(e - at)
		e = at
	}
	s.set(v, e)
	return true
}

// set replaces the total.
func (s *Sum) set(v int128, exponent int) {
	s[low], s[high] = v.lo, v.hi
	s[meta] = s[meta]&flagMask | uint64(exponent)
}

func (s *Sum) exponent() int { return int(s[meta] & exponentMask) }
func (s *Sum) index() int    { return int(s[meta] >> indexShift) }
func (s *Sum) flags() byte   { return byte(s[meta] & flagMask >> flagShift) }
