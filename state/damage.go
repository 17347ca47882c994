package state

import (
	"errors"
	"io"
	"io/fs"
	"syscall"

	"github.com/cockroachdb/pebble/v2"
)

func isNotExist(err error) bool { return errors.Is(err, fs.ErrNotExist) }

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
	var path *fs.PathError
	return !errors.As(err, &number) && !errors.As(err, &path)
}

// hidden reports whether a database in which no key was found has tables. The
// second record of a MANIFEST says up to which sequence number keys are to be
// seen; without it they are all in the future.
func hidden(db *pebble.DB) bool { return db.Metrics().Total().TablesCount > 0 }
