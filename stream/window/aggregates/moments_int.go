package aggregates

import (
	"encoding/binary"
	"math"
	"math/big"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/window"
)

// intMoments are the exact number, sum and sum of squares of ints.
type intMoments struct {
	n       uint64
	sum     integer
	squares integer
}

// momentBytesMax bounds an integer of the state: 2^64 squares of up to 2^126, and a sign.
const momentBytesMax = (126+64)/8 + 1

func (m *intMoments) Add(v schema.Value, _ window.Order) error {
	if err := (form{kind: schema.KindInt}).check(v); err != nil {
		return err
	}
	m.n++
	m.sum.add(v.Int())
	m.squares.addSquare(v.Int())
	return nil
}

func (m *intMoments) Merge(other window.Accumulator) error {
	o, ok := other.(*intMoments)
	if !ok {
		return mismatch(m, other)
	}
	m.n += o.n
	m.sum.merge(&o.sum)
	m.squares.merge(&o.squares)
	return nil
}

func (m *intMoments) Append(dst []byte) []byte {
	dst = binary.AppendUvarint(dst, m.n)
	if m.n == 0 {
		return dst
	}
	return m.squares.append(m.sum.append(dst))
}

func (m *intMoments) Decode(src []byte) error {
	*m = intMoments{}
	r := reader{src: src}
	if m.n = r.uvarint(math.MaxUint64); m.n > 0 {
		m.sum.read(&r, momentBytesMax)
		m.squares.read(&r, momentBytesMax)
	}
	return r.end()
}

func (m *intMoments) Bytes() int64 { return 56 + m.sum.bytes() + m.squares.bytes() }

func (m *intMoments) count() (uint64, bool) { return m.n, true }

func (m *intMoments) spread() (*big.Int, int) {
	num := m.squares.big()
	num.Mul(num, new(big.Int).SetUint64(m.n))
	sum := m.sum.big()
	return num.Sub(num, sum.Mul(sum, sum)), 0
}
