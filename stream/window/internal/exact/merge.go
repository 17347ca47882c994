package exact

import "math/bits"

// Merge adds all that was added to o, which belongs to ow and stays as it is. The total is then that of both, so its
// bytes are those of a Sum of all values (invariant 2).
func (s *Sum) Merge(o *Sum, w, ow *Wide) {
	s[meta] |= o[meta] & flagMask
	if o[meta]&wideBit == 0 {
		s.mergeNarrow(int128{o[low], o[high]}, o.exponent(), w)
		return
	}
	if s[meta]&wideBit == 0 {
		i := w.spill(int128{s[low], s[high]}, s.exponent())
		s[low], s[high] = 0, 0
		s[meta] = s[meta]&flagMask | wideBit | uint64(i)<<indexShift
	}
	to, from := w.total(s.index()), ow.total(o.index())
	var carry uint64
	for j := range to {
		to[j], carry = bits.Add64(to[j], from[j], carry)
	}
}

// mergeNarrow adds v * 2^(at-bias) as two addends of up to 64 bits.
func (s *Sum) mergeNarrow(v int128, at int, w *Wide) {
	if v.isZero() {
		return
	}
	v, zeros := v.odd() // so that no addend reaches beyond the Wide
	at += zeros
	negative := v.isNegative()
	if negative {
		v = v.negated()
	}
	s.addFar(v.lo, at, negative, w)
	if v.hi != 0 {
		s.addFar(v.hi, at+64, negative, w)
	}
}
