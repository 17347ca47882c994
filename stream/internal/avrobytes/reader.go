// Package avrobytes takes plain Avro (1.12, "Binary Encoding") apart, field by field, for the records that Tidemark writes
// itself: curated records and journal entries. It is strict: of each value only the bytes that Tidemark writes are taken.
package avrobytes

import (
	"encoding/binary"
	"errors"
	"fmt"
	"unicode/utf8"
)

// Reader walks the bytes of a record. After the first error every method returns zero. Fields are named for messages.
type Reader struct {
	rest []byte
	err  error
}

// New reads b, which results alias.
func New(b []byte) Reader { return Reader{rest: b} }

// Rest is what hasn't been read.
func (r *Reader) Rest() []byte { return r.rest }

// Err is the first error.
func (r *Reader) Err() error { return r.err }

// Fail notes an error, if it is the first.
func (r *Reader) Fail(field string, err error) {
	if r.err == nil {
		r.err = fmt.Errorf("field %s: %w", field, err)
	}
}

// End is the first error; bytes that are left are one.
func (r *Reader) End() error {
	if r.err == nil && len(r.rest) > 0 {
		return fmt.Errorf("%d bytes follow the last field", len(r.rest))
	}
	return r.err
}

// Long reads an int or a long.
func (r *Reader) Long(field string) int64 {
	if r.err != nil {
		return 0
	}
	v, n := binary.Varint(r.rest)
	if n <= 0 {
		r.Fail(field, errors.New("the bytes end within, or overflow, a number"))
		return 0
	}
	if n > 1 && r.rest[n-1] == 0 { // the same number has a shorter form; two encodings would make two keys of one group
		r.Fail(field, errors.New("the number is not in its shortest form"))
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

// Int reads an int of 32 bits.
func (r *Reader) Int(field string) int32 {
	v := r.Long(field)
	if v != int64(int32(v)) {
		r.Fail(field, fmt.Errorf("%d does not fit 32 bits", v))
		return 0
	}
	return int32(v)
}

// Branch reads the branch of a union [null, T]: true for T.
func (r *Reader) Branch(field string) bool {
	v := r.Long(field)
	if v != 0 && v != 1 {
		r.Fail(field, fmt.Errorf("union branch %d does not exist", v))
	}
	return v == 1
}

// Bytes takes the next n bytes.
func (r *Reader) Bytes(field string, n int64) []byte {
	if r.err != nil {
		return nil
	}
	if n < 0 || n > int64(len(r.rest)) {
		r.Fail(field, fmt.Errorf("%d bytes are wanted, but %d are left", n, len(r.rest)))
		return nil
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b
}

// Text reads a string.
func (r *Reader) Text(field string) []byte {
	b := r.Bytes(field, r.Long(field))
	if !utf8.Valid(b) {
		r.Fail(field, errors.New("the string is not valid UTF-8"))
		return nil
	}
	return b
}
