package state

import (
	"errors"
	"fmt"
	"strings"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// Names beside a store's directory; FORMAT.md.
const (
	suffixCheckpoint = ".checkpoint" // the hard links of a checkpoint that is being uploaded
	suffixRestore    = ".restore"    // a store that is being restored
	suffixAside      = ".aside-"     // a store that was set aside, and its number
)

// Open opens the store in dir, or makes one; Cut tells which it was. Errors:
// *CorruptError (set it aside and restore), ErrLocked (another process has
// it), ErrNewerVersion (a newer release wrote it), or what the file system
// said.
func Open(dir string, sh *Shared) (*Store, error) {
	fs := newFailStop(sh.opts.FS, sh.opts.Log)
	db, err := sh.openDatabase(dir, fs, false)
	if err != nil {
		return nil, fmt.Errorf("open state: %w", err)
	}
	s := &Store{dir: dir, sh: sh, fs: fs, db: db, sums: fileSums{}}
	if s.cut, err = readCut(db, dir); err == nil {
		err = s.sweep()
	}
	if err == nil {
		err = sh.remember(s)
	}
	if err != nil {
		fs.leave()
		return nil, fmt.Errorf("open state: %w", join(err, db.Close()))
	}
	return s, nil
}

// openDatabase opens the database in dir. Read only, it must exist.
func (sh *Shared) openDatabase(dir string, fs *failStop, readOnly bool) (*pebble.DB, error) {
	exists, err := survey(dir, fs)
	if err != nil {
		return nil, err
	}
	o := sh.pebbleOptions(fs)
	o.ReadOnly, fs.readOnly = readOnly, readOnly
	db, err := pebble.Open(dir, o)
	if err == nil && fs.err() == nil {
		return db, nil
	}
	if err == nil {
		fs.leave()
		return nil, wrap(dir, "open the database", join(fs.err(), db.Close()))
	}
	switch {
	case errors.Is(err, ErrLocked):
		return nil, fmt.Errorf("%s: %w", dir, err)
	case exists && damaged(err):
		return nil, &CorruptError{Path: dir, What: "the database does not open", Err: err}
	}
	return nil, wrap(dir, "open the database", err)
}

// survey reports whether dir has a database. Tables without the marker that
// names their MANIFEST are a damaged one: Pebble would make a new database
// over them, which is to lose state silently.
func survey(dir string, fs vfs.FS) (exists bool, err error) {
	names, err := fs.List(dir)
	if isNotExist(err) {
		return false, nil
	}
	if err != nil {
		return false, wrap(dir, "list", err)
	}
	desc, err := pebble.Peek(dir, fs)
	if err != nil {
		if damaged(err) {
			return true, &CorruptError{Path: dir, What: "the database's markers cannot be read", Err: err}
		}
		return false, wrap(dir, "look for a database", err)
	}
	if desc.Exists {
		return true, nil
	}
	for _, name := range names {
		if strings.HasSuffix(name, ".sst") {
			return true, &CorruptError{Path: dir, What: "tables, but no marker that names the MANIFEST"}
		}
	}
	return false, nil
}

// readCut reads the schema version and the cut. A database without any key is
// new: it was made and nothing was flushed before a crash.
func readCut(db *pebble.DB, path string) (*Cut, error) {
	corrupt := func(what string, err error) error {
		if errors.Is(err, ErrNewerVersion) {
			return fmt.Errorf("%s: %w", path, err)
		}
		return &CorruptError{Path: path, What: what, Err: err}
	}
	version, ok, err := get(db, keySchema, nil)
	if err != nil {
		return nil, wrap(path, "read the schema version", err)
	}
	if !ok {
		_, err := scan(db, nil, nil, func(k, _ []byte) error {
			return corrupt(fmt.Sprintf("key %x, but no schema version", k), nil)
		})
		if err == nil && hidden(db) {
			err = corrupt("tables, but no key in them can be seen", nil)
		}
		return nil, wrap(path, "look for keys", err)
	}
	if err := decodeSchema(version); err != nil {
		return nil, corrupt("schema version", err)
	}
	data, ok, err := get(db, keyCut, nil)
	if err != nil {
		return nil, wrap(path, "read the cut", err)
	}
	if !ok {
		return nil, corrupt("state without a cut", nil)
	}
	cut, err := decodeCut(data)
	if err != nil {
		return nil, corrupt("cut", err)
	}
	return cut, nil
}

// sweep removes what a crash left beside the store. The store's lock is held.
func (s *Store) sweep() error {
	for _, suffix := range []string{suffixCheckpoint, suffixRestore} {
		if err := s.sh.opts.FS.RemoveAll(s.dir + suffix); err != nil && !isNotExist(err) {
			return fmt.Errorf("remove what a crash left: %w", err)
		}
	}
	return nil
}
