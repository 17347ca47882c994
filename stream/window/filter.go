package window

import "math/bits"

// filter says of an identity whether it may have been added (a Bloom filter in blocks of a cache line; F. Putze, P.
// Sanders, J. Singler, Cache-, Hash- and Space-Efficient Bloom Filters, 2007). A bucket that doesn't fit memory keeps
// one, so that only copies, and about one new event in a hundred, have to be looked up in the Backing. Identities are
// hashes already: their bits serve as they are.
type filter struct {
	blocks []uint64 // 8 words a block
	n, max int
}

const (
	filterBits   = 12 // per identity
	filterProbes = 7
	filterFirst  = 1024 // identities of the smallest filter
)

func newFilter(n int, m *memory) *filter {
	n = max(n, filterFirst)
	f := &filter{max: n, blocks: m.take((n*filterBits/512 + 1) * 8)}
	clear(f.blocks)
	return f
}

// block is the block of an identity, and the bits that say where in it.
func (f *filter) block(id identity) ([]uint64, uint64) {
	at, _ := bits.Mul64(id.a, uint64(len(f.blocks)/8))
	return f.blocks[at*8 : at*8+8 : at*8+8], id.b
}

func (f *filter) add(id identity) {
	block, h := f.block(id)
	for range filterProbes {
		block[h>>6&7] |= 1 << (h & 63)
		h >>= 9
	}
	f.n++
}

func (f *filter) has(id identity) bool {
	block, h := f.block(id)
	for range filterProbes {
		if block[h>>6&7]&(1<<(h&63)) == 0 {
			return false
		}
		h >>= 9
	}
	return true
}

// filters are filters of growing size: identities are added to the last.
type filters []*filter

// reserve makes room for n more.
func (fs *filters) reserve(n int, m *memory) {
	size := n
	if len(*fs) > 0 {
		last := (*fs)[len(*fs)-1]
		if last.n+n <= last.max {
			return
		}
		size = max(n, 2*last.max)
	}
	*fs = append(*fs, newFilter(size, m))
}

func (fs filters) add(id identity) { fs[len(fs)-1].add(id) }

func (fs filters) has(id identity) bool {
	for _, f := range fs {
		if f.has(id) {
			return true
		}
	}
	return false
}

func (fs *filters) release(m *memory) {
	for _, f := range *fs {
		m.put(f.blocks)
	}
	*fs = nil
}
