package flow

import (
	"encoding/binary"
	"fmt"
)

// A letter is a record of the repartition topic (FORMAT.md): an event on its way to the task of its group, or a marker
// that carries no more than a watermark.
type letter struct {
	marker    bool
	partition int32 // of the source
	offset    int64 // of the event in it
	mark      int64 // the partition's watermark before the event, ms
	element   int
	outputs   uint64 // those whose groups meet at this partition
	value     []byte // as it was in the source
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
	dst = binary.AppendVarint(dst, int64(l.partition))
	dst = binary.AppendVarint(dst, l.mark)
	if l.marker {
		return dst
	}
	dst = binary.AppendVarint(dst, l.offset)
	dst = binary.AppendUvarint(dst, uint64(l.element))
	dst = binary.AppendUvarint(dst, l.outputs)
	return append(dst, l.value...)
}

// LetterError says that a record of the repartition topic isn't one of ours.
type LetterError struct{ What string }

// Error says what is wrong with the record.
func (e *LetterError) Error() string {
	return "no record of a repartition topic: " + e.What
}

// decode reads what append wrote. value aliases src.
func (l *letter) decode(src []byte) error {
	if len(src) < 2 || src[0] != letterVersion || src[1] > letterMarker {
		return &LetterError{What: fmt.Sprintf("it begins with % x", src[:min(2, len(src))])}
	}
	*l = letter{marker: src[1] == letterMarker}
	src = src[2:]
	number := func() int64 {
		v, n := binary.Varint(src)
		if n <= 0 {
			src = nil
			return -1
		}
		src = src[n:]
		return v
	}
	partition := number()
	l.partition, l.mark = int32(partition), number()
	if partition < 0 || partition > 1<<30 || (src == nil && !l.marker) {
		return &LetterError{What: "it ends too soon"}
	}
	if l.marker {
		return nil
	}
	l.offset = number()
	element, n := binary.Uvarint(src)
	src = src[max(n, 0):]
	outputs, m := binary.Uvarint(src)
	if n <= 0 || m <= 0 || l.offset < 0 || element > 1<<30 || outputs == 0 {
		return &LetterError{What: "its header is damaged"}
	}
	l.element, l.outputs, l.value = int(element), outputs, src[m:]
	return nil
}
