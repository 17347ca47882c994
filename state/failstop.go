package state

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// failStop is a file system that stops writing at the first failure in the
// background.
//
// Pebble asks for the process's death when it doesn't know whether a record
// of its MANIFEST was written: going on might delete tables that the MANIFEST
// names. One task's full disk must not take the other tasks down, so instead
// of the process the store's file system dies: what is on disk stays as it is
// at that moment, which is a crash to whoever opens it next.
type failStop struct {
	vfs.FS
	log *slog.Logger

	failure atomic.Pointer[error]
	failed  chan struct{} // closed at the first failure
	closing chan struct{} // closed when the store is being closed
	once    sync.Once
}

var _ vfs.FS = (*failStop)(nil)

func newFailStop(fs vfs.FS, log *slog.Logger) *failStop {
	return &failStop{FS: fs, log: log, failed: make(chan struct{}), closing: make(chan struct{})}
}

// stop records the first failure. Pebble calls it with its locks held.
func (f *failStop) stop(err error) {
	if f.failure.CompareAndSwap(nil, &err) {
		close(f.failed)
	}
}

// err returns the first failure, or nil.
func (f *failStop) err() error {
	if e := f.failure.Load(); e != nil {
		return *e
	}
	return nil
}

// release lets parked writers go: the store is being closed.
func (f *failStop) release() { f.once.Do(func() { close(f.closing) }) }

var errStopped = errors.New("store has stopped after a failure")

func (f *failStop) refuse() error {
	if err := f.err(); err != nil {
		return fmt.Errorf("%w: %w", errStopped, err)
	}
	return nil
}

// Infof, Errorf and Fatalf make a Pebble logger of it. What Pebble only
// mentions goes to the log; what it would die of stops the store.
func (f *failStop) Infof(string, ...any) {}

func (f *failStop) Errorf(format string, args ...any) {
	f.log.Warn("state store: " + fmt.Sprintf(format, args...))
}

func (f *failStop) Fatalf(format string, args ...any) { f.stop(fmt.Errorf(format, args...)) }

// Create parks a table's writer after a failure until the store is closed:
// Pebble repeats a failed flush at once and for ever, and no lock is held here.
func (f *failStop) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	if f.err() != nil && strings.HasSuffix(name, ".sst") {
		<-f.closing
	}
	return f.file(func() (vfs.File, error) { return f.FS.Create(name, category) })
}

func (f *failStop) OpenReadWrite(name string, c vfs.DiskWriteCategory, o ...vfs.OpenOption) (vfs.File, error) {
	return f.file(func() (vfs.File, error) { return f.FS.OpenReadWrite(name, c, o...) })
}

func (f *failStop) ReuseForWrite(from, to string, category vfs.DiskWriteCategory) (vfs.File, error) {
	return f.file(func() (vfs.File, error) { return f.FS.ReuseForWrite(from, to, category) })
}

func (f *failStop) OpenDir(name string) (vfs.File, error) {
	return f.file(func() (vfs.File, error) { return f.FS.OpenDir(name) })
}

func (f *failStop) file(open func() (vfs.File, error)) (vfs.File, error) {
	if err := f.refuse(); err != nil {
		return nil, err
	}
	file, err := open()
	if err != nil {
		return nil, err
	}
	return &failStopFile{File: file, fs: f}, nil
}

func (f *failStop) do(op func() error) error {
	if err := f.refuse(); err != nil {
		return err
	}
	return op()
}

func (f *failStop) Link(from, to string) error {
	return f.do(func() error { return f.FS.Link(from, to) })
}

func (f *failStop) Rename(from, to string) error {
	return f.do(func() error { return f.FS.Rename(from, to) })
}

func (f *failStop) Remove(name string) error {
	return f.do(func() error { return f.FS.Remove(name) })
}

func (f *failStop) RemoveAll(name string) error {
	return f.do(func() error { return f.FS.RemoveAll(name) })
}

func (f *failStop) MkdirAll(dir string, perm os.FileMode) error {
	return f.do(func() error { return f.FS.MkdirAll(dir, perm) })
}

// Lock marks the error of a lock that someone else holds.
func (f *failStop) Lock(name string) (io.Closer, error) {
	l, err := f.FS.Lock(name)
	if err != nil && heldElsewhere(err) {
		return nil, fmt.Errorf("%w by another process (or twice by this one): stop it, or use another state directory: %w",
			ErrLocked, err)
	}
	return l, err
}

// heldElsewhere tells a held lock from a file that cannot be opened, whose
// error names the path. Within a process Pebble keeps a table of its own.
func heldElsewhere(err error) bool {
	var path *os.PathError
	if errors.As(err, &path) {
		return false
	}
	return errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EACCES) ||
		strings.Contains(err.Error(), "lock held by current process")
}

// Unwrap implements vfs.FS.
func (f *failStop) Unwrap() vfs.FS { return f.FS }

type failStopFile struct {
	vfs.File
	fs *failStop
}

func (f *failStopFile) Write(p []byte) (int, error) {
	if err := f.fs.refuse(); err != nil {
		return 0, err
	}
	return f.File.Write(p)
}

func (f *failStopFile) WriteAt(p []byte, off int64) (int, error) {
	if err := f.fs.refuse(); err != nil {
		return 0, err
	}
	return f.File.WriteAt(p, off)
}

func (f *failStopFile) Preallocate(off, n int64) error {
	return f.fs.do(func() error { return f.File.Preallocate(off, n) })
}

func (f *failStopFile) Sync() error     { return f.fs.do(f.File.Sync) }
func (f *failStopFile) SyncData() error { return f.fs.do(f.File.SyncData) }

func (f *failStopFile) SyncTo(n int64) (bool, error) {
	if err := f.fs.refuse(); err != nil {
		return false, err
	}
	return f.File.SyncTo(n)
}
