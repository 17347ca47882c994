package window

import (
	"encoding/binary"
	"math/bits"
)

// idTable is an open-addressing set of identities, each with the set of outputs that have counted it. Identities lie
// in the table itself: a new one costs one look at memory. It never deletes: a bucket goes as a whole.
type idTable struct {
	slots []uint64 // two words a slot; zeros: empty. One more slot at the end is for the identity of zeros.
	masks []byte   // width bytes a slot: the outputs; none when there is but one output
	width int
	zero  bool // the identity of zeros is in
	n     int
	salt  uint64
}

const idTableFirst = 12 // slots of a new table

// identity is an identity in two words.
type identity struct{ a, b uint64 }

func identityOf(id []byte) identity {
	return identity{binary.BigEndian.Uint64(id), binary.BigEndian.Uint64(id[8:])}
}

func (id identity) append(dst []byte) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(dst, id.a), id.b)
}

func (t *idTable) capacity() int { return max(0, len(t.slots)/2-1) }

// find is the slot of id and whether id is in it. If it isn't, the slot is where it belongs, until the next grow.
// There must be an empty slot: see reserve.
func (t *idTable) find(id identity) (slot int, ok bool) {
	last := t.capacity()
	if id.a|id.b == 0 {
		return last, t.zero
	}
	home, _ := bits.Mul64((id.a^t.salt)*0x9e3779b97f4a7c15, uint64(last))
	for slot = int(home); ; {
		a, b := t.slots[2*slot], t.slots[2*slot+1]
		if a == id.a && b == id.b {
			return slot, true
		}
		if a|b == 0 {
			return slot, false
		}
		if slot++; slot == last {
			slot = 0
		}
	}
}

// set puts id, which isn't in the table, into the slot that find gave.
func (t *idTable) set(slot int, id identity) {
	t.slots[2*slot], t.slots[2*slot+1] = id.a, id.b
	if id.a|id.b == 0 {
		t.zero = true
	}
	t.n++
}

// at is the identity in a slot, and whether there is one.
func (t *idTable) at(slot int) (id identity, ok bool) {
	id = identity{t.slots[2*slot], t.slots[2*slot+1]}
	return id, id.a|id.b != 0 || slot == t.capacity() && t.zero
}

// outputs is the set of outputs in a slot.
func (t *idTable) outputs(slot int) (mask uint64) {
	if t.width == 0 {
		return 1
	}
	for i := t.width - 1; i >= 0; i-- {
		mask = mask<<8 | uint64(t.masks[slot*t.width+i])
	}
	return mask
}

func (t *idTable) setOutputs(slot int, mask uint64) {
	for i := range t.width {
		t.masks[slot*t.width+i] = byte(mask >> (8 * i))
	}
}

// reserve makes room for one more, and tells where the identities of the dirty slots have gone.
func (t *idTable) reserve(dirty []uint32, m *memory) {
	capacity := t.capacity()
	if t.n < capacity/4*3 {
		return
	}
	old := *t
	capacity = max(idTableFirst, capacity+capacity/8*4)
	t.slots = m.take(2 * (capacity + 1))
	clear(t.slots)
	t.masks = make([]byte, (capacity+1)*t.width)
	m.note(int64(len(t.masks) - len(old.masks)))
	t.n, t.zero = 0, false
	for slot := range len(old.slots) / 2 {
		if id, ok := old.at(slot); ok {
			to, _ := t.find(id)
			t.set(to, id)
			t.setOutputs(to, old.outputs(slot))
		}
	}
	for i, slot := range dirty {
		id, _ := old.at(int(slot))
		to, _ := t.find(id)
		dirty[i] = uint32(to)
	}
	m.put(old.slots)
}

func (t *idTable) release(m *memory) {
	m.put(t.slots)
	m.note(-int64(len(t.masks)))
	*t = idTable{width: t.width, salt: t.salt}
}
