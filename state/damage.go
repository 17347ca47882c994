package state

import (
	"errors"
	"io"
	iofs "io/fs"
	"syscall"

	"github.com/cockroachdb/errors/oserror"
	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/record"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// isNotExist also knows the file systems that tests use.
func isNotExist(err error) bool { return oserror.IsNotExist(err) }

// damaged tells bytes that are wrong from a file system that did not answer,
// among the errors of opening a database that exists. Pebble marks only part
// of the former (a table of the wrong size is a plain error), so this names
// the latter: an error number of the operating system. A missing file is
// damage, since the database named it.
func damaged(err error) bool {
	if isNotExist(err) || pebble.IsCorruptionError(err) || errors.Is(err, io.ErrUnexpectedEOF) {
		return true
	}
	var number syscall.Errno
	var path *iofs.PathError
	return !errors.As(err, &number) && !errors.As(err, &path)
}

// beginning reads the first record of a MANIFEST, which says which tables
// there were when it was made. Pebble takes a bad record for the end of the
// file, where a crash may well leave one; were it the first, all tables would
// be forgotten and the store be new. A crash can't leave that one: the MANIFEST
// is synced before its marker.
func beginning(fs vfs.FS, manifest string) (err error) {
	f, err := fs.Open(manifest)
	if isNotExist(err) {
		return &CorruptError{Path: manifest, What: "the MANIFEST is missing", Err: err}
	}
	if err != nil {
		return wrap(manifest, "open the MANIFEST", err)
	}
	defer func() { err = join(err, f.Close()) }()
	first, err := record.NewReader(f, 0).Next()
	if err == nil {
		_, err = io.Copy(io.Discard, first)
	}
	if err == nil {
		return nil
	}
	if err == io.EOF || record.IsInvalidRecord(err) || damaged(err) {
		return &CorruptError{Path: manifest, What: "the MANIFEST's first record", Err: err}
	}
	return wrap(manifest, "read the MANIFEST", err)
}

// hidden reports whether a database in which no key was found has tables. The
// second record of a MANIFEST says up to which sequence number keys are to be
// seen; without it they are all in the future.
func hidden(db *pebble.DB) bool { return db.Metrics().Total().TablesCount > 0 }
