package aggregates

import (
	"encoding/binary"
	"math"
	"slices"
	"sort"
)

// bins counts doubles by logarithmic bins, in the manner of DDSketch (C. Masson, J. E. Rim, H. K. Lee, DDSketch: a fast
// and fully-mergeable quantile sketch with relative-error guarantees, VLDB 2019).
//
// Each power of two is cut into binsOctave equal parts (DDSketch's linearly interpolated mapping): a bin's ends are
// at most 1.02 apart, so their harmonic mean is within 1 % of all between (0.0099). The bin of a double follows from
// its bits by integer arithmetic alone, so it is the same on every machine, which no logarithm promises.
//
// Only bins with values are held, and of those the binsMax of the greatest magnitude: values in bins below count as
// zero. A bin that is among the greatest in the end was so all along, and what was once below stays below; so what is
// held is a function of the multiset. Between the least and the greatest of binsMax bins lie 41 powers of two or more.
type bins struct {
	keys   []int32 // ascending; the bin of the magnitude, from 1, negative for negative doubles
	counts []uint64
	zero   uint64 // values that count as zero
	total  uint64
	least  float64
	most   float64
}

const (
	binsOctave = 50
	binsMax    = 2048

	mantissaBits = 52
	mantissaMask = 1<<mantissaBits - 1
	exponentMax  = 0x7ff
	binInf       = exponentMax*binsOctave + 1
)

// binOf is the bin of x, which is no NaN; 0 for zero.
func binOf(x float64) int32 {
	b := math.Float64bits(x)
	if b&^signBit == 0 {
		return 0
	}
	part := int32((b & mantissaMask) * binsOctave >> mantissaBits)
	key := int32(b>>mantissaBits&exponentMax)*binsOctave + part + 1
	if b&signBit != 0 {
		return -key
	}
	return key
}

// middle is the double that stands for a bin: within 1 % of all in it.
func middle(key int32) float64 {
	switch {
	case key < 0:
		return -middle(-key)
	case key == 0:
		return 0
	case key == binInf:
		return math.Inf(1)
	}
	lo, hi := edge(key), min(edge(key+1), math.MaxFloat64)
	return lo * float64(2/float64(1+lo/hi))
}

// edge is the smallest double of a bin of positive doubles.
func edge(key int32) float64 {
	exponent, part := uint64(key-1)/binsOctave, uint64(key-1)%binsOctave
	mantissa := (part<<mantissaBits + binsOctave - 1) / binsOctave
	return math.Float64frombits(exponent<<mantissaBits + mantissa)
}

// add counts x, which is no NaN.
func (b *bins) add(x float64) {
	if x == 0 {
		x = 0 // -0 too
	}
	if b.total == 0 {
		b.least, b.most = x, x
	}
	b.least, b.most = min(b.least, x), max(b.most, x)
	b.total++
	b.count(binOf(x), 1)
}

// count adds n values to a bin.
func (b *bins) count(key int32, n uint64) {
	if key == 0 {
		b.zero += n
		return
	}
	i := sort.Search(len(b.keys), func(i int) bool { return b.keys[i] >= key })
	if i < len(b.keys) && b.keys[i] == key {
		b.counts[i] += n
		return
	}
	if len(b.keys) == binsMax {
		lowest := b.lowest()
		if below(key, b.keys[lowest]) {
			b.zero += n
			return
		}
		b.zero += b.counts[lowest]
		b.keys = slices.Delete(b.keys, lowest, lowest+1)
		b.counts = slices.Delete(b.counts, lowest, lowest+1)
		if lowest < i {
			i--
		}
	}
	b.keys = slices.Insert(b.keys, i, key)
	b.counts = slices.Insert(b.counts, i, n)
}

// lowest is the index of the bin of the least magnitude; there is one.
func (b *bins) lowest() int {
	i := sort.Search(len(b.keys), func(i int) bool { return b.keys[i] > 0 })
	if i == len(b.keys) || i > 0 && below(b.keys[i-1], b.keys[i]) {
		return i - 1
	}
	return i
}

