package aggregates

import (
	"encoding/binary"
	"math/big"
	"math/bits"
)

// integer is an exact total of integers: 128 bits of two's complement, and beyond them as many as it takes. The zero
// integer is 0.
type integer struct {
	lo, hi uint64
	wide   *big.Int // if set, the total; lo and hi are of no meaning then
}

// add adds v.
func (n *integer) add(v int64) { n.add128(uint64(v), uint64(v>>63)) }

// addSquare adds v * v.
func (n *integer) addSquare(v int64) {
	m := uint64(v)
	if v < 0 {
		m = -m
	}
	hi, lo := bits.Mul64(m, m)
	n.add128(lo, hi)
}

// add128 adds a two's-complement integer.
func (n *integer) add128(lo, hi uint64) {
	if n.wide != nil {
		n.wide.Add(n.wide, bigOf128(lo, hi))
		return
	}
	l, carry := bits.Add64(n.lo, lo, 0)
	h, _ := bits.Add64(n.hi, hi, carry)
	if (n.hi^h)&(hi^h)>>63 != 0 {
		n.wide = n.big()
		n.wide.Add(n.wide, bigOf128(lo, hi))
		return
	}
	n.lo, n.hi = l, h
}

// addBytes adds the big-endian two's-complement integer b.
func (n *integer) addBytes(b []byte) {
	if b = trimmed(b); len(b) <= 16 {
		n.add128(words(b))
		return
	}
	if n.wide == nil {
		n.wide = n.big()
	}
	n.wide.Add(n.wide, bigOf(b))
}

// merge adds o, which stays as it is.
func (n *integer) merge(o *integer) {
	if o.wide == nil {
		n.add128(o.lo, o.hi)
		return
	}
	if n.wide == nil {
		n.wide = n.big()
	}
	n.wide.Add(n.wide, o.wide)
}

// big is the total; the caller may change it.
func (n *integer) big() *big.Int {
	if n.wide != nil {
		return new(big.Int).Set(n.wide)
	}
	return bigOf128(n.lo, n.hi)
}

// appendBytes appends the total: two's complement, big-endian, as short as can be, at least one byte.
func (n *integer) appendBytes(dst []byte) []byte {
	if n.wide != nil {
		return append(dst, bytesOf(n.wide)...)
	}
	var b [16]byte
	binary.BigEndian.PutUint64(b[:], n.hi)
	binary.BigEndian.PutUint64(b[8:], n.lo)
	return append(dst, trimmed(b[:])...)
}

// append appends a uvarint length, and the total as appendBytes does.
func (n *integer) append(dst []byte) []byte {
	var b [32]byte
	total := n.appendBytes(b[:0])
	return append(binary.AppendUvarint(dst, uint64(len(total))), total...)
}

// read reads what append wrote, of at most limit bytes.
func (n *integer) read(r *reader, limit uint64) {
	*n = integer{}
	b := r.take(r.uvarint(limit))
	switch {
	case r.err != nil:
	case len(b) == 0 || len(trimmed(b)) < len(b):
		r.fail("an integer of %d bytes that is not as short as can be", len(b))
	case len(b) <= 16:
		n.lo, n.hi = words(b)
	default:
		n.wide = bigOf(b)
	}
}

// bytes is the memory held beyond the integer itself.
func (n *integer) bytes() int64 {
	if n.wide == nil {
		return 0
	}
	return 24 + int64(cap(n.wide.Bits()))*8
}

// words is the two's-complement integer b, of 1 to 16 bytes, as 128 bits.
func words(b []byte) (lo, hi uint64) {
	sign := uint64(int8(b[0]) >> 7)
	lo, hi = sign, sign
	for _, c := range b {
		lo, hi = lo<<8|uint64(c), hi<<8|lo>>56
	}
	return lo, hi
}

// bigOf128 is a two's-complement integer of 128 bits.
func bigOf128(lo, hi uint64) *big.Int {
	v := new(big.Int).SetInt64(int64(hi))
	v.Lsh(v, 64)
	return v.Add(v, new(big.Int).SetUint64(lo))
}

// bigOf is the big-endian two's-complement integer b.
func bigOf(b []byte) *big.Int {
	v := new(big.Int).SetBytes(b)
	if len(b) > 0 && b[0]&0x80 != 0 {
		v.Sub(v, new(big.Int).Lsh(big.NewInt(1), uint(len(b))*8))
	}
	return v
}

// bytesOf is v in two's complement, big-endian, as short as can be.
func bytesOf(v *big.Int) []byte {
	if v.Sign() >= 0 {
		return v.FillBytes(make([]byte, v.BitLen()/8+1))
	}
	size := new(big.Int).Not(v).BitLen()/8 + 1
	rest := new(big.Int).Lsh(big.NewInt(1), uint(size)*8)
	return rest.Add(rest, v).FillBytes(make([]byte, size))
}
