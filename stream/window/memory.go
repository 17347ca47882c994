package window

// memory accounts for what the engine holds, and keeps blocks of closed windows for the next ones: at a steady rate
// windows open and close without an allocation.
type memory struct {
	used    int64 // bytes in use
	idle    int64 // bytes kept for reuse
	idleMax int64
	limit   int64 // of the engine; 0: none

	words  map[int][][]uint64 // kept blocks by length
	halves map[int][][]uint32
}

const idleDefault = 32 << 20 // bytes kept for reuse when there is no limit

func newMemory(limit int64) memory {
	m := memory{words: map[int][][]uint64{}, halves: map[int][][]uint32{}}
	m.setLimit(limit)
	return m
}

func (m *memory) setLimit(limit int64) {
	m.limit, m.idleMax = limit, idleDefault
	if limit > 0 {
		m.idleMax = limit / 4
	}
}

// held is all memory that the engine has.
func (m *memory) held() int64 { return m.used + m.idle }

// take returns n words. They may hold anything.
func (m *memory) take(n int) []uint64 { return take(m, m.words, n, 8) }

// put takes words of `take` back.
func (m *memory) put(words []uint64) { put(m, m.words, words, 8) }

func (m *memory) takeHalves(n int) []uint32 { return take(m, m.halves, n, 4) }
func (m *memory) putHalves(halves []uint32) { put(m, m.halves, halves, 4) }

func take[T any](m *memory, kept map[int][][]T, n int, size int64) []T {
	m.used += int64(n) * size
	blocks := kept[n]
	if len(blocks) == 0 {
		return make([]T, n)
	}
	block := blocks[len(blocks)-1]
	kept[n] = blocks[:len(blocks)-1]
	m.idle -= int64(n) * size
	return block
}

func put[T any](m *memory, kept map[int][][]T, block []T, size int64) {
	bytes := int64(len(block)) * size
	m.used -= bytes
	if bytes == 0 || m.idle+bytes > m.idleMax {
		return
	}
	m.idle += bytes
	kept[len(block)] = append(kept[len(block)], block)
}

// trim lets go of what is kept for reuse.
func (m *memory) trim() {
	m.idle = 0
	clear(m.words)
	clear(m.halves)
}

// note accounts for n bytes of other memory; negative when they go.
func (m *memory) note(n int64) { m.used += n }

// noted accounts for the growth of a slice of indexes.
func noted(after, before []uint32, m *memory) []uint32 {
	if grown := cap(after) - cap(before); grown != 0 {
		m.note(int64(grown) * 4)
	}
	return after
}
