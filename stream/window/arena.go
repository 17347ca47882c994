package window

// arena holds the keys that don't fit a record, in blocks. A block never moves once it is full-sized, and no key
// spans two.
type arena struct {
	blocks [][]byte
}

const (
	arenaBlock = KeyMax
	arenaFirst = 512
)

// add copies key and returns its reference: block and offset.
func (a *arena) add(key []byte, m *memory) uint64 {
	last := len(a.blocks) - 1
	if last < 0 || len(a.blocks[last])+len(key) > arenaBlock {
		size := arenaBlock
		if last < 0 {
			size = max(arenaFirst, len(key))
		}
		a.blocks = append(a.blocks, make([]byte, 0, size))
		m.note(int64(size))
		last++
	}
	block := a.blocks[last]
	before := cap(block)
	off := len(block)
	if off+len(key) > before {
		grown := make([]byte, off, min(arenaBlock, max(2*before, off+len(key))))
		copy(grown, block)
		block = grown
		m.note(int64(cap(block) - before))
	}
	a.blocks[last] = append(block, key...)
	return uint64(last)<<32 | uint64(off)
}

// at is the key of n bytes at a reference.
func (a *arena) at(ref uint64, n int) []byte {
	off := int(uint32(ref))
	return a.blocks[ref>>32][off : off+n]
}

func (a *arena) release(m *memory) {
	for _, b := range a.blocks {
		m.note(-int64(cap(b)))
	}
	a.blocks = nil
}
