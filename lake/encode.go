package lake

import (
	"encoding/binary"
	"math/bits"
)

// Avro's ints and longs are zigzag varints, which is what AppendVarint writes.

func longBytes(v int64) int {
	zigzag := uint64(v)<<1 ^ uint64(v>>63)
	return (bits.Len64(zigzag|1) + 6) / 7
}

func bytesBytes(b []byte) int { return longBytes(int64(len(b))) + len(b) }

func optionalBytes(b []byte) int {
	if b == nil {
		return 1
	}
	return 1 + bytesBytes(b)
}

func appendBytes(dst, b []byte) []byte {
	dst = binary.AppendVarint(dst, int64(len(b)))
	return append(dst, b...)
}

// appendOptional writes a union of null and bytes.
func appendOptional(dst, b []byte) []byte {
	if b == nil {
		return append(dst, 0)
	}
	return appendBytes(append(dst, 2), b)
}

// commonBytes is the exact length of what appendCommon writes. Exact, because
// where blocks end depends on it, and that must be the same however a record
// came into a block (invariant 4).
func commonBytes(r *Record) int {
	n := longBytes(int64(r.Partition)) + longBytes(r.Offset) + longBytes(r.Timestamp) + optionalBytes(r.Key) + 1
	if len(r.Headers) > 0 {
		n += longBytes(int64(len(r.Headers)))
	}
	for _, h := range r.Headers {
		n += longBytes(int64(len(h.Key))) + len(h.Key) + optionalBytes(h.Value)
	}
	return n
}

func appendCommon(dst []byte, r *Record) []byte {
	dst = binary.AppendVarint(dst, int64(r.Partition))
	dst = binary.AppendVarint(dst, r.Offset)
	dst = binary.AppendVarint(dst, r.Timestamp)
	dst = appendOptional(dst, r.Key)
	if len(r.Headers) > 0 {
		dst = binary.AppendVarint(dst, int64(len(r.Headers)))
		for _, h := range r.Headers {
			dst = binary.AppendVarint(dst, int64(len(h.Key)))
			dst = append(dst, h.Key...)
			dst = appendOptional(dst, h.Value)
		}
	}
	return append(dst, 0) // end of the headers
}

func rawBytes(r *Record, payload []byte) int {
	return commonBytes(r) + longBytes(int64(len(payload))) + len(payload)
}

func appendRaw(dst []byte, r *Record, payload []byte) []byte {
	dst = appendCommon(dst, r)
	return appendBytes(dst, payload) // value_bytes, then value
}

func quarantineBytes(r *Record, reason string) int {
	return commonBytes(r) + longBytes(int64(len(reason))) + len(reason) + optionalBytes(r.Value)
}

func appendQuarantine(dst []byte, r *Record, reason string) []byte {
	dst = appendCommon(dst, r)
	dst = binary.AppendVarint(dst, int64(len(reason)))
	dst = append(dst, reason...)
	return appendOptional(dst, r.Value)
}
