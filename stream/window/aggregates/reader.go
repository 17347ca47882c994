package aggregates

import (
	"encoding/binary"
	"fmt"
)

// reader takes an accumulator's bytes apart. After the first error every method returns zero.
type reader struct {
	src []byte
	err error
}

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf(format, args...)
	}
	r.src = nil
}

// take is the next n bytes; they alias the source.
func (r *reader) take(n uint64) []byte {
	if n > uint64(len(r.src)) {
		r.fail("the bytes end inside the state: %d wanted, %d left", n, len(r.src))
		return nil
	}
	b := r.src[:n]
	r.src = r.src[n:]
	return b
}

func (r *reader) byte() byte {
	if b := r.take(1); len(b) == 1 {
		return b[0]
	}
	return 0
}

// word is 8 bytes, big-endian.
func (r *reader) word() uint64 {
	if b := r.take(8); len(b) == 8 {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

// uvarint is a LEB128 number without superfluous bytes, of at most limit.
func (r *reader) uvarint(limit uint64) uint64 {
	v, n := binary.Uvarint(r.src)
	switch {
	case n <= 0:
		r.fail("the bytes end inside a number, or it is beyond 64 bits")
		return 0
	case n > 1 && r.src[n-1] == 0:
		r.fail("a number with a superfluous byte")
		return 0
	case v > limit:
		r.fail("a number of %d: at most %d", v, limit)
		return 0
	}
	r.src = r.src[n:]
	return v
}

// end is the first error; bytes that are left are one.
func (r *reader) end() error {
	if r.err == nil && len(r.src) > 0 {
		r.fail("%d bytes behind the state", len(r.src))
	}
	return r.err
}
