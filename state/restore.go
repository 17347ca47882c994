package state

import (
	"context"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/tidemark-io/tidemark/crashpoint"
	"github.com/tidemark-io/tidemark/lake/blob"
)

// RestoreOptions say how a restore fetches, and who is told of it.
type RestoreOptions struct {
	// Parallel is how many files are fetched at once. 16.
	Parallel int
	// FlightBytes bounds the memory of what is being fetched: 64 MiB.
	FlightBytes int64
	// Progress is told of the bytes that are on the disk, and of those there
	// will be: when it begins, and after each piece. Calls don't overlap, and
	// done never falls.
	Progress func(done, total int64)
}

// EnsureDefaults sets what is zero to its default.
func (o *RestoreOptions) EnsureDefaults() {
	if o.Parallel == 0 {
		o.Parallel = 16
	}
	if o.FlightBytes == 0 {
		o.FlightBytes = 64 << 20
	}
	if o.Progress == nil {
		o.Progress = func(int64, int64) {}
	}
}

// Validate reports every fault at once.
func (o *RestoreOptions) Validate() error {
	var errs []error
	if o.Parallel < 1 {
		errs = append(errs, fmt.Errorf("%d files at once: at least 1", o.Parallel))
	}
	if o.FlightBytes < 1 {
		errs = append(errs, fmt.Errorf("%d bytes in flight: at least 1", o.FlightBytes))
	}
	return join(errs...)
}

// Restore is RestoreWith with the default options.
func Restore(ctx context.Context, b blob.Bucket, prefix string, m *Manifest, dir string, sh *Shared) error {
	return RestoreWith(ctx, b, prefix, m, dir, sh, RestoreOptions{})
}

// RestoreWith makes the store in dir from the checkpoint m, which LoadManifest
// read under prefix. The directory must be absent, or empty, or have a store
// without a cut; else ErrNotEmpty.
//
// Files are fetched, several at once, into a directory beside it, checked
// against both sums, synced, opened once to see that they hold the manifest's
// cut, and renamed into place: after a crash there is a whole store or none.
// *CorruptError says that the checkpoint can't be restored from, and which of
// its files is wrong: try the next one.
func RestoreWith(ctx context.Context, b blob.Bucket, prefix string, m *Manifest, dir string, sh *Shared, o RestoreOptions) error {
	err := sh.vacate(dir)
	if err == nil {
		err = sh.restore(ctx, archive{b: b, prefix: prefix, doubts: sh.doubts}, m, dir, o, func() error { return nil })
	}
	if err != nil {
		return fmt.Errorf("restore %s into %s: %w", manifestName(&m.Cut), dir, err)
	}
	return nil
}

// Replace is RestoreWith over a closed store that is there: when the restored
// one is whole, the other is set aside, for the reason given, and its new name
// returned; "" if there was none.
func Replace(ctx context.Context, b blob.Bucket, prefix string, m *Manifest, dir, reason string, sh *Shared, o RestoreOptions) (aside string, err error) {
	err = sh.restore(ctx, archive{b: b, prefix: prefix, doubts: sh.doubts}, m, dir, o, func() (err error) {
		if _, err := sh.opts.FS.Stat(dir); isNotExist(err) {
			return nil
		}
		aside, err = sh.setAside(dir, reason)
		return err
	})
	if err != nil {
		return aside, fmt.Errorf("restore %s into %s: %w", manifestName(&m.Cut), dir, err)
	}
	return aside, nil
}

// restore calls clear when everything is fetched and good.
func (sh *Shared) restore(ctx context.Context, a archive, m *Manifest, dir string, o RestoreOptions, clear func() error) (err error) {
	o.EnsureDefaults()
	if err := o.Validate(); err != nil {
		return err
	}
	key := a.manifestKey(manifestName(&m.Cut))
	if err := m.Validate(); err != nil {
		return &CorruptError{Path: key, What: "checkpoint manifest", Err: err}
	}
	fs := sh.opts.FS
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
	if err := newFetch(a, m, o).into(ctx, fs, scratch); err != nil {
		return err
	}
	if err := sh.holds(scratch, m, key); err != nil {
		return err
	}
	if err := clear(); err != nil {
		return err
	}
	return settle(fs, scratch, dir)
}

// holds checks that the restored files are the state that the manifest says.
func (sh *Shared) holds(scratch string, m *Manifest, key string) (err error) {
	defer func() {
		if corrupt := (*CorruptError)(nil); errors.As(err, &corrupt) {
			sh.doubts.add(key)
		}
	}()
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
	crashpoint.Hit("restore/fetched")
	if err := fs.Rename(scratch, dir); err != nil {
		return fmt.Errorf("put the restored state into place: %w", err)
	}
	crashpoint.Hit("restore/renamed")
	return syncDir(fs, fs.PathDir(dir))
}
