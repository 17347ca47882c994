package aggregates

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"slices"
)

// hyperloglog counts distinct 64-bit hashes. Up to listMax of them it holds the hashes themselves, and the count is
// exact; then 2^14 registers (P. Flajolet, É. Fusy, O. Gandouet, F. Meunier, HyperLogLog, 2007), each the greatest
// rank, the place of the first one-bit, of the hashes that fall to it. Which of the two it is, is a function of the
// set of hashes, and so are the list and the registers.
type hyperloglog struct {
	list      []uint64 // ascending
	registers []uint8  // if set, there is no list
}

const (
	precision     = 14
	registerCount = 1 << precision
	rankMax       = 64 - precision + 1
	listMax       = packedBytes / 8 // a longer list would take more bytes than the registers
	packedBytes   = registerCount * 6 / 8
)

func (h *hyperloglog) add(hash uint64) {
	if h.registers != nil {
		h.register(hash)
		return
	}
	i, found := slices.BinarySearch(h.list, hash)
	if found {
		return
	}
	if len(h.list) < listMax {
		h.list = slices.Insert(h.list, i, hash)
		return
	}
	h.registers = make([]uint8, registerCount)
	for _, listed := range h.list {
		h.register(listed)
	}
	h.register(hash)
	h.list = nil
}

// register notes a hash: its first bits name the register, the rank is that of the rest.
func (h *hyperloglog) register(hash uint64) {
	at := hash >> (64 - precision)
	rank := uint8(min(bits.LeadingZeros64(hash<<precision)+1, rankMax))
	h.registers[at] = max(h.registers[at], rank)
}

func (h *hyperloglog) merge(o *hyperloglog) {
	for _, hash := range o.list {
		h.add(hash)
	}
	if o.registers == nil {
		return
	}
	if h.registers == nil {
		list := h.list
		h.list, h.registers = nil, make([]uint8, registerCount)
		for _, hash := range list {
			h.register(hash)
		}
	}
	for i, rank := range o.registers {
		h.registers[i] = max(h.registers[i], rank)
	}
}

// append appends 0 and the list, 8 bytes big-endian each, or 1 and the registers, 6 bits each, from the first on,
// high bits first.
func (h *hyperloglog) append(dst []byte) []byte {
	if h.registers == nil {
		dst = append(dst, 0)
		for _, hash := range h.list {
			dst = binary.BigEndian.AppendUint64(dst, hash)
		}
		return dst
	}
	dst = append(dst, 1)
	for i := 0; i < registerCount; i += 4 {
		r := h.registers[i : i+4 : i+4]
		v := uint32(r[0])<<18 | uint32(r[1])<<12 | uint32(r[2])<<6 | uint32(r[3])
		dst = append(dst, byte(v>>16), byte(v>>8), byte(v))
	}
	return dst
}

func (h *hyperloglog) decode(src []byte) error {
	*h = hyperloglog{}
	r := reader{src: src}
	switch form := r.byte(); {
	case r.err != nil:
		return r.err
	case form == 0:
		return h.decodeList(r.src)
	case form == 1:
		return h.decodeRegisters(r.src)
	default:
		return fmt.Errorf("a form of %d", form)
	}
}

func (h *hyperloglog) decodeList(src []byte) error {
	if len(src)%8 != 0 || len(src) > listMax*8 {
		return fmt.Errorf("a list of %d bytes: 8 each, at most %d", len(src), listMax*8)
	}
	h.list = make([]uint64, len(src)/8)
	for i := range h.list {
		h.list[i] = binary.BigEndian.Uint64(src[i*8:])
		if i > 0 && h.list[i] <= h.list[i-1] {
			return fmt.Errorf("hash %#x behind %#x", h.list[i], h.list[i-1])
		}
	}
	return nil
}

func (h *hyperloglog) decodeRegisters(src []byte) error {
	if len(src) != packedBytes {
		return fmt.Errorf("registers of %d bytes: %d", len(src), packedBytes)
	}
	h.registers = make([]uint8, registerCount)
	for i := range registerCount / 4 {
		v := uint32(src[i*3])<<16 | uint32(src[i*3+1])<<8 | uint32(src[i*3+2])
		for j := range 4 {
			rank := uint8(v >> (18 - 6*j) & 63)
			if rank > rankMax {
				return fmt.Errorf("a register of %d: at most %d", rank, rankMax)
			}
			h.registers[i*4+j] = rank
		}
	}
	return nil
}

// estimate is the number of distinct hashes: the exact one, or O. Ertl's improved estimator (New cardinality
// estimation algorithms for HyperLogLog sketches, 2017, algorithm 6), which needs no tables and no thresholds. It is
// computed from how many registers have which rank, with operations that round alike on every machine: each product
// is converted before it is added to, so that none is fused.
func (h *hyperloglog) estimate() int64 {
	if h.registers == nil {
		return int64(len(h.list))
	}
	var counts [rankMax + 1]float64
	for _, rank := range h.registers {
		counts[rank]++
	}
	const m = registerCount
	z := float64(m * tau(1-counts[rankMax]/m))
	for k := rankMax - 1; k >= 1; k-- {
		z = float64(0.5 * (z + counts[k]))
	}
	z += float64(m * sigma(counts[0]/m))
	const alpha = 0.5 / math.Ln2
	return int64(math.Round(alpha * m * m / z))
}

// sigma is x + x^2 + 2 x^4 + 4 x^8 + ... for x below 1.
func sigma(x float64) float64 {
	y, z := 1.0, x
	for {
		x = float64(x * x)
		before := z
		z += float64(x * y)
		y += y
		if z == before {
			return z
		}
	}
}

// tau is (1 - x - (1-sqrt x)^2/2 - (1-sqrt sqrt x)^2/4 - ...) / 3, 0 for 0 and 1.
func tau(x float64) float64 {
	if x == 0 || x == 1 {
		return 0
	}
	y, z := 1.0, 1-x
	for {
		x = math.Sqrt(x)
		before := z
		y *= 0.5
		z -= float64(float64((1-x)*(1-x)) * y)
		if z == before {
			return z / 3
		}
	}
}

func (h *hyperloglog) bytes() int64 { return 48 + int64(cap(h.list))*8 + int64(len(h.registers)) }
