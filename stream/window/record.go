package window

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"

	"github.com/tidemark-io/tidemark/stream/window/internal/exact"
)

const recordVersion = 1

// appendRecord appends the canonical bytes of a record (FORMAT.md): a function of the set of events in it.
func (l *layout) appendRecord(dst []byte, rec []uint64, b *beside) []byte {
	dst = append(dst, recordVersion)
	dst = binary.AppendUvarint(dst, rec[recEvents])
	dst = binary.AppendUvarint(dst, rec[recDuplicates])
	for i := range l.cells {
		c := &l.cells[i]
		switch c.op {
		case opCount, opCountIf:
			dst = binary.AppendUvarint(dst, rec[c.at])
		case opSumInt:
			dst = appendInt128(dst, rec[c.at], rec[c.at+1])
		case opSumFloat:
			dst = (*exact.Sum)(rec[c.at:c.at+3]).Append(dst, &b.wide)
		case opMin, opMax:
			dst = binary.BigEndian.AppendUint64(dst, rec[c.at])
		case opCustom:
			dst = appendAccumulator(dst, b.acc(rec[c.at]))
		}
	}
	return dst
}

// appendAccumulator appends 0 for none, else the length of the accumulator's bytes + 1 and these.
func appendAccumulator(dst []byte, a Accumulator) []byte {
	if a == nil {
		return append(dst, 0)
	}
	// The length comes first and isn't known: room for a short one is left, and a longer one moves the bytes.
	dst = append(dst, 0)
	from := len(dst)
	dst = a.Append(dst)
	n := uint64(len(dst) - from + 1)
	var prefix [binary.MaxVarintLen64]byte
	length := binary.PutUvarint(prefix[:], n)
	dst = append(dst, prefix[:length-1]...)
	copy(dst[from-1+length:], dst[from:len(dst)-length+1])
	copy(dst[from-1:], prefix[:length])
	return dst
}

// appendInt128 appends a length and the shortest big-endian two's complement of (lo, hi); no bytes for 0.
func appendInt128(dst []byte, lo, hi uint64) []byte {
	if lo|hi == 0 {
		return append(dst, 0)
	}
	var b [16]byte
	binary.BigEndian.PutUint64(b[:], hi)
	binary.BigEndian.PutUint64(b[8:], lo)
	from := 0
	for from < 15 && b[from] == byte(int8(b[from+1])>>7) {
		from++
	}
	dst = append(dst, byte(16-from))
	return append(dst, b[from:]...)
}

var errShort = errors.New("the bytes end inside it")

// decodeRecord sets the numbers of rec, whose key is left alone, to what appendRecord wrote. It fails on bytes that
// appendRecord never writes.
func (l *layout) decodeRecord(src []byte, rec []uint64, b *beside) (err error) {
	if len(src) == 0 || src[0] != recordVersion {
		return fmt.Errorf("a record of version %d, not % x", recordVersion, src[:min(1, len(src))])
	}
	src = src[1:]
	if rec[recEvents], src, err = uvarint(src); err != nil {
		return err
	}
	if rec[recDuplicates], src, err = uvarint(src); err != nil {
		return err
	}
	if rec[recEvents] == 0 {
		return errors.New("a record without events")
	}
	for i := range l.cells {
		c := &l.cells[i]
		switch c.op {
		case opCount, opCountIf:
			rec[c.at], src, err = uvarint(src)
		case opSumInt:
			rec[c.at], rec[c.at+1], src, err = int128(src)
		case opSumFloat:
			src, err = (*exact.Sum)(rec[c.at:c.at+3]).Decode(src, &b.wide)
		case opMin, opMax:
			if len(src) < 8 {
				return errShort
			}
			rec[c.at], src = binary.BigEndian.Uint64(src), src[8:]
		case opCustom:
			src, err = c.decode(src, &rec[c.at], b)
		}
		if err != nil {
			return fmt.Errorf("cell %d: %w", i, err)
		}
	}
	if len(src) != 0 {
		return fmt.Errorf("%d bytes too many", len(src))
	}
	return nil
}

// decode reads what appendAccumulator wrote.
func (c *cell) decode(src []byte, word *uint64, b *beside) (rest []byte, err error) {
	*word = 0
	n, src, err := uvarint(src)
	if err != nil || n == 0 {
		return src, err
	}
	if n-1 > uint64(len(src)) {
		return nil, errShort
	}
	return src[n-1:], b.decode(word, c.custom, src[:n-1])
}

// mergeRecords adds to dst, whose key is left alone, all that was added to src, which stays as it is: dst is then the
// record of the union of two disjoint sets of events, to the bit (law L1).
func (l *layout) mergeRecords(dst, src []uint64, db, sb *beside) error {
	dst[recEvents] += src[recEvents]
	dst[recDuplicates] += src[recDuplicates]
	for i := range l.cells {
		c := &l.cells[i]
		switch at := c.at; c.op {
		case opCount, opCountIf:
			dst[at] += src[at]
		case opSumInt:
			var carry uint64
			dst[at], carry = bits.Add64(dst[at], src[at], 0)
			dst[at+1] += src[at+1] + carry
		case opSumFloat:
			(*exact.Sum)(dst[at:at+3]).Merge((*exact.Sum)(src[at:at+3]), &db.wide, &sb.wide)
		case opMin, opMax:
			dst[at] = max(dst[at], src[at])
		case opCustom:
			other := sb.acc(src[at])
			if other == nil {
				continue
			}
			err := db.changing(db.made(&dst[at], c.custom), func(a Accumulator) error { return a.Merge(other) })
			if err != nil {
				return fmt.Errorf("merge accumulators %s: %w", c.name, err)
			}
		}
	}
	return nil
}

func uvarint(src []byte) (v uint64, rest []byte, err error) {
	v, n := binary.Uvarint(src)
	if n <= 0 {
		return 0, nil, errShort
	}
	if n > 1 && src[n-1] == 0 {
		return 0, nil, errors.New("a number with a superfluous byte")
	}
	return v, src[n:], nil
}

func int128(src []byte) (lo, hi uint64, rest []byte, err error) {
	if len(src) == 0 || len(src) < 1+int(src[0]) {
		return 0, 0, nil, errShort
	}
	b := src[1 : 1+src[0]]
	rest = src[1+len(b):]
	if len(b) == 0 {
		return 0, 0, rest, nil
	}
	if len(b) > 16 || len(b) > 1 && b[0] == byte(int8(b[1])>>7) || len(b) == 1 && b[0] == 0 {
		return 0, 0, nil, fmt.Errorf("an integer of %d bytes", len(b))
	}
	lo = uint64(int8(b[0]) >> 7)
	hi = lo
	for _, c := range b {
		lo, hi = lo<<8|uint64(c), hi<<8|lo>>56
	}
	return lo, hi, rest, nil
}
