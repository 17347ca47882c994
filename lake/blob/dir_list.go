package blob

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
)

// List implements Bucket. It holds one directory's names at a time for each
// level, and visits only directories that can hold the prefix.
func (d *Dir) List(ctx context.Context, prefix string, fn func(Object) error) error {
	if err := validatePrefix(prefix); err != nil {
		return err
	}
	start := "."
	if i := strings.LastIndexByte(prefix, '/'); i >= 0 {
		start = prefix[:i]
	}
	w := walk{dir: d, prefix: prefix, fn: fn}
	return w.visit(ctx, start)
}

type walk struct {
	dir    *Dir
	prefix string
	fn     func(Object) error
}

func (w *walk) visit(ctx context.Context, dir string) error {
	entries, err := w.dir.readDir(dir)
	if err != nil {
		return fmt.Errorf("list %q: %w", w.prefix, err)
	}
	// A directory sorts by its name with the slash, as the keys below it do:
	// "a-b" comes before "a/b".
	slices.SortFunc(entries, func(a, b os.DirEntry) int { return strings.Compare(sortName(a), sortName(b)) })
	for _, e := range entries {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("list %q: %w", w.prefix, err)
		}
		if err := w.entry(ctx, dir, e); err != nil {
			return err
		}
	}
	return nil
}

func (w *walk) entry(ctx context.Context, dir string, e os.DirEntry) error {
	key := e.Name()
	if dir != "." {
		key = dir + "/" + key
	}
	if ValidateKey(key) != nil {
		return nil // temporary files, and what is not ours
	}
	if e.IsDir() {
		if below := key + "/"; strings.HasPrefix(below, w.prefix) || strings.HasPrefix(w.prefix, below) {
			return w.visit(ctx, key)
		}
		return nil
	}
	if !e.Type().IsRegular() || !strings.HasPrefix(key, w.prefix) {
		return nil
	}
	info, err := e.Info()
	if errors.Is(err, fs.ErrNotExist) {
		return nil // deleted meanwhile
	}
	if err != nil {
		return fmt.Errorf("list %q: %w", w.prefix, err)
	}
	return w.fn(Object{Key: key, Size: info.Size()})
}

func sortName(e os.DirEntry) string {
	if e.IsDir() {
		return e.Name() + "/"
	}
	return e.Name()
}
