package state

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

const (
	// asideMax is how many stores that were set aside stay beside one. They are
	// evidence for a person, who may delete them at any time.
	asideMax = 3
	// reasonFile says in a store that was set aside why it was.
	reasonFile = "REASON.txt"
)

// SetAside renames the closed store in dir to dir.aside-N and returns that
// name. The reason is written beside the store's files. At most three stay;
// the oldest go. ErrLocked: another process has it open.
func SetAside(dir, reason string, sh *Shared) (string, error) {
	aside, err := sh.setAside(dir, reason)
	if err != nil {
		return "", fmt.Errorf("set state aside: %w", err)
	}
	return aside, nil
}

func (sh *Shared) setAside(dir, reason string) (_ string, err error) {
	fs := sh.opts.FS
	lock, err := pebble.LockDirectory(dir, newFailStop(fs, sh.opts.Log))
	if err != nil {
		return "", fmt.Errorf("%s: %w", dir, err)
	}
	defer func() { err = join(err, lock.Close()) }()

	if err := writeFile(fs, fs.PathJoin(dir, reasonFile), reason+"\n"); err != nil {
		return "", err
	}
	taken, err := asides(fs, dir)
	if err != nil {
		return "", err
	}
	n := 1
	if len(taken) > 0 {
		n = taken[len(taken)-1] + 1
	}
	aside := dir + suffixAside + strconv.Itoa(n)
	if err := fs.Rename(dir, aside); err != nil {
		return "", err
	}
	if err := syncDir(fs, fs.PathDir(dir)); err != nil {
		return "", err
	}
	for _, old := range taken[:max(0, len(taken)+1-asideMax)] {
		if err := fs.RemoveAll(dir + suffixAside + strconv.Itoa(old)); err != nil {
			return "", fmt.Errorf("remove the oldest: %w", err)
		}
	}
	return aside, nil
}

// asides lists the numbers in use, rising.
func asides(fs vfs.FS, dir string) ([]int, error) {
	names, err := fs.List(fs.PathDir(dir))
	if err != nil {
		return nil, err
	}
	var list []int
	for _, name := range names {
		suffix, ok := strings.CutPrefix(name, fs.PathBase(dir)+suffixAside)
		if !ok {
			continue
		}
		if n, err := strconv.Atoi(suffix); err == nil && n > 0 {
			list = append(list, n)
		}
	}
	slices.SortFunc(list, cmp.Compare)
	return list, nil
}

// writeFile writes a small file and syncs it.
func writeFile(fs vfs.FS, path, text string) error {
	f, err := fs.Create(path, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	_, err = f.Write([]byte(text))
	if err == nil {
		err = f.Sync()
	}
	return join(err, f.Close())
}
