package state

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs"
	"golang.org/x/sync/errgroup"

	"github.com/tidemark-io/tidemark/crashpoint"
	"github.com/tidemark-io/tidemark/lake/blob"
)

// fetchPieceBytes is how much of a file is asked for at once.
const fetchPieceBytes = 4 << 20

// fetch gets the files of one checkpoint out of the bucket.
type fetch struct {
	archive
	manifest string // key, for errors
	files    []File
	o        RestoreOptions
	room     *allowance
	total    int64

	mu   sync.Mutex // Progress, and
	done int64
}

func newFetch(a archive, m *Manifest, o RestoreOptions) *fetch {
	return &fetch{archive: a, manifest: a.manifestKey(manifestName(&m.Cut)), files: m.Files, o: o,
		room: newAllowance(o.FlightBytes), total: m.SizeBytes()}
}

// into writes all files into dir, each synced. The first that is wrong ends it.
func (x *fetch) into(ctx context.Context, fs vfs.FS, dir string) error {
	return x.each(ctx, func(ctx context.Context, f *File) error { return x.write(ctx, fs, f, fs.PathJoin(dir, f.Name)) })
}

// each calls fn for every file, several at once.
func (x *fetch) each(ctx context.Context, fn func(context.Context, *File) error) error {
	x.progress(0)
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(x.o.Parallel)
	for i := range x.files {
		g.Go(func() error { return fn(ctx, &x.files[i]) })
	}
	return g.Wait()
}

func (x *fetch) progress(n int64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.done += n
	x.o.Progress(x.done, x.total)
}

// write writes one file and syncs it.
func (x *fetch) write(ctx context.Context, fs vfs.FS, f *File, path string) (err error) {
	out, err := fs.Create(path, vfs.WriteCategoryUnspecified)
	if err != nil {
		return fmt.Errorf("create restored file: %w", err)
	}
	defer func() { err = join(err, out.Close()) }()
	if err := x.read(ctx, f, func(p []byte) error {
		_, err := out.Write(p)
		return err
	}); err != nil {
		return err
	}
	if err := out.Sync(); err != nil {
		return fmt.Errorf("sync restored file: %w", err)
	}
	crashpoint.Hit("restore/file")
	return nil
}

// read passes a stored file's bytes to fn in pieces and checks both sums. It
// never reads more than the manifest says, whatever the object's size.
func (x *fetch) read(ctx context.Context, f *File, fn func([]byte) error) error {
	sum := newSum()
	for sum.size < f.Size {
		more, err := x.piece(ctx, f, sum, fn)
		if err != nil {
			return err
		}
		if !more {
			break
		}
	}
	got := sum.file(f.Name)
	if got.Upload = f.Upload; got != *f {
		return x.corrupt(f, fmt.Sprintf("has %d bytes, crc32c %s, sha256 %s; want %d, %s, %s",
			got.Size, got.CRC32C, got.SHA256, f.Size, f.CRC32C, f.SHA256), nil)
	}
	return nil
}

// piece reads the next bytes; none are left if it returns false.
func (x *fetch) piece(ctx context.Context, f *File, sum *sum, fn func([]byte) error) (more bool, err error) {
	n := min(fetchPieceBytes, f.Size-sum.size)
	release, err := x.room.take(ctx, n)
	if err != nil {
		return false, err
	}
	defer release()
	p, err := x.b.GetRange(ctx, x.fileKey(f.Object()), sum.size, n)
	if errors.Is(err, blob.ErrNotFound) {
		return false, x.corrupt(f, "is missing", err)
	}
	if err != nil {
		return false, fmt.Errorf("fetch %s: %w", f.Name, err)
	}
	if _, err := sum.Write(p); err != nil {
		return false, err
	}
	if err := fn(p); err != nil {
		return false, fmt.Errorf("write %s: %w", f.Name, err)
	}
	x.progress(int64(len(p)))
	return len(p) > 0, nil
}

func (x *fetch) corrupt(f *File, what string, err error) error {
	x.doubts.add(x.fileKey(f.Object()))
	return &CorruptError{Path: x.fileKey(f.Object()), What: f.Name + " " + what, Err: err, Manifest: x.manifest, File: f.Name}
}
