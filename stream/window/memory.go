package window

// memory accounts for what the engine holds, and keeps blocks of closed windows for the next ones: at a steady rate
// windows open and close without an allocation.
type memory struct {
	used    int64 // bytes in use
	idle    int64 // bytes kept for reuse
	idleMax int64

	free map[int][][]uint64 // by length
}

const idleDefault = 32 << 20 // bytes kept for reuse when there is no limit

func newMemory(limit int64) memory {
	m := memory{idleMax: idleDefault, free: map[int][][]uint64{}}
	if limit > 0 {
		m.idleMax = limit / 4
	}
	return m
}

// held is all memory that the engine has.
func (m *memory) held() int64 { return m.used + m.idle }

// take returns n words. They may hold anything.
func (m *memory) take(n int) []uint64 {
	m.used += int64(n) * 8
	free := m.free[n]
	if len(free) == 0 {
		return make([]uint64, n)
	}
	words := free[len(free)-1]
	m.free[n] = free[:len(free)-1]
	m.idle -= int64(n) * 8
	return words
}

// put takes words of `take` back.
func (m *memory) put(words []uint64) {
	size := int64(len(words)) * 8
	m.used -= size
	if size == 0 || m.idle+size > m.idleMax {
		return
	}
	m.idle += size
	m.free[len(words)] = append(m.free[len(words)], words)
}

// trim lets go of what is kept for reuse.
func (m *memory) trim() {
	m.idle = 0
	clear(m.free)
}

// note accounts for n bytes of other memory; negative when they go.
func (m *memory) note(n int64) { m.used += n }
