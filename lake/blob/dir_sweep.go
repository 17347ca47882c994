package blob

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"time"
)

// leftoverAge is how old a temporary file must be to be taken for what a crash
// left. A put holds one for as long as it takes to write bytes that are
// already in memory.
const leftoverAge = time.Hour

// sweep removes what crashed puts left in the temporary directory. Age is told
// by the file system's own clock (the time it gives a file made now), so that
// neither this process's clock nor a remote server's can make a live file of
// another process look old.
func (d *Dir) sweep() error {
	entries, err := d.readDir(tempDir)
	if err != nil || len(entries) == 0 {
		return err
	}
	now, err := d.fileSystemTime()
	if err != nil {
		return err
	}
	for _, e := range entries {
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // another process finished its put, or swept
		}
		if err != nil {
			return err
		}
		if now.Sub(info.ModTime()) < leftoverAge {
			continue
		}
		if err := d.removeTemp(path.Join(tempDir, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

func (d *Dir) fileSystemTime() (time.Time, error) {
	probe := path.Join(tempDir, d.tempName())
	f, err := d.fs.Create(probe)
	if err != nil {
		return time.Time{}, err
	}
	if err := f.Close(); err != nil {
		return time.Time{}, err
	}
	info, err := d.root.Lstat(probe)
	if err != nil {
		return time.Time{}, err
	}
	return info.ModTime(), d.removeTemp(probe)
}

// readDir lists a directory of the bucket; what is none, or missing, is empty.
func (d *Dir) readDir(dir string) ([]os.DirEntry, error) {
	info, err := d.root.Lstat(dir)
	if absent(err) || err == nil && !info.IsDir() {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	f, err := d.root.Open(dir)
	if absent(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	entries, err := f.ReadDir(-1)
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	return entries, nil
}
