package aggregates

import (
	"encoding/binary"
	"math"
	"math/big"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/window"
	"github.com/tidemark-io/tidemark/stream/window/internal/exact"
)

// floatMoments are the exact number, sum and sum of squares of doubles. The square of a double is the sum of two, its
// rounded value and the rest, which an FMA gives exactly (T. J. Dekker, A floating-point technique for extending the
// available precision, 1971, by an FMA) as long as neither leaves the doubles' range. So squares are summed in three
// classes by their root's magnitude, those of the outer two scaled by a power of two. Each total is a function of the
// multiset, as the class is a function of the value.
type floatMoments struct {
	n       uint64
	special bool // an infinity or a NaN: there is no spread, and the sums are empty
	sum     exact.Sum
	squares [3]exact.Sum // of roots below 2^-480, scaled by 2^1200; between; from 2^500 on, scaled by 2^-1200
	wide    exact.Wide
}

const (
	classLow, classMid, classHigh = 0, 1, 2

	lowRoot   = 0x1p-480
	highRoot  = 0x1p500
	rootScale = 600

	flagSpecial = 1
	flagLow     = 2
	flagHigh    = 4
)

func (m *floatMoments) Add(v schema.Value, _ window.Order) error {
	if err := (form{kind: schema.KindFloat}).check(v); err != nil {
		return err
	}
	m.n++
	x := v.Float()
	switch a := math.Abs(x); {
	case m.special:
	case a >= lowRoot && a < highRoot:
		m.sum.Add(x, &m.wide)
		m.addSquare(classMid, x)
	case a < lowRoot:
		m.sum.Add(x, &m.wide)
		m.addSquare(classLow, math.Ldexp(x, rootScale))
	case a <= math.MaxFloat64:
		m.sum.Add(x, &m.wide)
		m.addSquare(classHigh, math.Ldexp(x, -rootScale))
	default:
		m.setSpecial()
	}
	return nil
}

func (m *floatMoments) addSquare(class int, x float64) {
	square := float64(x * x)
	m.squares[class].Add(square, &m.wide)
	if rest := math.FMA(x, x, -square); rest != 0 {
		m.squares[class].Add(rest, &m.wide)
	}
}

func (m *floatMoments) setSpecial() { *m = floatMoments{n: m.n, special: true} }

func (m *floatMoments) Merge(other window.Accumulator) error {
	o, ok := other.(*floatMoments)
	if !ok {
		return mismatch(m, other)
	}
	m.n += o.n
	switch {
	case m.special:
	case o.special:
		m.setSpecial()
	default:
		m.sum.Merge(&o.sum, &m.wide, &o.wide)
		for i := range m.squares {
			m.squares[i].Merge(&o.squares[i], &m.wide, &o.wide)
		}
	}
	return nil
}

func (m *floatMoments) Append(dst []byte) []byte {
	dst = binary.AppendUvarint(dst, m.n)
	if m.n == 0 {
		return dst
	}
	if m.special {
		return append(dst, flagSpecial)
	}
	at := len(dst)
	dst = m.sum.Append(append(dst, 0), &m.wide)
	dst = m.squares[classMid].Append(dst, &m.wide)
	if m.squares[classLow] != (exact.Sum{}) {
		dst[at] |= flagLow
		dst = m.squares[classLow].Append(dst, &m.wide)
	}
	if m.squares[classHigh] != (exact.Sum{}) {
		dst[at] |= flagHigh
		dst = m.squares[classHigh].Append(dst, &m.wide)
	}
	return dst
}

func (m *floatMoments) Decode(src []byte) error {
	*m = floatMoments{}
	r := reader{src: src}
	if m.n = r.uvarint(math.MaxUint64); m.n == 0 {
		return r.end()
	}
	flags := r.byte()
	switch {
	case flags == flagSpecial:
		m.special = true
		return r.end()
	case flags&^(flagLow|flagHigh) != 0:
		r.fail("flags %#x", flags)
	}
	m.read(&r, &m.sum, false)
	m.read(&r, &m.squares[classMid], false)
	if flags&flagLow != 0 {
		m.read(&r, &m.squares[classLow], true)
	}
	if flags&flagHigh != 0 {
		m.read(&r, &m.squares[classHigh], true)
	}
	return r.end()
}

// read reads an exact sum of finite doubles. A sum behind a flag isn't 0.
func (m *floatMoments) read(r *reader, s *exact.Sum, flagged bool) {
	switch {
	case r.err != nil:
		return
	case len(r.src) > 0 && r.src[0] != 0:
		r.fail("an exact sum with flags %#x", r.src[0])
		return
	case flagged && len(r.src) > 1 && r.src[1] == 0:
		r.fail("an exact sum of 0 that is flagged")
		return
	}
	rest, err := s.Decode(r.src, &m.wide)
	if err != nil {
		r.fail("%w", err)
		return
	}
	r.src = rest
}

func (m *floatMoments) Bytes() int64 { return 160 + m.wide.Bytes() }

func (m *floatMoments) count() (uint64, bool) { return m.n, !m.special }

func (m *floatMoments) spread() (*big.Int, int) {
	sum, at := m.total(&m.sum)
	sum.Mul(sum, sum)
	at *= 2
	squares, scale := new(big.Int), 0
	for class, shift := range [3]int{-2 * rootScale, 0, 2 * rootScale} {
		total, e := m.total(&m.squares[class])
		squares, scale = plus(squares, scale, total, e+shift)
	}
	squares.Mul(squares, new(big.Int).SetUint64(m.n))
	return plus(squares, scale, sum.Neg(sum), at)
}

// total is an exact sum as an integer times a power of two, taken from its bytes.
func (m *floatMoments) total(s *exact.Sum) (*big.Int, int) {
	b := s.Append(make([]byte, 0, exact.EncodedMax), &m.wide)
	n, used := binary.Uvarint(b[1:])
	if n == 0 {
		return new(big.Int), 0
	}
	b = b[1+used:]
	return bigOf(b[:n]), int(binary.BigEndian.Uint16(b[n:])) - 1074
}

// plus is a * 2^e + b * 2^f, as an integer times a power of two. It may change a and b.
func plus(a *big.Int, e int, b *big.Int, f int) (*big.Int, int) {
	switch {
	case a.Sign() == 0:
		return b, f
	case b.Sign() == 0:
		return a, e
	case e > f:
		a.Lsh(a, uint(e-f))
		e = f
	default:
		b.Lsh(b, uint(f-e))
	}
	return a.Add(a, b), e
}
