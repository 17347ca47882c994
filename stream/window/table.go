package window

// table is an open-addressing index of records by the hash of their keys: linear probing over one array of words,
// each the upper half of a hash and a record index + 1. It never deletes: a window goes as a whole.
type table struct {
	slots []uint64 // a power of two; 0: empty
	n     int
}

const tableFirst = 16 // slots of a new table

// tagOf is what a slot keeps of a hash. Its low bits are the home slot, so that growing needs no keys.
func tagOf(hash uint64) uint32 { return uint32(hash >> 32) }

// put enters record i, whose key isn't in the table.
func (t *table) put(hash uint64, i int, m *memory) {
	if t.n >= len(t.slots)/4*3 {
		t.grow(m)
	}
	t.place(tagOf(hash), uint32(i)+1)
	t.n++
}

func (t *table) place(tag, entry uint32) {
	mask := uint32(len(t.slots) - 1)
	at := tag & mask
	for t.slots[at] != 0 {
		at = (at + 1) & mask
	}
	t.slots[at] = uint64(tag)<<32 | uint64(entry)
}

func (t *table) grow(m *memory) {
	old := t.slots
	t.slots = m.take(max(tableFirst, 2*len(old)))
	clear(t.slots)
	for _, s := range old {
		if s != 0 {
			t.place(uint32(s>>32), uint32(s))
		}
	}
	m.put(old)
}

func (t *table) release(m *memory) {
	m.put(t.slots)
	*t = table{}
}
