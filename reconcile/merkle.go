package reconcile

import "crypto/sha256"

// merkle collects leaves and gives the root of the tree over them, built as in RFC 6962, section 2.1: leaves are hashed
// behind a zero byte, inner nodes behind a one, so that no inner node passes for a leaf; the left part of a tree holds the
// largest power of two of leaves that is smaller than their number.
type merkle struct{ leaves [][sha256.Size]byte }

// add appends the leaf of a unit: its output, its hour, and the hash over its result rows. Nothing in it depends on timing.
func (m *merkle) add(output string, hour int64, rows [sha256.Size]byte) {
	x := hasher{sha256.New()}
	x.h.Write([]byte{0})
	x.text(output)
	x.int(hour)
	x.h.Write(rows[:])
	m.leaves = append(m.leaves, [sha256.Size]byte(x.sum()))
}

// root is the root; that of no leaves is the hash of nothing.
func (m *merkle) root() [sha256.Size]byte { return merkleRoot(m.leaves) }

func merkleRoot(leaves [][sha256.Size]byte) [sha256.Size]byte {
	switch len(leaves) {
	case 0:
		return sha256.Sum256(nil)
	case 1:
		return leaves[0]
	}
	k := 1
	for k*2 < len(leaves) {
		k *= 2
	}
	left, right := merkleRoot(leaves[:k]), merkleRoot(leaves[k:])
	node := append([]byte{1}, left[:]...)
	return sha256.Sum256(append(node, right[:]...))
}
