package schema

import (
	"crypto/sha256"
	"encoding/binary"
)

// The first byte of the canonical encoding. It changes when the encoding does:
// identities are in every task's state and checkpoints.
const (
	identityVersion  = 1
	identityElements = 2 // of an event with an unnested array
)

// scratchMax is how much memory an Event keeps for the encoding of rows.
const scratchMax = 64 << 10

// identity hashes the row, or the parent's fields of it and all elements.
func (ev *Event) identity(parent []int32) [16]byte {
	buf := ev.scratch[:0]
	if e := &ev.elements; e.nested {
		buf = append(buf, identityElements)
		for _, i := range parent {
			buf = appendValue(buf, &ev.Row[i])
		}
		buf = binary.BigEndian.AppendUint32(buf, uint32(e.count))
		for i := range e.values {
			buf = appendValue(buf, &e.values[i])
		}
	} else {
		buf = appendIdentity(buf, ev.Row)
	}
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
		dst = appendValue(dst, &row[i])
	}
	return dst
}

func appendValue(dst []byte, v *Value) []byte {
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
	return dst
}
