package statetest

import (
	"fmt"
	"math/rand/v2"
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/tidemark-io/tidemark/state"
)

// NewMem returns a file system in memory.
func NewMem() state.FS { return vfs.NewMem() }

// PowerLoss is a file system in memory that knows what was synced.
type PowerLoss struct{ mem *vfs.MemFS }

// NewPowerLoss returns an empty one.
func NewPowerLoss() *PowerLoss { return &PowerLoss{mem: vfs.NewCrashableMem()} }

// FS returns the file system.
func (p *PowerLoss) FS() state.FS { return p.mem }

// Cut returns what the disk may hold after the power is cut now: everything
// that was synced, and of the rest each block or directory entry with
// the given probability. The file system itself goes on, unharmed.
func (p *PowerLoss) Cut(rng *rand.Rand, unsyncedPercent int) *PowerLoss {
	return &PowerLoss{mem: p.mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: unsyncedPercent, RNG: rng})}
}

// Tracing wraps a file system and calls log with each operation but reads of
// what is known, as text; one call at a time.
func Tracing(fs state.FS, log func(string)) state.FS {
	var mu sync.Mutex
	return vfs.WithLogging(fs, func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		log(fmt.Sprintf(format, args...))
	})
}
