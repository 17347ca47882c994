package schema

import (
	"crypto/sha256"
	"encoding/binary"
)

// identityVersion is the first byte of the canonical encoding. It changes when
// the encoding does: identities are in every task's state and checkpoints.
const identityVersion = 1

// scratchMax is how much memory an Event keeps for the encoding of rows.
const scratchMax = 64 << 10

// Identity is what makes an event a duplicate of another of its topic: the
// first 16 bytes of the SHA-256 of the canonical encoding of the whole Row
// (FORMAT.md). It covers the id, the event time and every field that is read.
//
// It is only meaningful between decoders with the same Fields. It allocates
// nothing once ev has been used, unless a row takes more than 64 KiB.
func (d *Decoder) Identity(ev *Event) [16]byte {
	buf := appendIdentity(ev.scratch[:0], ev.Row)
	if cap(buf) <= scratchMax {
		ev.scratch = buf
	}
	sum := sha256.Sum256(buf)
	return [16]byte(sum[:16])
}

// appendIdentity appends the canonical encoding of a row. No encoding of a
// value is a prefix of another's, so different rows of the same fields differ.
func appendIdentity(dst []byte, row []Value) []byte {
	dst = append(dst, identityVersion)
	for i := range row {
		v := &row[i]
		dst = append(dst, byte(v.Kind))
		switch v.Kind {
		case KindBool:
			dst = append(dst, byte(v.Num))
		case KindInt, KindFloat:
			dst = binary.BigEndian.AppendUint64(dst, v.Num)
		case KindString, KindBytes:
			dst = binary.BigEndian.AppendUint32(dst, uint32(len(v.Bytes)))
			dst = append(dst, v.Bytes...)
		}
	}
	return dst
}
