package join

// arena holds keys and rows in blocks that never move.
type arena struct {
	blocks [][]byte
	size   int64 // bytes of all blocks
}

// ref is where bytes lie in an arena.
type ref struct {
	block, off uint32
	n          uint32
}

const (
	arenaFirst = 512
	arenaBlock = 64 << 10
)

// add copies b.
func (a *arena) add(b []byte) ref {
	last := len(a.blocks) - 1
	if last < 0 || len(a.blocks[last])+len(b) > cap(a.blocks[last]) {
		size := max(len(b), min(arenaBlock, max(arenaFirst, int(a.size))))
		a.blocks = append(a.blocks, make([]byte, 0, size))
		a.size += int64(size)
		last++
	}
	off := len(a.blocks[last])
	a.blocks[last] = append(a.blocks[last], b...)
	return ref{block: uint32(last), off: uint32(off), n: uint32(len(b))}
}

// at is what r refers to; never nil.
func (a *arena) at(r ref) []byte {
	return a.blocks[r.block][r.off : r.off+r.n : r.off+r.n]
}
