package windowtest

import (
	"fmt"
	"runtime"

	"github.com/tidemark-io/tidemark/stream/window"
)

const (
	copies     = 400 // accumulators on the heap at once, so that what else lives there doesn't count
	memorySpan = 3   // factor between Bytes and the heap, either way
	memoryFree = 256 // bytes an accumulator that Bytes need not know of
)

// ownsUpToMemory compares Bytes with the heap.
func ownsUpToMemory(c *trial) error {
	if n := len(c.events); n > 0 && n < 50 {
		return nil // the first and the larger ones tell
	}
	events := c.events[:min(len(c.events), 200)]
	held := make([]window.Accumulator, copies)
	before := heap()
	var said int64
	for i := range held {
		var err error
		if held[i], err = c.of(events); err != nil {
			return err
		}
		n := held[i].Bytes()
		if n < 0 {
			return fmt.Errorf("a size of %d bytes", n)
		}
		said += n
	}
	took := heap() - before
	runtime.KeepAlive(held)
	runtime.KeepAlive(c)
	if took > memorySpan*said+memoryFree*copies {
		return fmt.Errorf("the heap says %[2]d, Bytes only %[1]d", said/copies, took/copies)
	}
	if said > memorySpan*took+memoryFree*copies {
		return fmt.Errorf("the heap says only %[2]d, Bytes %[1]d", said/copies, took/copies)
	}
	return nil
}

// heap is what lives on the heap, pools and finalizers aside: those need a second collection.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
