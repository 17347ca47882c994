package exact

import "math/bits"

// int128 is a two's-complement integer.
type int128 struct{ lo, hi uint64 }

func (v int128) isZero() bool     { return v.lo|v.hi == 0 }
func (v int128) isNegative() bool { return v.hi>>63 != 0 }

func (v int128) negated() int128 {
	lo, borrow := bits.Sub64(0, v.lo, 0)
	hi, _ := bits.Sub64(0, v.hi, borrow)
	return int128{lo, hi}
}

// odd is v without its trailing zeros, and their number. v is not zero.
func (v int128) odd() (int128, int) {
	n := bits.TrailingZeros64(v.lo)
	if v.lo == 0 {
		n = 64 + bits.TrailingZeros64(v.hi)
	}
	return v.shiftedRight(n), n
}

// shiftedRight is v >> n with the sign kept; n is below 128.
func (v int128) shiftedRight(n int) int128 {
	sign := int64(v.hi) >> 63
	if n >= 64 {
		return int128{uint64(int64(v.hi) >> (n - 64)), uint64(sign)}
	}
	return int128{v.lo>>n | v.hi<<(64-n), uint64(int64(v.hi) >> n)}
}

// shiftedLeft is v << n, unless that leaves 128 bits.
func (v int128) shiftedLeft(n int) (int128, bool) {
	if n == 0 {
		return v, true
	}
	if n >= 127 {
		return v, false
	}
	out := int128{0, v.lo << max(0, n-64)}
	if n < 64 {
		out = int128{v.lo << n, v.hi<<n | v.lo>>(64-n)}
	}
	return out, out.shiftedRight(n) == v
}

// length is the number of bits of v without its sign bits, give or take one.
func (v int128) length() int {
	sign := uint64(int64(v.hi) >> 63)
	if hi := v.hi ^ sign; hi != 0 {
		return 64 + bits.Len64(hi)
	}
	return bits.Len64(v.lo ^ sign)
}

// plus is v + o, unless that leaves 128 bits.
func (v int128) plus(o int128) (int128, bool) {
	lo, carry := bits.Add64(v.lo, o.lo, 0)
	hi, _ := bits.Add64(v.hi, o.hi, carry)
	return int128{lo, hi}, (v.hi^hi)&(o.hi^hi)>>63 == 0
}
