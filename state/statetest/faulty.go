package statetest

import (
	"os"
	"sync"
	"syscall"

	"github.com/tidemark-io/tidemark/state"
)

// ErrInjected is what Faulty's operations fail with, inside an error of the
// operating system as a bad disk gives one.
var ErrInjected error = syscall.EIO

// Faulty wraps a file system whose operations fail when told. Closing a file
// never fails: one that can't be closed leaks in the test, not in the disk.
type Faulty struct {
	fs *faultyFS

	mu     sync.Mutex
	fail   func(n int64, op, path string) bool
	late   bool
	n      int64 // operations since Fail was called
	failed int64
}

// NewFaulty wraps fs; nothing fails until Fail is called.
func NewFaulty(fs state.FS) *Faulty {
	f := new(Faulty)
	f.fs = &faultyFS{FS: fs, f: f}
	return f
}

// FS returns the file system.
func (f *Faulty) FS() state.FS { return f.fs }

// Fail makes each operation fail, undone, for which fn says so: it gets the
// operation's number from now on, counted from 1, "read" or "write", and the
// path. Nil ends it. The count of operations since the call before is returned.
func (f *Faulty) Fail(fn func(n int64, op, path string) bool) (operations int64) {
	return f.set(fn, false)
}

// FailLate is Fail, but what fails has been done: only the answer is lost.
func (f *Faulty) FailLate(fn func(n int64, op, path string) bool) (operations int64) {
	return f.set(fn, true)
}

func (f *Faulty) set(fn func(n int64, op, path string) bool, late bool) (operations int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	operations, f.n, f.fail, f.late = f.n, 0, fn, late
	return operations
}

// Failed counts the operations that were made to fail.
func (f *Faulty) Failed() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.failed
}

// around does an operation, unless it is to fail.
func (f *Faulty) around(kind, path string, op func() error) error {
	f.mu.Lock()
	f.n++
	failing := f.fail != nil && f.fail(f.n, kind, path)
	late := f.late
	if failing {
		f.failed++
	}
	f.mu.Unlock()
	if failing && !late {
		return &os.PathError{Op: kind, Path: path, Err: ErrInjected}
	}
	if err := op(); err != nil || !failing {
		return err
	}
	return &os.PathError{Op: kind, Path: path, Err: ErrInjected}
}
