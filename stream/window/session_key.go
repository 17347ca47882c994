package window

import (
	"encoding/binary"
	"errors"
	"fmt"
)

const (
	sessionSuffixLen = 8
	sessionVersion   = 1
	spanVersion      = 1
)

// dueMax is above every watermark that closes a session.
const dueMax = 1 << 60

// appendSessionKey appends the key of a session's record: prefixSession with the span's start; or of its entry in the
// index: prefixSessionDue with the watermark that closes it.
func appendSessionKey(dst []byte, prefix byte, output int, at int64, key []byte, first int64) []byte {
	return appendTime(append(appendWindowKey(dst, prefix, output, at), key...), first)
}

// splitSessionKey is the parts of such a key behind the output.
func splitSessionKey(k []byte) (at int64, key []byte, first int64, err error) {
	if len(k) < windowPrefixLen+sessionSuffixLen {
		return 0, nil, 0, fmt.Errorf("a key of %d bytes", len(k))
	}
	n := len(k) - sessionSuffixLen
	return timeAt(k[3:]), k[windowPrefixLen:n], timeAt(k[n:]), nil
}

// appendSession appends the value of a session's record.
func (s *sessions) appendSession(dst []byte, rec []uint64, p *sessionPane) []byte {
	dst = append(dst, sessionVersion)
	dst = binary.AppendUvarint(dst, rec[sessionLast]-rec[sessionFirst])
	return s.out.layout.appendRecord(dst, rec, &p.beside)
}

// sessionLength reads the beginning of a session's value: the time from its first to its last event, which lie in
// one span.
func sessionLength(v []byte, sp *sessionSpan, first int64) (length int64, rest []byte, err error) {
	if len(v) == 0 || v[0] != sessionVersion {
		return 0, nil, fmt.Errorf("a session of version %d, not % x", sessionVersion, v[:min(1, len(v))])
	}
	n, rest, err := uvarint(v[1:])
	if err != nil {
		return 0, nil, err
	}
	if first < sp.Start || first >= sp.End || n >= uint64(sp.End-first) {
		return 0, nil, fmt.Errorf("%d ms from %d on, in the span from %d to %d", n, first, sp.Start, sp.End)
	}
	return int64(n), rest, nil
}

func appendSpanHeader(dst []byte, h spanHeader) []byte {
	dst = binary.AppendUvarint(append(dst, spanVersion), uint64(h.open))
	return appendTime(dst, h.last)
}

func readSpanHeader(v []byte) (h spanHeader, err error) {
	if len(v) == 0 || v[0] != spanVersion {
		return h, fmt.Errorf("version % x, not %d", v[:min(1, len(v))], spanVersion)
	}
	n, rest, err := uvarint(v[1:])
	if err != nil {
		return h, err
	}
	if n == 0 || n > 1<<48 {
		return h, fmt.Errorf("a count of %d", n)
	}
	if len(rest) != 8 {
		return h, errors.New("no time of 8 bytes")
	}
	return spanHeader{open: int64(n), last: timeAt(rest)}, nil
}
