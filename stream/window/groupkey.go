package window

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"hash/maphash"
)

// groupKey is a group key on its way into the tables: hashed once, with its first 16 bytes as two big-endian words,
// which compare as the bytes do. Keys of up to 16 bytes lie in the record and need no look elsewhere.
type groupKey struct {
	bytes []byte
	a, b  uint64
	hash  uint32
}

const inlineMax = 16

func (k *groupKey) set(key []byte, seed maphash.Seed) {
	k.bytes = key
	k.hash = uint32(maphash.Bytes(seed, key))
	k.a, k.b = prefixOf(key)
}

// is says whether k was set from this very slice: outputs often group by the same fields.
func (k *groupKey) is(key []byte) bool {
	return len(key) == len(k.bytes) && len(key) > 0 && &key[0] == &k.bytes[0]
}

// prefixOf is the first 16 bytes, padded with zeros.
func prefixOf(key []byte) (a, b uint64) {
	n := len(key)
	switch {
	case n >= 16:
		return binary.BigEndian.Uint64(key), binary.BigEndian.Uint64(key[8:])
	case n >= 8: // the last 8 bytes, less those that are in a
		return binary.BigEndian.Uint64(key), binary.BigEndian.Uint64(key[n-8:]) << (8 * (16 - n))
	case n >= 4:
		tail := binary.BigEndian.Uint32(key[n-4:]) << (8 * (8 - n))
		return uint64(binary.BigEndian.Uint32(key))<<32 | uint64(tail), 0
	}
	for i, c := range key {
		a |= uint64(c) << (56 - 8*i)
	}
	return a, 0
}

// appendPrefix appends the first n bytes, of at most 16, of a prefix.
func appendPrefix(dst []byte, a, b uint64, n int) []byte {
	var buf [inlineMax]byte
	binary.BigEndian.PutUint64(buf[:], a)
	binary.BigEndian.PutUint64(buf[8:], b)
	return append(dst, buf[:n]...)
}

// sortKey orders the records of a pane without touching them, but for long keys with equal beginnings.
type sortKey struct {
	a, b uint64
	rec  int
}

// compareKeys orders two sort keys as their keys' bytes.
func (p *pane) compareKeys(x, y sortKey, sh *shape) int {
	if x.a != y.a {
		return cmp.Compare(x.a, y.a)
	}
	if x.b != y.b {
		return cmp.Compare(x.b, y.b)
	}
	var xb, yb [inlineMax]byte
	return bytes.Compare(p.keyOf(xb[:0], x.rec, sh), p.keyOf(yb[:0], y.rec, sh))
}
