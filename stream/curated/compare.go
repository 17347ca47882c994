package curated

import (
	"bytes"
	"crypto/sha256"
)

// RowHash is the SHA-256 over the canonical Avro of key and aggregates, which begins the row's value. It leaves out
// what may depend on timing, so equal results hash alike in both lanes, whatever their revisions and causes.
func (c *Codec) RowHash(r *Row) [sha256.Size]byte {
	var buf [256]byte
	return sha256.Sum256(c.appendResult(buf[:0], r))
}

// Same reports whether two rows give the same result: equal key, equal aggregates bit for bit, and both retracted or
// neither. Two retracted rows of one key are the same whatever their values.
func (c *Codec) Same(a, b *Row) bool {
	if (a.Status == Retracted) != (b.Status == Retracted) {
		return false
	}
	var bufA, bufB [256]byte
	return bytes.Equal(c.appendResult(bufA[:0], a), c.appendResult(bufB[:0], b))
}
