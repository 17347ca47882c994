package main

import (
	"os"
	"runtime/debug"

	"github.com/tidemark-io/tidemark/stream"
)

// limitMemory tells Go's runtime how much of state.memory_max is its own. The collector then works harder as that is
// approached, instead of letting garbage grow to as much again as what is in use. An operator's own GOMEMLIMIT stands, and so
// does GOGC.
func limitMemory(total int64) {
	if os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	m := stream.DivideMemory(total)
	debug.SetMemoryLimit(m.Heap(pebbleOffHeap))
}