// below orders bins by magnitude; of two of one magnitude the negative is below.
func below(a, b int32) bool {
	if m, n := max(a, -a), max(b, -b); m != n {
		return m < n
	}
	return a < b
}

func (b *bins) merge(o *bins) {
	if o.total == 0 {
		return
	}
	if b.total == 0 {
		b.least, b.most = o.least, o.most
	}
	b.least, b.most = min(b.least, o.least), max(b.most, o.most)
	b.total += o.total
	b.zero += o.zero
	for i, key := range o.keys {
		b.count(key, o.counts[i])
	}
}

// quantile is the value of rank floor(q * (total - 1)), from 0, within 1 % if its bin is held; q is from 0 to 1, and
// there are values.
func (b *bins) quantile(q float64) float64 {
	switch q {
	case 0:
		return b.least
	case 1:
		return b.most
	}
	rank := min(uint64(float64(q*float64(b.total-1))), b.total-1)
	return min(max(middle(b.binAt(rank)), b.least), b.most)
}

// binAt is the bin of the value of a rank.
func (b *bins) binAt(rank uint64) int32 {
	positive := sort.Search(len(b.keys), func(i int) bool { return b.keys[i] > 0 })
	var seen uint64
	for i, n := range b.counts[:positive] {
		if seen += n; seen > rank {
			return b.keys[i]
		}
	}
	if seen += b.zero; seen > rank {
		return 0
	}
	for i, n := range b.counts[positive:] {
		if seen += n; seen > rank {
			return b.keys[positive+i]
		}
	}
	return 0
}

// append appends number of bins, zeros, least and greatest value, and per bin its distance from the one before and its
// count.
func (b *bins) append(dst []byte) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(b.keys)))
	dst = binary.AppendUvarint(dst, b.zero)
	if b.total == 0 {
		return dst
	}
	dst = binary.BigEndian.AppendUint64(dst, rankOf(b.least))
	dst = binary.BigEndian.AppendUint64(dst, rankOf(b.most))
	previous := int32(-binInf - 1)
	for i, key := range b.keys {
		dst = binary.AppendUvarint(dst, uint64(key-previous))
		dst = binary.AppendUvarint(dst, b.counts[i])
		previous = key
	}
	return dst
}

// read reads what append wrote into empty bins.
func (b *bins) read(r *reader) {
	n := r.uvarint(binsMax)
	b.zero = r.uvarint(math.MaxUint64)
	b.total = b.zero
	if n == 0 && b.zero == 0 {
		return
	}
	b.least, b.most = r.double(), r.double()
	if b.most < b.least {
		r.fail("least value %v above the greatest, %v", b.least, b.most)
	}
	room := min(n, uint64(len(r.src)))
	b.keys, b.counts = make([]int32, 0, room), make([]uint64, 0, room)
	key := int64(-binInf - 1)
	for range n {
		key += int64(r.uvarint(2*binInf + 1))
		count := r.uvarint(math.MaxUint64)
		if r.err != nil {
			return
		}
		if len(b.keys) > 0 && key == int64(b.keys[len(b.keys)-1]) || key < -binInf || key > binInf || key == 0 ||
			count == 0 || b.total+count < b.total {
			r.fail("bin %d with %d values", key, count)
			return
		}
		b.keys, b.counts = append(b.keys, int32(key)), append(b.counts, count)
		b.total += count
	}
}

// double is a double, written as its rank, and neither a NaN nor -0.
func (r *reader) double() float64 {
	rank := r.word()
	f := floatOf(rank)
	if r.err == nil && (rankOf(f) != rank || f != f || f == 0 && rank != signBit) {
		r.fail("no value has the rank %#x", rank)
	}
	return f
}

func (b *bins) bytes() int64 { return 80 + int64(cap(b.keys))*4 + int64(cap(b.counts))*8 }
