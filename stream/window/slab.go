package window

// slab holds records of a fixed number of words in chunks. It has no pointers within, and nothing is copied as it
// grows, but for the first chunk, which starts small: most windows have few groups.
type slab struct {
	chunks [][]uint64
	n      int // records
}

const (
	chunkWords   = 4096 // of a chunk at most (32 KiB), unless its few records are very large
	firstRecords = 4    // of the first chunk at first
)

// shape is how records lie in chunks: a function of their size.
type shape struct {
	stride int  // words of a record
	shift  uint // log2 of the records of a chunk
	mask   int
}

func shapeOf(stride int) shape {
	s := shape{stride: stride, shift: 2}
	for stride<<(s.shift+1) <= chunkWords {
		s.shift++
	}
	s.mask = 1<<s.shift - 1
	return s
}

// at is record i.
func (s *slab) at(i int, sh *shape) []uint64 {
	off := (i & sh.mask) * sh.stride
	return s.chunks[i>>sh.shift][off : off+sh.stride : off+sh.stride]
}

// add makes room for one more record, of zeros, and returns its index.
func (s *slab) add(sh *shape, m *memory) int {
	i := s.n
	chunk, off := i>>sh.shift, (i&sh.mask)*sh.stride
	switch {
	case chunk == len(s.chunks) && chunk == 0:
		s.chunks = append(s.chunks, m.take(firstRecords*sh.stride))
	case chunk == len(s.chunks):
		s.chunks = append(s.chunks, m.take(sh.stride<<sh.shift))
	case off == len(s.chunks[chunk]):
		small := s.chunks[chunk]
		s.chunks[chunk] = m.take(2 * len(small))
		copy(s.chunks[chunk], small)
		m.put(small)
	}
	s.n++
	clear(s.at(i, sh))
	return i
}

// release gives all chunks back.
func (s *slab) release(m *memory) {
	for _, c := range s.chunks {
		m.put(c)
	}
	*s = slab{}
}
