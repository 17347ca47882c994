package state

import (
	"fmt"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// makeDir makes dir and its missing parents, so that they survive a crash.
func makeDir(fs vfs.FS, dir string) error {
	var missing []string // deepest first
	for d := dir; ; d = fs.PathDir(d) {
		_, err := fs.Stat(d)
		if err == nil {
			break
		}
		if !isNotExist(err) {
			return fmt.Errorf("look for a directory: %w", err)
		}
		missing = append(missing, d)
		if fs.PathDir(d) == d {
			break
		}
	}
	if err := fs.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make a directory: %w", err)
	}
	for _, d := range missing {
		if err := syncDir(fs, fs.PathDir(d)); err != nil {
			return err
		}
	}
	return nil
}

// syncDir makes the names in dir durable.
func syncDir(fs vfs.FS, dir string) error {
	d, err := fs.OpenDir(dir)
	if err != nil {
		return fmt.Errorf("open a directory to sync it: %w", err)
	}
	if err := join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("sync directory %s: %w", dir, err)
	}
	return nil
}
