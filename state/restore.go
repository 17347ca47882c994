package state

import (
	"context"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2/vfs"
	"golang.org/x/sync/errgroup"

	"github.com/tidemark-io/tidemark/lake/blob"
)

const (
	restoreParallel   = 4       // files fetched at once
	restorePieceBytes = 4 << 20 // of a file held in memory, each
)

// Restore makes the store in dir from the checkpoint m, which LoadManifest
// read under prefix. The directory must be absent, or empty, or have a store
// without a cut; else ErrNotEmpty.
//
// Files are fetched into a directory beside it, checked against both sums,
// synced, opened once to see that they hold the manifest's cut, and renamed
// into place: after a crash there is a whole store or none. *CorruptError says
// that the checkpoint can't be restored from: try the next one.
func Restore(ctx context.Context, b blob.Bucket, prefix string, m *Manifest, dir string, sh *Shared) error {
	if err := sh.restore(ctx, archive{b: b, prefix: prefix}, m, dir); err != nil {
		return fmt.Errorf("restore %s into %s: %w", manifestName(&m.Cut), dir, err)
	}
	return nil
}

func (sh *Shared) restore(ctx context.Context, a archive, m *Manifest, dir string) (err error) {
	key := a.manifestKey(manifestName(&m.Cut))
	if err := m.Validate(); err != nil {
		return &CorruptError{Path: key, What: "checkpoint manifest", Err: err}
	}
	fs := sh.opts.FS
	if err := sh.vacate(dir); err != nil {
		return err
	}
	scratch := dir + suffixRestore
	if err := fs.RemoveAll(scratch); err != nil && !isNotExist(err) {
		return fmt.Errorf("remove what an earlier restore left: %w", err)
	}
	if err := makeDir(fs, scratch); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = join(err, fs.RemoveAll(scratch))
		}
	}()
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(restoreParallel)
	for _, f := range m.Files {
		g.Go(func() error { return a.fetch(gctx, fs, f, fs.PathJoin(scratch, f.Name)) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	if err := sh.holds(scratch, m, key); err != nil {
		return err
	}
	return settle(fs, scratch, dir)
}

// holds checks that the restored files are the state that the manifest says.
func (sh *Shared) holds(scratch string, m *Manifest, key string) error {
	cut, err := sh.peek(scratch)
	var corrupt *CorruptError
	switch {
	case errors.As(err, &corrupt):
		return &CorruptError{Path: key, What: "the checkpoint's files", Err: err}
	case err != nil:
		return err
	case cut == nil:
		return &CorruptError{Path: key, What: "the checkpoint's files hold no cut"}
	}
	if err := SameState(&m.Cut, cut); err != nil {
		return &CorruptError{Path: key, What: "the checkpoint's files hold another cut", Err: err}
	}
	return nil
}

// fetch writes one file and syncs it.
func (a archive) fetch(ctx context.Context, fs vfs.FS, f File, path string) (err error) {
	out, err := fs.Create(path, vfs.WriteCategoryUnspecified)
	if err != nil {
		return fmt.Errorf("create restored file: %w", err)
	}
	defer func() { err = join(err, out.Close()) }()
	if err := a.read(ctx, f, func(p []byte) error {
		_, err := out.Write(p)
		return err
	}); err != nil {
		return err
	}
	if err := out.Sync(); err != nil {
		return fmt.Errorf("sync restored file: %w", err)
	}
	return nil
}

// read passes a stored file's bytes to fn in pieces and checks both sums. It
// never reads more than the manifest says, whatever the object's size.
func (a archive) read(ctx context.Context, f File, fn func([]byte) error) error {
	key := a.fileKey(f.SHA256)
	sum := newSum()
	for sum.size < f.Size {
		p, err := a.b.GetRange(ctx, key, sum.size, min(restorePieceBytes, f.Size-sum.size))
		if errors.Is(err, blob.ErrNotFound) {
			return &CorruptError{Path: key, What: f.Name + " is missing", Err: err}
		}
		if err != nil {
			return fmt.Errorf("fetch %s: %w", f.Name, err)
		}
		if len(p) == 0 {
			break
		}
		if _, err := sum.Write(p); err != nil {
			return err
		}
		if err := fn(p); err != nil {
			return fmt.Errorf("write %s: %w", f.Name, err)
		}
	}
	if got := sum.file(f.Name); got != f {
		return &CorruptError{Path: key, What: fmt.Sprintf("%s has %d bytes, crc32c %s, sha256 %s; want %d, %s, %s",
			f.Name, got.Size, got.CRC32C, got.SHA256, f.Size, f.CRC32C, f.SHA256)}
	}
	return nil
}

// vacate makes room for a store in dir, or says what is there. A store that
// was made and never applied to holds nothing; who opens a store to see
// whether there is one has made it.
func (sh *Shared) vacate(dir string) error {
	fs := sh.opts.FS
	names, err := fs.List(dir)
	if isNotExist(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look into the directory: %w", err)
	}
	exists, err := survey(dir, fs)
	if err != nil {
		return err
	}
	if !exists && len(names) > 0 {
		return fmt.Errorf("%w: %s has %d files that are no store", ErrNotEmpty, dir, len(names))
	}
	if exists {
		cut, err := sh.peek(dir)
		if err != nil {
			return err
		}
		if cut != nil {
			return fmt.Errorf("%w: %s has a store; set it aside first", ErrNotEmpty, dir)
		}
	}
	if err := fs.RemoveAll(dir); err != nil && !isNotExist(err) {
		return fmt.Errorf("remove the empty store: %w", err)
	}
	return nil
}

// settle renames scratch to dir, for good.
func settle(fs vfs.FS, scratch, dir string) error {
	if err := fs.Remove(fs.PathJoin(scratch, "LOCK")); err != nil && !isNotExist(err) {
		return fmt.Errorf("remove the scratch lock: %w", err)
	}
	if err := syncDir(fs, scratch); err != nil {
		return err
	}
	if err := fs.Rename(scratch, dir); err != nil {
		return fmt.Errorf("put the restored state into place: %w", err)
	}
	return syncDir(fs, fs.PathDir(dir))
}
