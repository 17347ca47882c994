package flow

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/tidemark-io/tidemark/schema"
)

// A letter is a record of the repartition topic (FORMAT.md): an event on its way to the task of its group, or a marker
// that carries no more than a watermark.
type letter struct {
	marker    bool
	partition int32  // of the source
	offset    int64  // of the event in it
	mark      int64  // the partition's watermark before the event, ms
	parts     []part // ascending by element
	value     []byte // as it was in the source
}

// part is an element of the event that this partition is to count.
type part struct {
	element int
	outputs uint64 // those whose groups of the element meet at this partition
}

const (
	letterVersion = 1
	letterEvent   = 0
	letterMarker  = 1
)

// append appends the letter's bytes.
func (l *letter) append(dst []byte) []byte {
	kind := byte(letterEvent)
	if l.marker {
		kind = letterMarker
	}
	dst = append(dst, letterVersion, kind)
	dst = binary.AppendUvarint(dst, uint64(l.partition))
	dst = binary.AppendVarint(dst, l.mark)
	if l.marker {
		return dst
	}
	dst = binary.AppendUvarint(dst, uint64(l.offset))
	dst = binary.AppendUvarint(dst, uint64(len(l.parts)))
	before := -1
	for _, p := range l.parts {
		dst = binary.AppendUvarint(dst, uint64(p.element-before-1))
		dst = binary.AppendUvarint(dst, p.outputs)
		before = p.element
	}
	return append(dst, l.value...)
}

// LetterError says that a record of the repartition topic isn't one of ours.
type LetterError struct{ What string }

// Error says what is wrong with the record.
func (e *LetterError) Error() string {
	return "no record of a repartition topic: " + e.What
}

// decode reads what append wrote, and nothing else: there is one spelling of each letter. value aliases src.
func (l *letter) decode(src []byte) error {
	if len(src) < 2 || src[0] != letterVersion || src[1] > letterMarker {
		return &LetterError{What: fmt.Sprintf("it begins with % x", src[:min(2, len(src))])}
	}
	*l = letter{marker: src[1] == letterMarker, parts: l.parts[:0]}
	r := header{rest: src[2:]}
	l.partition, l.mark = int32(r.atMost(partitionMax)), r.signed()
	if !l.marker {
		l.offset = r.atMost(math.MaxInt64)
		l.parts = r.parts(l.parts)
		l.value = r.rest
	}
	switch {
	case r.bad:
		return &LetterError{What: "its header is damaged or cut short"}
	case l.marker && len(r.rest) > 0:
		return &LetterError{What: fmt.Sprintf("%d bytes follow a watermark", len(r.rest))}
	case !l.marker && len(l.parts) == 0:
		return &LetterError{What: "it is about nothing"}
	}
	return nil
}

// Limits of what a letter's header says.
const (
	partitionMax = 1 << 30
	partsMax     = schema.MaxElements
)

// header reads the numbers of a letter's header. Once bad it stays so.
type header struct {
	rest []byte
	bad  bool
}

func (r *header) unsigned() uint64 {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 || n > 1 && r.rest[n-1] == 0 {
		r.bad = true
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

// parts reads the elements. Each is for some output.
func (r *header) parts(dst []part) []part {
	before := int64(-1)
	for range r.atMost(partsMax) {
		p := part{element: int(before + 1 + r.atMost(partsMax)), outputs: r.unsigned()}
		if r.bad = r.bad || p.outputs == 0; r.bad {
			return dst
		}
		dst, before = append(dst, p), int64(p.element)
	}
	return dst
}

// signed reads zig-zag.
func (r *header) signed() int64 {
	v := r.unsigned()
	return int64(v>>1) ^ -int64(v&1)
}

// atMost reads a number from 0 to most.
func (r *header) atMost(most uint64) int64 {
	v := r.unsigned()
	if v > most {
		r.bad = true
		return 0
	}
	return int64(v)
}
