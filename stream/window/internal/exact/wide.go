package exact

import "math/bits"

const (
	wideWords = 34 // 2176 bits: 2098 for all doubles, 77 for carries, and the sign
	wideBits  = wideWords * 64
	blockSums = 16 // totals of a block
)

// Wide holds the totals that don't fit 128 bits, each as a two's-complement integer of 34 words (lowest first) whose
// bit 0 is 2^-1074. The zero Wide is empty. Totals go when the Wide goes.
type Wide struct {
	Held *int64 // if set: bytes that the Wide takes are added to it

	blocks [][]uint64
	n      int
}

// Bytes is what the totals take.
func (w *Wide) Bytes() int64 { return int64(len(w.blocks)) * blockSums * wideWords * 8 }

// spill makes a new total of v * 2^(at-bias) and returns its index.
func (w *Wide) spill(v int128, at int) int {
	i := w.alloc()
	t := w.total(i)
	sign := uint64(int64(v.hi) >> 63)
	word, shift := at/64, at%64
	parts := [3]uint64{v.lo << shift, v.hi<<shift | v.lo>>(64-shift), sign<<shift | v.hi>>(64-shift)}
	for j := word; j < wideWords; j++ {
		t[j] = sign
		if j-word < len(parts) {
			t[j] = parts[j-word]
		}
	}
	return i
}

// alloc makes a new total of zero.
func (w *Wide) alloc() int {
	i := w.n
	if i == len(w.blocks)*blockSums {
		w.blocks = append(w.blocks, make([]uint64, blockSums*wideWords))
		if w.Held != nil {
			*w.Held += blockSums * wideWords * 8
		}
	}
	w.n++
	clear(w.total(i))
	return i
}

// Reset lets go of all totals, but keeps the room for as many.
func (w *Wide) Reset() { w.n = 0 }

func (w *Wide) total(i int) []uint64 {
	at := i % blockSums * wideWords
	return w.blocks[i/blockSums][at : at+wideWords : at+wideWords]
}

// add adds ±m * 2^(at-bias) to the total with index i.
func (w *Wide) add(i int, m uint64, at int, negative bool) {
	t := w.total(i)
	word, shift := at/64, at%64
	l, h := m<<shift, m>>(64-shift)
	op := bits.Add64
	if negative {
		op = bits.Sub64
	}
	var carry uint64
	t[word], carry = op(t[word], l, 0)
	if word+1 < wideWords { // h is 0 in the last word
		t[word+1], carry = op(t[word+1], h, carry)
	}
	for j := word + 2; carry != 0 && j < wideWords; j++ {
		t[j], carry = op(t[j], 0, carry)
	}
}
