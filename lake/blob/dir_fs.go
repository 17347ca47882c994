package blob

import (
	"errors"
	"io"
	"os"
	"path/filepath"
)

// fsys is what a put does to the file system, and nothing else: the seam
// through which tests record the order of operations (a lost fsync is a
// difference in a golden file) and fail single ones. Names are keys' names,
// relative to the bucket, with slashes; "." is the bucket itself.
type fsys interface {
	Mkdir(name string) error
	Create(name string) (file, error) // fails if the name is taken
	Link(from, to string) error       // fails if the name is taken
	Rename(from, to string) error     // replaces
	Remove(name string) error
	SyncDir(name string) error
}

type file interface {
	io.WriteCloser
	Sync() error
}

// rootFS is the real one. An os.Root lets no name, link or race lead outside.
type rootFS struct{ root *os.Root }

var _ fsys = rootFS{}

func (r rootFS) Mkdir(name string) error { return r.root.Mkdir(filepath.FromSlash(name), 0o755) }

func (r rootFS) Create(name string) (file, error) {
	return r.root.OpenFile(filepath.FromSlash(name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
}

func (r rootFS) Link(from, to string) error {
	return r.root.Link(filepath.FromSlash(from), filepath.FromSlash(to))
}

func (r rootFS) Rename(from, to string) error {
	return r.root.Rename(filepath.FromSlash(from), filepath.FromSlash(to))
}

func (r rootFS) Remove(name string) error { return r.root.Remove(filepath.FromSlash(name)) }

func (r rootFS) SyncDir(name string) error {
	return syncDirectory(r.root.Open(filepath.FromSlash(name)))
}

// syncDirectory makes the names in an opened directory durable and closes it.
func syncDirectory(dir *os.File, err error) error {
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
