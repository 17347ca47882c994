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

// failStop is the file system of one store. At the first failure it goes dead:
// it takes every later write and drops it, so what is on disk stays as it was
// at that moment, which is a crash to whoever opens the store next.
//
// Pebble asks for the process's death when it doesn't know whether a record of
// its MANIFEST was written (going on might delete tables that the MANIFEST
// names), panics when a directory can't be synced, and repeats a failed flush
// at once and for ever, in Open too. One task's full disk must not take the
// other tasks down. So Pebble never hears of a failed write; it runs on,
// against nothing. Every method of Store asks err before it believes what
// Pebble says. Reads fail from then on (pacing.go), and no compaction begins
// (turns.go): Pebble repeats those, too. The failure is recorded before Pebble gets an answer, so no
// flush is taken for durable that isn't.
type failStop struct {
	vfs.FS
	log *slog.Logger

	failure atomic.Pointer[error]
	failed  chan struct{} // closed at the first failure

	readOnly  bool          // nothing is written, and reads go on after a failure
	leaving   chan struct{} // closed when the database is about to be
	leaveOnce sync.Once

	listed sync.Map // directory to its last listing
}

var _ vfs.FS = (*failStop)(nil)

func newFailStop(fs vfs.FS, log *slog.Logger) *failStop {
	return &failStop{FS: fs, log: log, failed: make(chan struct{}), leaving: make(chan struct{})}
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

// Infof, Errorf and Fatalf make a Pebble logger of it. What Pebble only
// mentions goes to the log; what it would die of stops the store.
func (f *failStop) Infof(string, ...any) {}

func (f *failStop) Errorf(format string, args ...any) {
	f.log.Warn("state store: " + fmt.Sprintf(format, args...))
}

func (f *failStop) Fatalf(format string, args ...any) {
	e := &fatalError{text: fmt.Sprintf(format, args...)}
	for _, arg := range args {
		if cause, ok := arg.(error); ok {
			e.cause = cause
		}
	}
	f.stop(e)
}

// fatalError is what Pebble said at its end; the cause's own text is in it.
type fatalError struct {
	text  string
	cause error
}

func (e *fatalError) Error() string { return e.text }
func (e *fatalError) Unwrap() error { return e.cause }

// write does op unless the disk is dead, and takes its failure for death.
func (f *failStop) write(op func() error) {
	if f.err() == nil {
		if err := op(); err != nil {
			f.stop(err)
		}
	}
}

// file opens a file for writing; one that drops everything when the disk is
// dead.
func (f *failStop) file(open func() (vfs.File, error)) (vfs.File, error) {
	var file vfs.File
	f.write(func() (err error) {
		file, err = open()
		return err
	})
	if file == nil {
		return &dropFile{fs: f}, nil
	}
	return &failStopFile{File: file, fs: f}, nil
}

func (f *failStop) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	return f.file(func() (vfs.File, error) { return f.FS.Create(name, category) })
}

func (f *failStop) OpenReadWrite(name string, c vfs.DiskWriteCategory, o ...vfs.OpenOption) (vfs.File, error) {
	return f.file(func() (vfs.File, error) { return f.FS.OpenReadWrite(name, c, o...) })
}

func (f *failStop) ReuseForWrite(from, to string, category vfs.DiskWriteCategory) (vfs.File, error) {
	return f.file(func() (vfs.File, error) { return f.FS.ReuseForWrite(from, to, category) })
}

func (f *failStop) Rename(from, to string) error {
	f.write(func() error { return f.FS.Rename(from, to) })
	return nil
}

// OpenDir returns a directory to sync.
func (f *failStop) OpenDir(name string) (vfs.File, error) {
	file, err := f.FS.OpenDir(name)
	if err != nil {
		return nil, err
	}
	return &failStopFile{File: file, fs: f}, nil
}

// quiet does an operation whose failure Pebble deals with, unless the disk is
// dead: it copies what can't be linked, and comes back to what can't be removed.
func (f *failStop) quiet(op func() error) error {
	if f.err() != nil {
		return nil
	}
	return op()
}

func (f *failStop) Link(from, to string) error {
	return f.quiet(func() error { return f.FS.Link(from, to) })
}

func (f *failStop) Remove(name string) error {
	return f.quiet(func() error { return f.FS.Remove(name) })
}

func (f *failStop) RemoveAll(name string) error {
	return f.quiet(func() error { return f.FS.RemoveAll(name) })
}

func (f *failStop) MkdirAll(dir string, perm os.FileMode) error {
	return f.quiet(func() error { return f.FS.MkdirAll(dir, perm) })
}

// List repeats its last answer when it fails later: an Open of Pebble that
// fails at its last listing leaves a goroutine behind. With the disk dead
// nothing comes of the answer.
func (f *failStop) List(dir string) ([]string, error) {
	names, err := f.FS.List(dir)
	if err == nil {
		f.listed.Store(dir, names)
		return names, nil
	}
	if last, ok := f.listed.Load(dir); ok {
		f.stop(err)
		return last.([]string), nil
	}
	return nil, err
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

// failStopFile is a file, or a directory, of a disk that may die.
type failStopFile struct {
	vfs.File
	fs *failStop
}

func (f *failStopFile) Write(p []byte) (int, error) {
	n := len(p)
	f.fs.write(func() error { _, err := f.File.Write(p); return err })
	return n, nil
}

func (f *failStopFile) WriteAt(p []byte, off int64) (int, error) {
	n := len(p)
	f.fs.write(func() error { _, err := f.File.WriteAt(p, off); return err })
	return n, nil
}

func (f *failStopFile) Preallocate(off, n int64) error {
	f.fs.write(func() error { return f.File.Preallocate(off, n) })
	return nil
}

func (f *failStopFile) Sync() error {
	f.fs.write(f.File.Sync)
	return nil
}

func (f *failStopFile) SyncData() error {
	f.fs.write(f.File.SyncData)
	return nil
}

func (f *failStopFile) SyncTo(n int64) (full bool, _ error) {
	f.fs.write(func() (err error) {
		full, err = f.File.SyncTo(n)
		return err
	})
	return full, nil
}

// Close can fail for a delayed write.
func (f *failStopFile) Close() error {
	if err := f.File.Close(); err != nil {
		f.fs.stop(err)
	}
	return nil
}

// dropFile is a file on a dead disk.
type dropFile struct{ fs *failStop }

var _ vfs.File = (*dropFile)(nil)

func (f *dropFile) Write(p []byte) (int, error)            { return len(p), nil }
func (f *dropFile) WriteAt(p []byte, _ int64) (int, error) { return len(p), nil }
func (f *dropFile) Preallocate(_, _ int64) error           { return nil }
func (f *dropFile) Sync() error                            { return nil }
func (f *dropFile) SyncData() error                        { return nil }
func (f *dropFile) SyncTo(int64) (bool, error)             { return false, nil }
func (f *dropFile) Prefetch(_, _ int64) error              { return nil }
func (f *dropFile) Close() error                           { return nil }
func (f *dropFile) Fd() uintptr                            { return vfs.InvalidFd }
func (f *dropFile) Read([]byte) (int, error)               { return 0, f.fs.err() }
func (f *dropFile) ReadAt([]byte, int64) (int, error)      { return 0, f.fs.err() }
func (f *dropFile) Stat() (vfs.FileInfo, error)            { return nil, f.fs.err() }
