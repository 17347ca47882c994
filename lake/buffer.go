package lake

const (
	// blockBytesMax bounds the records of one block, so that a reader holds
	// little more at a time. A larger record has a block to itself.
	blockBytesMax = 64 << 10
	blockHead     = 20 // room before the records for two varints
	blockTail     = 16 // room behind them for the sync marker
	blockCap      = blockHead + blockBytesMax + blockTail
	blockCapFirst = 1 << 10 // where a file's first block begins to grow
	timesFirst    = 8
	// fileCharge is what an open file is charged beside its blocks and its
	// schema: the structs, the map's entry, the rest of the header.
	fileCharge = 1 << 10
)

// bufferKey says which records share a file. In quarantine hour and schema are
// zero.
type bufferKey struct {
	quarantine bool
	hour       int64 // since the epoch
	schemaID   uint32
}

// buffer is one file being filled.
type buffer struct {
	key              bufferKey
	first, last      int64 // offsets
	minTime, maxTime int64 // event times in ms
	records          int64
	bytes            int64 // of the encoded records
	blocks           []block
}

// block holds encoded records with room around them for what the file format
// puts there, so that a sealed block is written as it is.
type block struct {
	buf   []byte // blockHead bytes, then the records
	count int64
	// times are the event times within the hour, in ms: the envelope has none,
	// and a batch that is cut anew must know its files' bounds again.
	times []uint32
}

func (b *block) records() []byte { return b.buf[blockHead:] }

// room returns the block that takes a record of need encoded bytes, and by how
// much memory grows for it. It depends on the records' lengths alone where a
// block ends.
func (f *buffer) room(need int) (fits bool, growth int64) {
	n := len(f.blocks)
	if n == 0 || len(f.blocks[n-1].records())+need > blockBytesMax {
		return false, f.newCap(need) + f.timesGrowth(nil)
	}
	last := &f.blocks[n-1]
	if total := len(last.buf) + need + blockTail; total > cap(last.buf) {
		growth = grownCap(cap(last.buf), total) - int64(cap(last.buf))
	}
	return true, growth + f.timesGrowth(last.times)
}

// newCap sizes a new block: small for a file's first, full for the next, and
// whatever a huge record needs.
func (f *buffer) newCap(need int) int64 {
	total := blockHead + need + blockTail
	if len(f.blocks) > 0 {
		return int64(max(total, blockCap))
	}
	return grownCap(blockCapFirst/2, total)
}

// grownCap doubles up to a full block.
func grownCap(have, total int) int64 { return int64(max(total, min(2*have, blockCap))) }

func (f *buffer) timesGrowth(times []uint32) int64 {
	if f.key.quarantine || len(times) < cap(times) {
		return 0
	}
	return 4 * int64(max(timesFirst, cap(times)))
}

// grow makes the room that room has announced and the budget has granted.
func (f *buffer) grow(need int, fits bool, b *Budget) *block {
	if !fits {
		f.blocks = append(f.blocks, block{buf: b.buffer(int(f.newCap(need)))[:blockHead]})
	}
	last := &f.blocks[len(f.blocks)-1]
	if total := len(last.buf) + need + blockTail; total > cap(last.buf) {
		grown := b.buffer(int(grownCap(cap(last.buf), total)))
		last.buf = append(grown, last.buf...)
	}
	if !f.key.quarantine && len(last.times) == cap(last.times) {
		times := make([]uint32, len(last.times), len(last.times)+max(timesFirst, cap(last.times)))
		copy(times, last.times)
		last.times = times
	}
	return last
}

// note counts the record just written to the last block.
func (f *buffer) note(last *block, offset, time int64, size int) {
	if f.records == 0 {
		f.first, f.minTime, f.maxTime = offset, time, time
	}
	f.last = offset
	f.records++
	f.bytes += int64(size)
	last.count++
	if !f.key.quarantine {
		f.minTime, f.maxTime = min(f.minTime, time), max(f.maxTime, time)
		last.times = append(last.times, uint32(time-f.key.hour*hourMillis))
	}
}
