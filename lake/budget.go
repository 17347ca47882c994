package lake

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
)

// Budget bounds the memory that the landers of one process hold together:
// encoded records, those of batches being landed included, plus a fixed share
// for each open file. It is safe for concurrent use.
type Budget struct {
	limit int64
	used  atomic.Int64 // held by open and sealed files

	// Of the open (unsealed) part only, to find who should seal.
	open    atomic.Int64
	landers atomic.Int64 // those with anything open

	mu    sync.Mutex
	freed chan struct{} // closed at the next release, if anybody waits
	spare [][]byte      // full-size block buffers for reuse
}

// NewBudget returns a budget of so many bytes, at least 1 MiB.
func NewBudget(limitBytes int64) *Budget { return &Budget{limit: max(limitBytes, 1<<20)} }

// Limit is the budget's size in bytes.
func (b *Budget) Limit() int64 { return b.limit }

// Used is the number of bytes held.
func (b *Budget) Used() int64 { return b.used.Load() }

// Over reports that the budget is used up: until something has landed, Append
// returns ErrFull.
func (b *Budget) Over() bool { return b.used.Load() >= b.limit }

// Wait blocks until the budget is not over; whoever holds the bytes must be
// landing them meanwhile. It returns the context's error if that ends first.
func (b *Budget) Wait(ctx context.Context) error {
	for {
		b.mu.Lock()
		if b.freed == nil {
			b.freed = make(chan struct{})
		}
		freed := b.freed
		b.mu.Unlock()
		if !b.Over() { // looked at after the channel was there: no release is missed
			return nil
		}
		select {
		case <-freed:
		case <-ctx.Done():
			return fmt.Errorf("wait for the landing budget of %d bytes: %w", b.limit, ctx.Err())
		}
	}
}

// take charges n bytes unless the budget is over. What it lets through may
// pass the limit by these n, and of several takers only one can.
func (b *Budget) take(n int64) bool {
	for {
		used := b.used.Load()
		if used >= b.limit {
			return false
		}
		if b.used.CompareAndSwap(used, used+n) {
			return true
		}
	}
}

func (b *Budget) release(n int64) {
	b.used.Add(-n)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.freed != nil {
		close(b.freed)
		b.freed = nil
	}
}

// pressed reports whether a lander holding so many open bytes should seal for
// the budget's sake: half of the budget is open and it holds no less than the
// average. So the big ones make room, and the small ones are not cut into
// small files.
func (b *Budget) pressed(open int64) bool {
	total := b.open.Load()
	return total >= b.limit/2 && open*b.landers.Load() >= total
}

// buffer returns memory for a block, a used one if there is any of that size.
func (b *Budget) buffer(size int) []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	if n := len(b.spare); n > 0 && size == blockCap {
		buf := b.spare[n-1]
		b.spare = b.spare[:n-1]
		return buf
	}
	b.trim()
	return make([]byte, 0, size)
}

// recycle keeps a buffer for reuse.
func (b *Budget) recycle(buf []byte) {
	if cap(buf) != blockCap {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.spare = append(b.spare, buf[:0])
	b.trim()
}

// trim drops spare buffers until they and what is held stay within the limit.
func (b *Budget) trim() {
	for n := len(b.spare); n > 0 && b.used.Load()+int64(n)*blockCap > b.limit; n-- {
		b.spare[n-1] = nil
		b.spare = b.spare[:n-1]
	}
}
