package join

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/tidemark-io/tidemark/stream/window"
)

// The first bytes of state keys (FORMAT.md). They are also the version of what follows: another layout of keys takes
// other bytes.
const (
	prefixEvent           = 0x30 // interval: side, bucket, key, time, identity: row
	prefixEventHeader     = 0x31 // interval: side, bucket: count
	prefixHeld            = 0x32 // enrichment: time, identity, key: row of a left event
	prefixHeldHeader      = 0x33 // enrichment: bucket: count
	prefixVersion         = 0x34 // enrichment: key, time, identity: row of a right version
	prefixUnsettled       = 0x35 // enrichment: time, identity, key of a right version
	prefixUnsettledHeader = 0x36 // enrichment: bucket: count
	prefixMeta            = 0x3f // one key: version, kind, layout, highest watermark closed, number of versions
	prefixEnd             = 0x40 // no key of this package is at or above it

	timeLen = 8
	idLen   = 16

	rowVersion = 1
	signBit    = 1 << 63
)

// event is one event of one side as it is stored.
type event struct {
	t        int64
	id       [idLen]byte
	key, row []byte
}

// order says in which order the state keys of events lie.
type order uint8

const (
	byKey  order = iota // bucket, join key, time, identity: read by key and range of time
	byTime              // time, identity, join key: read in the order of emission
)

// appendTime appends a time so that bytes order as times do.
func appendTime(dst []byte, t int64) []byte {
	return binary.BigEndian.AppendUint64(dst, uint64(t)^signBit)
}

func timeAt(b []byte) int64 { return int64(binary.BigEndian.Uint64(b) ^ signBit) }

// appendJoinKey appends a key so that no key's bytes begin another's.
func appendJoinKey(dst, key []byte) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(key))), key...)
}

// appendEventKey appends the state key of an event of the bucket at start.
func (o order) appendEventKey(dst, head []byte, start int64, ev *event) []byte {
	dst = append(dst, head...)
	if o == byKey {
		dst = appendJoinKey(appendTime(dst, start), ev.key)
		return append(appendTime(dst, ev.t), ev.id[:]...)
	}
	dst = append(appendTime(dst, ev.t), ev.id[:]...)
	return append(dst, ev.key...)
}

// parseEvent reads a stored event, whose slices are those of k and v.
func (o order) parseEvent(k, v []byte, head int, ev *event) error {
	if err := o.parseKey(k, head, ev); err != nil {
		return &window.CorruptError{Key: slices.Clone(k), What: "key of an event of a join", Err: err}
	}
	if len(v) == 0 || v[0] != rowVersion {
		return &window.CorruptError{Key: slices.Clone(k), What: fmt.Sprintf("row of an event of a join: version % x, not %d", v[:min(1, len(v))], rowVersion)}
	}
	ev.row = v[1:]
	return nil
}

var errShort = errors.New("the bytes end inside it")

func (o order) parseKey(k []byte, head int, ev *event) error {
	if len(k) < head+timeLen {
		return errShort
	}
	rest := k[head:]
	if o == byTime {
		if len(rest) < timeLen+idLen {
			return errShort
		}
		ev.t, ev.id, ev.key = timeAt(rest), [idLen]byte(rest[timeLen:]), rest[timeLen+idLen:]
		if len(ev.key) > KeyMax {
			return fmt.Errorf("a join key of %d bytes", len(ev.key))
		}
		return nil
	}
	return parseByKey(rest[timeLen:], ev)
}

// parseByKey reads join key, time and identity.
func parseByKey(rest []byte, ev *event) error {
	n, rest, err := uvarint(rest)
	if err != nil {
		return err
	}
	if n > KeyMax {
		return fmt.Errorf("a join key of %d bytes", n)
	}
	if len(rest) != int(n)+timeLen+idLen {
		return fmt.Errorf("%d bytes for a join key of %d", len(rest), n)
	}
	ev.key, rest = rest[:n], rest[n:]
	ev.t, ev.id = timeAt(rest), [idLen]byte(rest[timeLen:])
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

// count is what the header of a bucket tells of its events.
type count struct {
	n     int64 // events
	bytes int64 // of their join keys and rows
}

const (
	headerVersion = 1
	countMax      = 1 << 48
)

func (c count) append(dst []byte) []byte {
	dst = binary.AppendUvarint(append(dst, headerVersion), uint64(c.n))
	return binary.AppendUvarint(dst, uint64(c.bytes))
}

func readCount(v []byte) (c count, err error) {
	if len(v) == 0 || v[0] != headerVersion {
		return c, fmt.Errorf("version % x, not %d", v[:min(1, len(v))], headerVersion)
	}
	n, rest, err := uvarint(v[1:])
	if err != nil {
		return c, err
	}
	size, rest, err := uvarint(rest)
	if err != nil {
		return c, err
	}
	if len(rest) != 0 || n == 0 || n > countMax || size > countMax {
		return c, fmt.Errorf("%d events of %d bytes, and %d bytes more", n, size, len(rest))
	}
	return count{n: int64(n), bytes: int64(size)}, nil
}
