package window

import "encoding/binary"

// identity is an identity in two words. It is a hash already, and never hashed again but for a salt, without which
// identities could be made that all meet in one place.
type identity struct{ a, b uint64 }

func identityOf(id []byte) identity {
	return identity{binary.BigEndian.Uint64(id), binary.BigEndian.Uint64(id[8:])}
}

func (id identity) append(dst []byte) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(dst, id.a), id.b)
}

// identities is a set of identities, each with the packed word of the windows that have counted it. They lie in the order of
// their arrival; an index of 32-bit slots finds them. A new one costs one look at the index, and is appended.
type identities struct {
	index table
	recs  slab
}

// idShape is the shape of a record: the identity, and the packed word when it has more than one bit.
func idShape(bits uint) shape {
	if bits == 1 {
		return shapeOf(2)
	}
	return shapeOf(3)
}

func (s *identities) hash(id identity, salt uint64) uint32 {
	return uint32(((id.a ^ salt) * 0x9e3779b97f4a7c15) >> 32)
}

// find is the record of id, or -1.
func (s *identities) find(id identity, sh *shape, salt uint64) int {
	if len(s.index.slots) == 0 {
		return -1
	}
	mask, hash := s.index.mask(), s.hash(id, salt)
	for at := hash & mask; ; at = (at + 1) & mask {
		slot := s.index.slots[at]
		if slot == 0 {
			return -1
		}
		if (slot^hash)&^mask != 0 {
			continue
		}
		i := int(slot&mask) - 1
		if s.at(i, sh) == id {
			return i
		}
	}
}

// insert adds id, which isn't in the set, without outputs.
func (s *identities) insert(id identity, sh *shape, salt uint64, m *memory) int {
	if s.index.full() {
		s.index.grow(m)
		for i := range s.recs.n {
			s.index.place(s.hash(s.at(i, sh), salt), i)
		}
	}
	i := s.recs.add(sh, m)
	rec := s.recs.at(i, sh)
	rec[0], rec[1] = id.a, id.b
	s.index.place(s.hash(id, salt), i)
	return i
}

func (s *identities) at(i int, sh *shape) identity {
	rec := s.recs.at(i, sh)
	return identity{rec[0], rec[1]}
}

// outputs is the packed word of record i.
func (s *identities) outputs(i int, sh *shape) uint64 {
	if sh.stride == 2 {
		return 1
	}
	return s.recs.at(i, sh)[2]
}

func (s *identities) setOutputs(i int, outputs uint64, sh *shape) {
	if sh.stride > 2 {
		s.recs.at(i, sh)[2] = outputs
	}
}

func (s *identities) release(m *memory) {
	s.index.release(m)
	s.recs.release(m)
}
