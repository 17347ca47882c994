package state

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/tidemark-io/tidemark/lake/blob"
)

// Kinds of faults. They are stable: tests and scripts may compare them.
const (
	FaultOpen       = "open"        // the database does not open
	FaultTable      = "table"       // a table's block fails its checksum
	FaultUnreadable = "unreadable"  // keys can't be read to the end
	FaultSchema     = "schema"      // no schema version, or a bad one
	FaultCut        = "cut"         // no cut, or a bad one
	FaultUnbalanced = "unbalanced"  // the cut's counters do not balance (law L3)
	FaultKey        = "key"         // a key of no known kind or of a wrong length
	FaultManifest   = "manifest"    // a checkpoint's manifest
	FaultFile       = "file"        // a checkpoint's file is missing or altered
	FaultVersion    = "newer"       // written by a newer release
	FaultContents   = "other-state" // a checkpoint's files are not what its manifest says
)

// Fault is one thing that is wrong.
type Fault struct {
	Kind  string // one of the constants above
	Where string // directory, file, object, or key in hex
	What  string // in words
}

// String returns the fault as one line.
func (f Fault) String() string { return f.Kind + ": " + f.Where + ": " + f.What }

// Check reads everything in the closed store in dir and calls fn for every
// fault, as it is found. An error means that the check could not be made: the
// store is not there, or in use (ErrLocked), or the disk did not answer. Check
// changes nothing. Tests and `tidemark state check` use this one.
func Check(dir string, sh *Shared, fn func(Fault)) error {
	fs := newFailStop(sh.opts.FS, sh.opts.Log)
	if _, err := fs.Stat(dir); err != nil {
		return fmt.Errorf("check state: %w", err)
	}
	db, err := sh.openDatabase(dir, fs, true)
	if err != nil {
		var corrupt *CorruptError
		if !errors.As(err, &corrupt) {
			return fmt.Errorf("check state: %w", err)
		}
		fn(Fault{Kind: FaultOpen, Where: dir, What: plain(err)})
		return nil
	}
	c := checker{dir: dir, fs: fs, db: db, fn: fn, kinds: Kinds()}
	err = c.tables()
	if err == nil {
		err = c.keys()
	}
	if err == nil {
		c.meta()
	}
	if err = join(err, db.Close()); err != nil {
		return fmt.Errorf("check state %s: %w", dir, err)
	}
	return nil
}

type checker struct {
	dir   string
	fs    vfs.FS
	db    *pebble.DB
	fn    func(Fault)
	kinds []Kind
	count int64
}

// tables verifies the checksum of every block of every table in use. Tables
// that a crash left unfinished are not in use and not read.
func (c *checker) tables() error {
	levels, err := c.db.SSTables()
	if err != nil {
		return err
	}
	for _, level := range levels {
		for _, t := range level {
			path := c.fs.PathJoin(c.dir, fmt.Sprintf("%06d.sst", uint64(t.BackingSSTNum)))
			if err := verifyTable(c.fs, path); err != nil {
				if !damaged(err) {
					return err
				}
				c.fn(Fault{Kind: FaultTable, Where: path, What: plain(err)})
			}
		}
	}
	return nil
}

func verifyTable(fs vfs.FS, path string) error {
	f, err := fs.Open(path)
	if err != nil {
		return err
	}
	readable, err := sstable.NewSimpleReadable(f)
	if err != nil {
		return join(err, f.Close())
	}
	r, err := sstable.NewReader(context.Background(), readable, sstable.ReaderOptions{})
	if err != nil {
		return join(err, readable.Close())
	}
	return join(r.ValidateBlockChecksums(), r.Close())
}

// keys reads every key and value.
func (c *checker) keys() error {
	faulty, err := scan(c.db, nil, nil, func(k, _ []byte) error {
		c.count++
		if _, err := kindOf(c.kinds, k); err != nil {
			c.fn(Fault{Kind: FaultKey, Where: fmt.Sprintf("%x", k), What: plain(err)})
		}
		return nil
	})
	if faulty && damaged(err) {
		c.fn(Fault{Kind: FaultUnreadable, Where: c.dir, What: fmt.Sprintf("after %d keys: %s", c.count, plain(err))})
		return nil
	}
	return err
}

// meta checks the store's own two keys; a store without any key is new.
func (c *checker) meta() {
	if c.count == 0 {
		if hidden(c.db) {
			c.fn(Fault{Kind: FaultUnreadable, Where: c.dir, What: "tables, but no key in them can be seen"})
		}
		return
	}
	version, ok, err := get(c.db, keySchema, nil)
	switch {
	case err != nil:
		c.fn(Fault{Kind: FaultUnreadable, Where: c.dir, What: "schema version: " + plain(err)})
	case !ok:
		c.fn(Fault{Kind: FaultSchema, Where: c.dir, What: "no schema version"})
	default:
		c.fault(FaultSchema, decodeSchema(version))
	}
	data, ok, err := get(c.db, keyCut, nil)
	switch {
	case err != nil:
		c.fn(Fault{Kind: FaultUnreadable, Where: c.dir, What: "cut: " + plain(err)})
	case !ok:
		c.fn(Fault{Kind: FaultCut, Where: c.dir, What: "state without a cut"})
	default:
		cut, err := decodeCut(data)
		if cut == nil {
			c.fault(FaultCut, err)
			return
		}
		for _, err := range cut.faults() {
			c.fault(FaultCut, err)
		}
	}
}

// fault reports err, if there is one, under the kind that its mark says.
func (c *checker) fault(kind string, err error) {
	switch {
	case err == nil:
		return
	case errors.Is(err, errUnbalanced):
		kind = FaultUnbalanced
	case errors.Is(err, ErrNewerVersion):
		kind = FaultVersion
	}
	c.fn(Fault{Kind: kind, Where: c.dir, What: plain(err)})
}

// CheckManifest fetches everything that the checkpoint under key names and
// calls fn for every fault. When all files are good it restores them into the
// directory scratch, which must not exist and is removed again, and checks
// the store in it.
func CheckManifest(ctx context.Context, b blob.Bucket, prefix, key, scratch string, sh *Shared, fn func(Fault)) error {
	m, err := loadToCheck(ctx, b, key, fn)
	if err != nil || m == nil {
		return err
	}
	good, err := checkFiles(ctx, archive{b: b, prefix: prefix}, m, fn)
	if err != nil || !good {
		return err
	}
	err = Restore(ctx, b, prefix, m, scratch, sh)
	var corrupt *CorruptError
	if errors.As(err, &corrupt) {
		fn(Fault{Kind: FaultContents, Where: key, What: plain(err)})
		return nil
	}
	if err != nil {
		return err
	}
	return join(Check(scratch, sh, fn), sh.opts.FS.RemoveAll(scratch))
}

// checkFiles fetches all files of a checkpoint, several at once, and calls fn
// for those that are wrong, in the order of their names.
func checkFiles(ctx context.Context, a archive, m *Manifest, fn func(Fault)) (good bool, err error) {
	var o RestoreOptions
	o.EnsureDefaults()
	x := newFetch(a, m, o)
	var mu sync.Mutex
	found := map[string]*CorruptError{}
	err = x.each(ctx, func(ctx context.Context, f *File) error {
		err := x.read(ctx, f, func([]byte) error { return nil })
		var corrupt *CorruptError
		if !errors.As(err, &corrupt) {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		found[f.Name] = corrupt
		return nil
	})
	for _, name := range sortedKeys(found) {
		fn(Fault{Kind: FaultFile, Where: found[name].Path, What: found[name].What})
	}
	return len(found) == 0, err
}
