package state

import (
	"context"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// readPause is what a read of a stopped store takes to fail.
const readPause = 100 * time.Millisecond

// stoppedRead returns nil while the store works, and while it is only checked:
// then every fault is to be found. Once it has stopped, reads fail after a
// pause. Pebble's count of what tables hold begins anew at once whenever a
// table can't be read, and nothing but a slow disk holds it up.
func (f *failStop) stoppedRead() error {
	err := f.err()
	if err == nil || f.readOnly {
		return nil
	}
	pause, cancel := context.WithTimeout(context.Background(), readPause)
	defer cancel()
	select {
	case <-pause.Done():
	case <-f.leaving:
	}
	return err
}

// leave ends all pauses: the database is about to be closed, which waits for
// those who read.
func (f *failStop) leave() { f.leaveOnce.Do(func() { close(f.leaving) }) }

// Open opens a file for reading.
func (f *failStop) Open(name string, o ...vfs.OpenOption) (vfs.File, error) {
	if err := f.stoppedRead(); err != nil {
		return nil, err
	}
	file, err := f.FS.Open(name, o...)
	if err != nil {
		return nil, err
	}
	return &liveFile{File: file, fs: f}, nil
}

// liveFile is a file of a store that may stop.
type liveFile struct {
	vfs.File
	fs *failStop
}

func (f *liveFile) Read(p []byte) (int, error) {
	if err := f.fs.stoppedRead(); err != nil {
		return 0, err
	}
	return f.File.Read(p)
}

func (f *liveFile) ReadAt(p []byte, off int64) (int, error) {
	if err := f.fs.stoppedRead(); err != nil {
		return 0, err
	}
	return f.File.ReadAt(p, off)
}
