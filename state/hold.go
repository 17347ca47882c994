package state

import (
	"fmt"
	"io"

	"github.com/cockroachdb/pebble/v2"
)

// Hold marks dir, which it makes if need be, as in use by this process until the result is closed or the process ends.
// ErrLocked: another process holds it. It is for the directory above a process's stores, so that a second process of the
// same name notices before it does anything else.
func Hold(dir string, sh *Shared) (io.Closer, error) {
	fs := newFailStop(sh.opts.FS, sh.opts.Log)
	if err := fs.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("hold %s: %w", dir, err)
	}
	lock, err := pebble.LockDirectory(dir, fs)
	if err != nil {
		return nil, fmt.Errorf("hold %s: %w", dir, err)
	}
	return lock, nil
}
