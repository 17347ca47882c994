package window

// table is an open-addressing index of records by the hash of their keys: linear probing over one array of 32-bit
// slots, small enough to stay in a core's cache. The low bits of a slot are a record's index + 1, as many as the
// table's size needs; above them is what fits of the record's hash. The low bits of the hash are its home. It never
// deletes: a window goes as a whole.
type table struct {
	slots []uint32 // a power of two
	n     int
}

const tableFirst = 16 // slots of a new table

// mask is the bits of an index.
func (t *table) mask() uint32 { return uint32(len(t.slots) - 1) }

// place enters record i (from 0) at the first free slot from the hash's home on.
func (t *table) place(hash uint32, i int) {
	mask := t.mask()
	at := hash & mask
	for t.slots[at] != 0 {
		at = (at + 1) & mask
	}
	t.slots[at] = hash&^mask | uint32(i+1)
	t.n++
}

// full says that the table must grow before the next place. The load is high because a table that stays in cache
// gains more than longer probes lose, most of which end at the slot's piece of the hash.
func (t *table) full() bool { return t.n >= len(t.slots)/16*13 }

// grow empties the table and doubles it. The caller places all records again.
func (t *table) grow(m *memory) {
	size := max(tableFirst, 2*len(t.slots))
	m.putHalves(t.slots)
	t.slots = m.takeHalves(size)
	clear(t.slots)
	t.n = 0
}

func (t *table) release(m *memory) {
	m.putHalves(t.slots)
	*t = table{}
}
