package schema

import (
	"bytes"
	"fmt"
	"math"
	"math/big"
)

// jsonDigits is a number taken apart: its value is digits * 10^exp, negated if negative. Digits has no zero at either
// end and is empty for zero.
type jsonDigits struct {
	negative bool
	digits   []byte // in a buffer of the caller's, or part of the text
	exp      int
}

// exponentMax bounds exponents: nothing that a field holds is near it. A greater one is refused, not rounded.
const exponentMax = 1 << 20

// takeApart reads a number in JSON's form exactly. It says no where the text has another form (leading zeros are taken)
// or an absurd exponent.
// buf is where it may put digits.
func takeApart(text, buf []byte) (d jsonDigits, ok bool) {
	mantissa := text
	if len(mantissa) > 0 && mantissa[0] == '-' {
		d.negative, mantissa = true, mantissa[1:]
	}
	if i := bytes.IndexAny(mantissa, "eE"); i >= 0 {
		if d.exp, ok = exponent(mantissa[i+1:]); !ok {
			return d, false
		}
		mantissa = mantissa[:i]
	}
	whole, fraction, dot := bytes.Cut(mantissa, []byte{'.'})
	if len(whole) == 0 || dot && len(fraction) == 0 || !allDigits(whole) || !allDigits(fraction) {
		return d, false
	}
	d.digits = whole
	if dot {
		d.digits = append(append(buf[:0], whole...), fraction...)
		d.exp -= len(fraction)
	}
	trimmed := bytes.TrimRight(d.digits, "0")
	d.exp += len(d.digits) - len(trimmed)
	d.digits = bytes.TrimLeft(trimmed, "0")
	return d, true
}

func exponent(text []byte) (int, bool) {
	negative := false
	if len(text) > 0 && (text[0] == '+' || text[0] == '-') {
		negative, text = text[0] == '-', text[1:]
	}
	if len(text) == 0 || !allDigits(text) {
		return 0, false
	}
	exp := 0
	for _, c := range text {
		if exp = exp*10 + int(c-'0'); exp > exponentMax {
			return 0, false
		}
	}
	if negative {
		return -exp, true
	}
	return exp, true
}

func allDigits(text []byte) bool {
	for _, c := range text {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// exactInteger reads a JSON number as an int64. 5.0 and 1e3 are whole numbers, 5.5 is none. The reason is empty if it
// fits.
func exactInteger(text []byte, whole bool) (v int64, reason string) {
	if whole && len(text) < 19 { // no overflow: at most 18 digits
		digits := text
		if text[0] == '-' {
			digits = text[1:]
		}
		for _, c := range digits {
			v = v*10 + int64(c-'0')
		}
		if text[0] == '-' {
			v = -v
		}
		return v, ""
	}
	var buf [64]byte
	d, ok := takeApart(text, buf[:0])
	if !ok {
		return 0, ReasonBadNumber
	}
	if len(d.digits) == 0 {
		return 0, ""
	}
	if d.exp < 0 {
		return 0, ReasonBadNumber
	}
	if len(d.digits)+d.exp > 19 {
		return 0, ReasonIntRange
	}
	n := d.unsigned(d.exp)
	switch {
	case n <= math.MaxInt64 && d.negative:
		return -int64(n), ""
	case n <= math.MaxInt64:
		return int64(n), ""
	case n == 1<<63 && d.negative:
		return math.MinInt64, ""
	}
	return 0, ReasonIntRange
}

// unsigned is digits * 10^zeros; together they have at most 19 digits, which 64 bits hold.
func (d *jsonDigits) unsigned(zeros int) (n uint64) {
	for _, c := range d.digits {
		n = n*10 + uint64(c-'0')
	}
	for range zeros {
		n *= 10
	}
	return n
}

// appendDecimal appends the canonical bytes of a decimal of type n that text says exactly. The reason, in words, is
// empty if it could.
func appendDecimal(dst, text []byte, n *node) ([]byte, string) {
	var buf [64]byte
	d, ok := takeApart(text, buf[:0])
	if !ok {
		return dst, `a decimal is written "12.50"`
	}
	if len(d.digits) == 0 {
		return append(dst, 0), ""
	}
	zeros := d.exp + n.scale
	if zeros < 0 {
		return dst, fmt.Sprintf("%d digits after the point, the decimal's scale is %d", -d.exp, n.scale)
	}
	if digits := len(d.digits) + zeros; digits > n.precision {
		return dst, fmt.Sprintf("%d digits, the decimal's precision is %d", digits, n.precision)
	}
	if len(d.digits)+zeros <= 18 {
		v := int64(d.unsigned(zeros))
		if d.negative {
			v = -v
		}
		return appendTwosComplement(dst, v), ""
	}
	big, ok := new(big.Int).SetString(string(d.digits)+string(bytes.Repeat([]byte{'0'}, zeros)), 10)
	if !ok {
		return dst, `a decimal is written "12.50"`
	}
	if d.negative {
		big.Neg(big)
	}
	return append(dst, twosComplement(big)...), ""
}

// appendTwosComplement appends v big endian, without redundant leading bytes.
func appendTwosComplement(dst []byte, v int64) []byte {
	n := 8
	for n > 1 && v<<(8*(9-n))>>(8*(9-n)) == v {
		n--
	}
	for n--; n >= 0; n-- {
		dst = append(dst, byte(v>>(8*n)))
	}
	return dst
}

// twosComplement gives v big endian, without redundant leading bytes.
func twosComplement(v *big.Int) []byte {
	length := v.BitLen()/8 + 1
	if v.Sign() < 0 { // -128 needs one byte, 128 two
		length = new(big.Int).Not(v).BitLen()/8 + 1
		v = new(big.Int).Add(v, new(big.Int).Lsh(big.NewInt(1), uint(8*length)))
	}
	return v.FillBytes(make([]byte, length))
}
