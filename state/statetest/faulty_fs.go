package statetest

import (
	"errors"
	"io"
	"os"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// faultyFS passes every operation that reaches a disk through Faulty.
type faultyFS struct {
	vfs.FS
	f *Faulty
}

func (s *faultyFS) write(path string, op func() error) error { return s.f.around("write", path, op) }
func (s *faultyFS) read(path string, op func() error) error  { return s.f.around("read", path, op) }

// file opens a file. One whose opening fails late is closed again.
func (s *faultyFS) file(kind, name string, open func() (vfs.File, error)) (vfs.File, error) {
	var file vfs.File
	err := s.f.around(kind, name, func() (err error) {
		file, err = open()
		return err
	})
	if err != nil {
		if file != nil {
			err = errors.Join(err, file.Close())
		}
		return nil, err
	}
	return &faultyFile{File: file, fs: s, name: name}, nil
}

func (s *faultyFS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return s.file("write", name, func() (vfs.File, error) { return s.FS.Create(name, c) })
}

func (s *faultyFS) OpenReadWrite(name string, c vfs.DiskWriteCategory, o ...vfs.OpenOption) (vfs.File, error) {
	return s.file("write", name, func() (vfs.File, error) { return s.FS.OpenReadWrite(name, c, o...) })
}

func (s *faultyFS) ReuseForWrite(from, to string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return s.file("write", to, func() (vfs.File, error) { return s.FS.ReuseForWrite(from, to, c) })
}

func (s *faultyFS) Open(name string, o ...vfs.OpenOption) (vfs.File, error) {
	file, err := s.file("read", name, func() (vfs.File, error) { return s.FS.Open(name) })
	if err != nil {
		return nil, err
	}
	for _, opt := range o {
		opt.Apply(file)
	}
	return file, nil
}

func (s *faultyFS) OpenDir(name string) (vfs.File, error) {
	return s.file("read", name, func() (vfs.File, error) { return s.FS.OpenDir(name) })
}

func (s *faultyFS) Link(from, to string) error {
	return s.write(to, func() error { return s.FS.Link(from, to) })
}

func (s *faultyFS) Remove(name string) error {
	return s.write(name, func() error { return s.FS.Remove(name) })
}

func (s *faultyFS) RemoveAll(name string) error {
	return s.write(name, func() error { return s.FS.RemoveAll(name) })
}

func (s *faultyFS) Rename(from, to string) error {
	return s.write(to, func() error { return s.FS.Rename(from, to) })
}

func (s *faultyFS) MkdirAll(dir string, perm os.FileMode) error {
	return s.write(dir, func() error { return s.FS.MkdirAll(dir, perm) })
}

func (s *faultyFS) Lock(name string) (lock io.Closer, err error) {
	err = s.write(name, func() (err error) {
		lock, err = s.FS.Lock(name)
		return err
	})
	if err != nil && lock != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return lock, err
}

func (s *faultyFS) List(dir string) (names []string, err error) {
	err = s.read(dir, func() (err error) {
		names, err = s.FS.List(dir)
		return err
	})
	if err != nil {
		return nil, err
	}
	return names, nil
}

func (s *faultyFS) Stat(name string) (info vfs.FileInfo, err error) {
	err = s.read(name, func() (err error) {
		info, err = s.FS.Stat(name)
		return err
	})
	if err != nil {
		return nil, err
	}
	return info, nil
}

func (s *faultyFS) GetDiskUsage(path string) (usage vfs.DiskUsage, err error) {
	err = s.read(path, func() (err error) {
		usage, err = s.FS.GetDiskUsage(path)
		return err
	})
	return usage, err
}

// Unwrap implements vfs.FS.
func (s *faultyFS) Unwrap() vfs.FS { return s.FS }

// faultyFile is a file of it.
type faultyFile struct {
	vfs.File
	fs   *faultyFS
	name string
}

func (f *faultyFile) counted(kind string, op func() (int, error)) (n int, err error) {
	err = f.fs.f.around(kind, f.name, func() (err error) {
		n, err = op()
		return err
	})
	return n, err
}

func (f *faultyFile) Read(p []byte) (int, error) {
	return f.counted("read", func() (int, error) { return f.File.Read(p) })
}

func (f *faultyFile) ReadAt(p []byte, off int64) (int, error) {
	return f.counted("read", func() (int, error) { return f.File.ReadAt(p, off) })
}

func (f *faultyFile) Write(p []byte) (int, error) {
	return f.counted("write", func() (int, error) { return f.File.Write(p) })
}

func (f *faultyFile) WriteAt(p []byte, off int64) (int, error) {
	return f.counted("write", func() (int, error) { return f.File.WriteAt(p, off) })
}

func (f *faultyFile) Preallocate(off, n int64) error {
	return f.fs.write(f.name, func() error { return f.File.Preallocate(off, n) })
}

func (f *faultyFile) Sync() error     { return f.fs.write(f.name, f.File.Sync) }
func (f *faultyFile) SyncData() error { return f.fs.write(f.name, f.File.SyncData) }

func (f *faultyFile) SyncTo(n int64) (full bool, err error) {
	err = f.fs.write(f.name, func() (err error) {
		full, err = f.File.SyncTo(n)
		return err
	})
	return full && err == nil, err
}

func (f *faultyFile) Stat() (info vfs.FileInfo, err error) {
	err = f.fs.read(f.name, func() (err error) {
		info, err = f.File.Stat()
		return err
	})
	if err != nil {
		return nil, err
	}
	return info, nil
}
