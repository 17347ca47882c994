package window

import "bytes"

// pane is what memory holds of one open window of one output: a record for each group key.
type pane struct {
	index table
	recs  slab
	keys  arena
	beside
	dirty []uint32 // records changed since the last Write, in the order of their first change

	updated []uint32 // records changed since the last Updates

	groups  int64   // of the window, those only in the Backing included
	written int64   // groups that the Backing's header tells of; 0: it has nothing of this window
	partial bool    // the Backing may have groups that memory hasn't
	cold    filters // of those groups, unless blind
	looked  bool    // the filter has been asked for: it is read once at most
	blind   bool    // they have no filter: it was never read, or memory is too short even for that
	touched uint64  // engine's epoch when last used
}

func newPane(m *memory) *pane {
	m.note(paneBytes)
	return &pane{beside: newBeside(m)}
}

const paneBytes = 256 // of a pane without its blocks

// find is the record of a key in memory, or -1.
func (p *pane) find(k *groupKey, sh *shape) int {
	slots := p.index.slots
	if len(slots) == 0 {
		return -1
	}
	mask := uint32(len(slots) - 1)
	for at := k.hash & mask; ; at = (at + 1) & mask {
		slot := slots[at&mask]
		if slot == 0 {
			return -1
		}
		if (slot^k.hash)&^mask != 0 {
			continue
		}
		i := int(slot&mask) - 1
		if p.holds(p.recs.at(i, sh), k) {
			return i
		}
	}
}

// holds says whether the record is that of k.
func (p *pane) holds(rec []uint64, k *groupKey) bool {
	if rec[recA] != k.a || keyLen(rec) != len(k.bytes) {
		return false
	}
	if len(k.bytes) <= inlineMax {
		return rec[recB] == k.b
	}
	return bytes.Equal(p.keys.at(rec[recB], len(k.bytes)), k.bytes)
}

func keyLen(rec []uint64) int { return int(rec[recKey] & lenMask) }

// insert makes a record of zeros for a key that has none.
func (p *pane) insert(k *groupKey, sh *shape, m *memory) int {
	if p.index.full() {
		p.index.grow(m)
		for i := range p.recs.n {
			p.index.place(uint32(p.recs.at(i, sh)[recKey]>>32), i)
		}
	}
	i := p.recs.add(sh, m)
	rec := p.recs.at(i, sh)
	rec[recKey], rec[recA], rec[recB] = uint64(k.hash)<<32|uint64(len(k.bytes)), k.a, k.b
	if len(k.bytes) > inlineMax {
		rec[recB] = p.keys.add(k.bytes, m)
	}
	p.index.place(k.hash, i)
	return i
}

// keyOf appends the key of record i to dst.
func (p *pane) keyOf(dst []byte, i int, sh *shape) []byte {
	rec := p.recs.at(i, sh)
	n := keyLen(rec)
	if n <= inlineMax {
		return appendPrefix(dst, rec[recA], rec[recB], n)
	}
	return append(dst, p.keys.at(rec[recB], n)...)
}

// mark notes that record i has changed.
func (p *pane) mark(i int, rec []uint64, m *memory) {
	if rec[recKey]&dirtyBit == 0 {
		rec[recKey] |= dirtyBit
		p.dirty = noted(append(p.dirty, uint32(i)), p.dirty, m)
	}
}

// markUpdated notes that record i has changed since the last Updates.
func (p *pane) markUpdated(i int, rec []uint64, m *memory) {
	if rec[recKey]&updatedBit == 0 {
		rec[recKey] |= updatedBit
		p.updated = noted(append(p.updated, uint32(i)), p.updated, m)
	}
}

// release gives the pane's memory back.
func (p *pane) release(m *memory) {
	p.index.release(m)
	p.recs.release(m)
	p.keys.release(m)
	p.beside.release(m)
	p.cold.release(m)
	m.note(-int64(cap(p.dirty)+cap(p.updated))*4 - paneBytes)
	*p = pane{}
}
