package statetest

import (
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"syscall"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

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

// ErrInjected is what Faulty's operations fail with, inside an error of the
// operating system as a bad disk gives one.
var ErrInjected error = syscall.EIO

// Faulty wraps a file system whose operations fail when told.
type Faulty struct {
	fs state.FS

	mu     sync.Mutex
	fail   func(n int64, op, path string) bool
	n      int64 // operations since Fail was called
	failed int64
}

// NewFaulty wraps fs; nothing fails until Fail is called.
func NewFaulty(fs state.FS) *Faulty {
	f := new(Faulty)
	f.fs = errorfs.Wrap(fs, errorfs.InjectorFunc(f.inject))
	return f
}

// FS returns the file system.
func (f *Faulty) FS() state.FS { return f.fs }

// Fail makes each operation fail for which fn says so: it gets the operation's
// number from now on, counted from 1, "read" or "write", and the path. Nil
// ends it. The count of operations since the call before is returned.
func (f *Faulty) Fail(fn func(n int64, op, path string) bool) (operations int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	operations, f.n, f.fail = f.n, 0, fn
	return operations
}

// Failed counts the operations that were made to fail.
func (f *Faulty) Failed() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.failed
}

func (f *Faulty) inject(op errorfs.Op) error {
	if op.Kind == errorfs.OpFileClose { // a file that can't be closed leaks in the test, not in the disk
		return nil
	}
	kind := "read"
	if op.Kind.ReadOrWrite() == errorfs.OpIsWrite {
		kind = "write"
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.n++
	if f.fail == nil || !f.fail(f.n, kind, op.Path) {
		return nil
	}
	f.failed++
	return &os.PathError{Op: kind, Path: op.Path, Err: ErrInjected}
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
