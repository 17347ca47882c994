package lake

import (
	"errors"
	"fmt"
	"math"
)

// wrongBytes is an error about the bytes themselves, told apart from errors of
// getting at them; callers add the path.
type wrongBytes string

func (w wrongBytes) Error() string { return string(w) }

func wrongf(format string, args ...any) error { return wrongBytes(fmt.Sprintf(format, args...)) }

func isWrong(err error) bool {
	var w wrongBytes
	return errors.As(err, &w)
}

// cursor reads Avro's primitive encodings from memory. The first fault sticks,
// and what is read after it is zero. No length is believed before it is known
// to lie within the memory.
type cursor struct {
	buf []byte
	pos int
	err error
}

func (c *cursor) fail(what string) {
	if c.err == nil {
		c.err = wrongf("%s at byte %d", what, c.pos)
	}
}

func (c *cursor) long() int64 {
	var v uint64
	for shift := 0; shift < 64; shift += 7 {
		if c.err != nil || c.pos >= len(c.buf) {
			c.fail("a number is cut off")
			return 0
		}
		b := c.buf[c.pos]
		c.pos++
		if shift == 63 && b > 1 {
			break
		}
		v |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return int64(v>>1) ^ -int64(v&1)
		}
	}
	c.fail("a number is longer than 64 bits")
	return 0
}

func (c *cursor) int() int32 {
	v := c.long()
	if v < math.MinInt32 || v > math.MaxInt32 {
		c.fail("a number is longer than 32 bits")
		return 0
	}
	return int32(v)
}

// take returns the next n bytes; they alias the memory.
func (c *cursor) take(n int64) []byte {
	if c.err != nil {
		return nil
	}
	if n < 0 || n > int64(len(c.buf)-c.pos) {
		c.fail(fmt.Sprintf("a length of %d bytes is beyond the end", n))
		return nil
	}
	b := c.buf[c.pos : c.pos+int(n) : c.pos+int(n)]
	c.pos += int(n)
	return b
}

func (c *cursor) bytes() []byte { return c.take(c.long()) }

// optional reads a union of null and bytes; nil is null.
func (c *cursor) optional() []byte {
	switch c.long() {
	case 0:
		return nil
	case 1:
		return c.bytes()
	}
	c.fail("a union has no such branch")
	return nil
}

// record reads one envelope into s, whose slices then alias the memory.
func (c *cursor) record(quarantine bool, s *Stored) {
	s.Partition = c.int()
	s.Offset = c.long()
	s.Timestamp = c.long()
	s.Key = c.optional()
	s.Headers = c.headers(s.Headers[:0])
	if quarantine {
		s.Reason = string(c.bytes())
		s.Payload = c.optional()
		return
	}
	s.Payload = c.take(int64(c.int()))
}

func (c *cursor) headers(into []Header) []Header {
	for n := c.long(); n != 0 && c.err == nil; n = c.long() {
		// Blocks with a negative count carry their size; the lander writes none.
		if n < 0 || n > int64(len(c.buf)-c.pos) {
			c.fail("a count of headers is beyond the end")
			break
		}
		for range n {
			into = append(into, Header{Key: string(c.bytes()), Value: c.optional()})
		}
	}
	return into
}
