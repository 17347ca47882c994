package blob

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
)

// Dir is a bucket in a local directory; an object is a file of its key's name.
// It is safe for concurrent use, by several processes too. The file system
// must have hard links and honour fsync, of directories as well.
//
// Symbolic links inside the directory are not objects: they are neither
// listed nor read. Names that begin with a dot are the bucket's own.
type Dir struct {
	root *os.Root
	fs   fsys
	// tempName picks the name of the next temporary file. Random, because
	// other processes pick theirs without asking.
	tempName func() string

	mu sync.Mutex
	// durable holds the directories whose names are known to be synced into
	// their parents, by this process. Finding one on disk is not enough: the
	// process that made it may have died before it synced.
	durable map[string]bool
	swept   bool // leftovers of dead processes were looked for
}

var _ Bucket = (*Dir)(nil)

// OpenDir opens the bucket in the directory path, which is created (durably)
// with its parents if it is missing. Nothing is written until the first put.
func OpenDir(path string) (*Dir, error) {
	if err := makeDurable(path); err != nil {
		return nil, fmt.Errorf("open bucket directory %s: %w", path, err)
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, fmt.Errorf("open bucket directory: %w", err)
	}
	return &Dir{root: root, fs: rootFS{root}, tempName: rand.Text, durable: map[string]bool{}}, nil
}

// makeDurable creates path and its missing parents, syncing each into its own.
func makeDurable(path string) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return fmt.Errorf("absolute path: %w", err)
	}
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	parent := filepath.Dir(path)
	if parent == path {
		return errors.New("the file system's root is missing")
	}
	if err := makeDurable(parent); err != nil {
		return err
	}
	if err := os.Mkdir(path, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("create directory: %w", err)
	}
	return syncDirectory(os.Open(parent))
}

// Close releases the directory; no method may be called afterwards.
func (d *Dir) Close() error {
	if err := d.root.Close(); err != nil {
		return fmt.Errorf("close bucket directory: %w", err)
	}
	return nil
}

// Get implements Bucket.
func (d *Dir) Get(ctx context.Context, key string) ([]byte, error) {
	f, err := d.open(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", key, err)
	}
	data, err := readAll(f)
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("get %s: %w", key, err)
	}
	return data, nil
}

// GetRange implements Bucket.
func (d *Dir) GetRange(ctx context.Context, key string, off, n int64) ([]byte, error) {
	if off < 0 || n < 0 {
		return nil, fmt.Errorf("get %s: range of %d bytes at %d", key, n, off)
	}
	f, err := d.open(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", key, err)
	}
	data, err := readRange(f, off, n)
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("get %s: %w", key, err)
	}
	return data, nil
}

// Delete implements Bucket. The directory is not synced: a deletion that a
// crash undoes is one that the next collection of garbage repeats.
func (d *Dir) Delete(ctx context.Context, key string) error {
	if err := begin(ctx, key); err != nil {
		return fmt.Errorf("delete: %w", err)
	}
	if err := d.fs.Remove(key); err != nil && !absent(err) {
		return fmt.Errorf("delete %s: %w", key, err)
	}
	return nil
}

// open opens the regular file of a key. The look before it keeps a named pipe
// or a device that somebody left here from blocking the reader.
func (d *Dir) open(ctx context.Context, key string) (*os.File, error) {
	if err := begin(ctx, key); err != nil {
		return nil, err
	}
	name := filepath.FromSlash(key)
	info, err := d.root.Lstat(name)
	if absent(err) || err == nil && !info.Mode().IsRegular() {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	f, err := d.root.Open(name)
	if absent(err) {
		return nil, ErrNotFound
	}
	return f, err
}

// absent reports that there is no such object: nothing of that name, or a
// file where the key has a directory.
func absent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

func readAll(f *os.File) ([]byte, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	return readRange(f, 0, info.Size())
}

// readRange allocates what the file has, not what was asked for.
func readRange(f *os.File, off, n int64) ([]byte, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	n = min(n, max(0, info.Size()-off))
	data := make([]byte, n)
	got, err := f.ReadAt(data, off)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return data[:got], nil
}
