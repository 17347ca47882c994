package statetest

import (
	"errors"
	"fmt"
	"io"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/tidemark-io/tidemark/state"
)

// Files reads every file below dir: contents by path.
func Files(fs state.FS, dir string) (map[string][]byte, error) {
	all := map[string][]byte{}
	return all, walk(fs, dir, all)
}

func walk(fs state.FS, dir string, all map[string][]byte) error {
	names, err := fs.List(dir)
	if err != nil {
		return fmt.Errorf("list %s: %w", dir, err)
	}
	for _, name := range names {
		path := fs.PathJoin(dir, name)
		info, err := fs.Stat(path)
		switch {
		case err != nil:
			return err
		case info.IsDir():
			err = walk(fs, path, all)
		default:
			all[path], err = read(fs, path)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func read(fs state.FS, path string) ([]byte, error) {
	f, err := fs.Open(path)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(f)
	return data, errors.Join(err, f.Close())
}

// Write replaces a file, or makes one, and the directory that it is in. What
// it leaves is synced.
func Write(fs state.FS, path string, data []byte) error {
	dir := fs.PathDir(path)
	if err := fs.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	f, err := fs.Create(path, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	_, err = f.Write(append([]byte(nil), data...)) // which Write may alter
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	d, err := fs.OpenDir(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
