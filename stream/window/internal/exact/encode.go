package exact

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
)

// EncodedMax is the most bytes that a Sum takes.
const EncodedMax = 1 + 2 + wideWords*8 + 2

// Append appends the sum's canonical bytes (../../FORMAT.md, "exact sum"):
//
//	1 byte    which of NaN (1), +Inf (2) and -Inf (4) were added; if any, there is nothing more
//	uvarint   n, 0 for a total of 0, and there is nothing more
//	n bytes   S, two's complement, big-endian, as short as can be, odd
//	2 bytes   e + 1074, big-endian
func (s *Sum) Append(dst []byte, w *Wide) []byte {
	if f := s.flags(); f != 0 {
		return append(dst, f)
	}
	dst = append(dst, 0)
	if s[meta]&wideBit != 0 {
		return appendWide(dst, w.total(s.index()))
	}
	v := int128{s[low], s[high]}
	if v.isZero() {
		return append(dst, 0)
	}
	v, zeros := v.odd()
	var b [16]byte
	binary.BigEndian.PutUint64(b[:], v.hi)
	binary.BigEndian.PutUint64(b[8:], v.lo)
	return appendInteger(dst, b[:], s.exponent()+zeros)
}

func appendWide(dst []byte, t []uint64) []byte {
	zeros := 0
	for zeros < wideWords && t[zeros] == 0 {
		zeros++
	}
	if zeros == wideWords {
		return append(dst, 0)
	}
	shift := bits.TrailingZeros64(t[zeros])
	sign := uint64(int64(t[wideWords-1]) >> 63)
	var b [wideWords * 8]byte
	for i := range wideWords {
		word, next := sign, sign
		if i+zeros < wideWords {
			word = t[i+zeros]
		}
		if i+zeros+1 < wideWords {
			next = t[i+zeros+1]
		}
		binary.BigEndian.PutUint64(b[(wideWords-1-i)*8:], word>>shift|next<<(64-shift))
	}
	return appendInteger(dst, b[:], zeros*64+shift)
}

// appendInteger appends length, bytes and exponent of the two's-complement integer b, without the bytes that only
// repeat its sign.
func appendInteger(dst, b []byte, exponent int) []byte {
	for len(b) > 1 && redundant(b) {
		b = b[1:]
	}
	dst = binary.AppendUvarint(dst, uint64(len(b)))
	dst = append(dst, b...)
	return binary.BigEndian.AppendUint16(dst, uint16(exponent))
}

// redundant says whether the first of two or more bytes only repeats the sign of the second.
func redundant(b []byte) bool { return b[0] == byte(int8(b[1])>>7) }

// integerEnd bounds e + 1074 + 8 * n: 2^64 doubles of at most 2098 bits, a sign bit, and the rest of its byte.
const integerEnd = 2098 + 64 + 1 + 7

var errTruncated = errors.New("exact sum: the bytes end inside it")

// Decode reads what Append wrote from the front of src into s, and returns the rest. It fails on bytes that Append
// never writes.
func (s *Sum) Decode(src []byte, w *Wide) (rest []byte, err error) {
	*s = Sum{}
	if len(src) < 1 {
		return nil, errTruncated
	}
	if f := src[0]; f != 0 {
		if f > flagNaN|flagPosInf|flagNegInf {
			return nil, fmt.Errorf("exact sum: flags %#x", f)
		}
		s[meta] = uint64(f) << flagShift
		return src[1:], nil
	}
	length, used := binary.Uvarint(src[1:])
	if used > 1 && src[used] == 0 {
		return nil, errors.New("exact sum: a length with a superfluous byte")
	}
	if used <= 0 || length > wideWords*8 || length > uint64(len(src)-1-used) {
		return nil, errTruncated
	}
	b := src[1+used : 1+used+int(length)]
	rest = src[1+used+int(length):]
	if length == 0 {
		return rest, nil
	}
	if len(rest) < 2 {
		return nil, errTruncated
	}
	exponent := int(binary.BigEndian.Uint16(rest))
	if err := checkInteger(b, exponent); err != nil {
		return nil, err
	}
	s.load(b, exponent, w)
	return rest[2:], nil
}

func checkInteger(b []byte, exponent int) error {
	if len(b) > 1 && redundant(b) {
		return fmt.Errorf("exact sum: %d bytes where fewer would do", len(b))
	}
	if b[len(b)-1]&1 == 0 {
		return errors.New("exact sum: the integer is even")
	}
	if exponent+len(b)*8 > integerEnd {
		return fmt.Errorf("exact sum: exponent %d of %d bytes is beyond any sum of doubles", exponent, len(b))
	}
	return nil
}

// load sets s to the big-endian two's-complement integer b times 2^(exponent-bias).
func (s *Sum) load(b []byte, exponent int, w *Wide) {
	if len(b) <= 16 {
		sign := uint64(int8(b[0]) >> 7)
		v := int128{sign, sign}
		for _, c := range b {
			v = int128{v.lo<<8 | uint64(c), v.hi<<8 | v.lo>>56}
		}
		s.set(v, exponent)
		return
	}
	i := w.alloc()
	t := w.total(i)
	sign := uint64(int8(b[0]) >> 7)
	word, shift := exponent/64, exponent%64
	for j := word; j < wideWords; j++ {
		t[j] = wordAt(b, j-word, sign) << shift
		if j > word {
			t[j] |= wordAt(b, j-word-1, sign) >> (64 - shift)
		}
	}
	s[meta] = wideBit | uint64(i)<<indexShift
}

// wordAt is word i (0 the lowest) of the big-endian integer b, extended by its sign.
func wordAt(b []byte, i int, sign uint64) uint64 {
	v := sign
	end := len(b) - i*8
	for j := max(0, end-8); j < end; j++ {
		v = v<<8 | uint64(b[j])
	}
	return v
}
