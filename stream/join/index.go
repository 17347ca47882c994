package join

// index finds records by a hash: open addressing with linear probing over one array of 32-bit slots, each a record's
// number + 1. It never deletes: a bucket goes as a whole.
type index struct {
	slots []uint32 // a power of two
	n     int
}

const indexFirst = 8 // slots of a new index

// find is the number of the record that is `same`, or -1.
func (x *index) find(hash uint64, same func(i int) bool) int {
	if len(x.slots) == 0 {
		return -1
	}
	mask := uint64(len(x.slots) - 1)
	for at := hash >> 32 & mask; ; at = (at + 1) & mask {
		slot := x.slots[at]
		if slot == 0 {
			return -1
		}
		if same(int(slot - 1)) {
			return int(slot - 1)
		}
	}
}

// full says that the index must grow before the next place.
func (x *index) full() bool { return x.n >= len(x.slots)/4*3 }

// grow doubles the index and places records 0 to n-1 again.
func (x *index) grow(n int, hash func(i int) uint64) {
	x.slots = make([]uint32, max(indexFirst, 2*len(x.slots)))
	x.n = 0
	for i := range n {
		x.place(hash(i), i)
	}
}

// place enters record i at the first free slot from its hash's home on.
func (x *index) place(hash uint64, i int) {
	mask := uint64(len(x.slots) - 1)
	at := hash >> 32 & mask
	for x.slots[at] != 0 {
		at = (at + 1) & mask
	}
	x.slots[at] = uint32(i + 1)
	x.n++
}
