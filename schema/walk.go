package schema

import (
	"encoding/binary"
	"math"
	"unicode/utf8"
)

// intBytesMax is how long the varint of an int may be: Java's reader stops
// there, and would read what follows as the next field.
const intBytesMax = 5

// walk is the state of one Decode; it lives on the stack.
type walk struct {
	p     *Projection
	buf   []byte
	row   []Value
	items int64 // of arrays and maps so far
	empty int64 // of them, those without bytes
	depth int
	fault fault

	elements *elements // of the unnested array, if there is one
}

// run executes a program from pos and gives the position behind it, or -1 with
// the fault set. Everything varies in its bytes only through the leading varint,
// so that is read in one place.
func (w *walk) run(prog int32, pos int) int {
	ops := w.p.programs[prog].ops
	buf := w.buf
	for i := 0; i < len(ops); i++ {
		o := &ops[i]
		if o.code < opInt {
			if pos = w.fixed(o, pos); pos < 0 {
				return w.failAt(prog, i)
			}
			continue
		}
		var v uint64
		start := pos
		if pos < len(buf) && buf[pos] < 0x80 {
			v = uint64(buf[pos])
			pos++
		} else if v, pos = w.varint(pos); pos < 0 {
			return w.failAt(prog, i)
		}
		n := int64(v>>1) ^ -int64(v&1)
		switch o.code {
		case opString, opBytes, opDecimal:
			if uint64(n) > uint64(len(buf)-pos) {
				w.length(n, pos)
				return w.failAt(prog, i)
			}
			b := buf[pos : pos+int(n) : pos+int(n)]
			if o.code == opString && !validUTF8(b) {
				w.fail(ReasonBadUTF8, pos, n)
				return w.failAt(prog, i)
			}
			pos += int(n)
			if o.slot >= 0 {
				if o.code == opDecimal {
					w.row[o.slot] = Value{Kind: KindBytes, Bytes: trimDecimal(b)}
				} else {
					w.row[o.slot] = Value{Kind: KindString + Kind(o.code-opString), Bytes: b}
				}
			}
		case opInt, opLong:
			if o.code == opInt && (int64(int32(n)) != n || pos-start > intBytesMax) {
				w.fail(ReasonIntRange, start, n)
				return w.failAt(prog, i)
			}
			if o.slot >= 0 {
				w.row[o.slot] = Value{Kind: KindInt, Num: uint64(n)}
			}
		case opOptional:
			if uint64(n) > 1 {
				w.fail(ReasonBadUnion, pos, n)
				return w.failAt(prog, i)
			}
			if n == o.n {
				if o.slot >= 0 {
					w.row[o.slot] = Value{}
				}
				i += int(o.sub)
			}
		default:
			if pos = w.choice(o, n, pos); pos < 0 {
				return w.failAt(prog, i)
			}
		}
	}
	return pos
}

// fixed executes the ops that begin without a varint.
func (w *walk) fixed(o *op, pos int) int {
	rest := w.buf[pos:]
	switch o.code {
	case opArray, opMap, opElements:
		return w.blocks(o, pos)
	case opCall:
		return w.call(o.sub, pos)
	case opBool:
		if len(rest) < 1 {
			return w.fail(ReasonTruncated, pos, 1)
		}
		if rest[0] > 1 {
			return w.fail(ReasonBadBool, pos, int64(rest[0]))
		}
		if o.slot >= 0 {
			w.row[o.slot] = Value{Kind: KindBool, Num: uint64(rest[0])}
		}
		return pos + 1
	}
	if int64(len(rest)) < o.n {
		return w.fail(ReasonTruncated, pos, o.n)
	}
	switch o.code {
	case opDouble:
		w.row[o.slot] = FloatValue(math.Float64frombits(binary.LittleEndian.Uint64(rest)))
	case opFloat:
		w.row[o.slot] = FloatValue(float64(math.Float32frombits(binary.LittleEndian.Uint32(rest))))
	case opFixed:
		w.row[o.slot] = Value{Kind: KindBytes, Bytes: rest[:o.n:o.n]}
	case opFixedDecimal:
		w.row[o.slot] = Value{Kind: KindBytes, Bytes: trimDecimal(rest[:o.n:o.n])}
	}
	return pos + int(o.n)
}

// choice executes enums and unions of several types.
func (w *walk) choice(o *op, n int64, pos int) int {
	if uint64(n) >= uint64(o.n) {
		if o.code == opEnum {
			return w.fail(ReasonBadEnum, pos, n)
		}
		return w.fail(ReasonBadUnion, pos, n)
	}
	if o.code == opUnion {
		return w.call(w.p.branches[o.sub][n], pos)
	}
	if o.slot >= 0 {
		w.row[o.slot] = Value{Kind: KindString, Bytes: w.p.symbols[o.sub][n]}
	}
	return pos
}

// call runs another program one level deeper.
func (w *walk) call(prog int32, pos int) int {
	if w.depth++; w.depth > MaxDepth {
		return w.fail(ReasonTooDeep, pos, MaxDepth)
	}
	pos = w.run(prog, pos)
	w.depth--
	return pos
}

// varint reads a zigzag varint undecoded: at most ten bytes, at most 64 bits.
func (w *walk) varint(pos int) (uint64, int) {
	var v uint64
	for i := range 10 {
		if pos+i >= len(w.buf) {
			return 0, w.fail(ReasonTruncated, pos+i, 1)
		}
		b := w.buf[pos+i]
		v |= uint64(b&0x7f) << (7 * i)
		if b < 0x80 {
			if i == 9 && b > 1 {
				break
			}
			return v, pos + i + 1
		}
	}
	return 0, w.fail(ReasonBadVarint, pos, 0)
}

// long reads a long.
func (w *walk) long(pos int) (int64, int) {
	v, pos := w.varint(pos)
	return int64(v>>1) ^ -int64(v&1), pos
}

func (w *walk) length(n int64, pos int) int {
	if n < 0 {
		return w.fail(ReasonBadLength, pos, n)
	}
	return w.fail(ReasonTruncated, pos, n)
}

// validUTF8 is utf8.Valid with a faster way through ASCII: eight bytes at a
// time, the last eight overlapping those before.
func validUTF8(b []byte) bool {
	if len(b) < 8 {
		return shortASCII(b) || utf8.Valid(b)
	}
	high := binary.LittleEndian.Uint64(b[len(b)-8:])
	for rest := b; len(rest) >= 8; rest = rest[8:] {
		high |= binary.LittleEndian.Uint64(rest)
	}
	return high&0x8080808080808080 == 0 || utf8.Valid(b)
}

func shortASCII(b []byte) bool {
	var high byte
	for _, c := range b {
		high |= c
	}
	return high < 0x80
}
