package blob

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// tempDir holds files being written. Keys cannot begin with a dot.
const tempDir = ".tmp"

// durableMax bounds the memory of known directories: beyond it, it starts
// anew, at the price of syncing some again.
const durableMax = 100_000

// Put implements Bucket: the new object takes the old one's name at once.
func (d *Dir) Put(ctx context.Context, key string, pieces ...[]byte) error {
	if err := d.put(ctx, key, pieces, d.fs.Rename); err != nil {
		return fmt.Errorf("put %s: %w", key, err)
	}
	return nil
}

// PutIfAbsent implements Bucket. A hard link, unlike a rename, fails when the
// name is taken, and unlike an exclusive create it shows a file only when the
// bytes are there.
func (d *Dir) PutIfAbsent(ctx context.Context, key string, pieces ...[]byte) error {
	if err := d.put(ctx, key, pieces, d.link); err != nil {
		return fmt.Errorf("put %s if absent: %w", key, err)
	}
	return nil
}

// put writes a temporary file, syncs it, gives it its name and syncs the
// directory of that name. Only then is the object confirmed.
func (d *Dir) put(ctx context.Context, key string, pieces [][]byte, publish func(temp, key string) error) error {
	if err := begin(ctx, key); err != nil {
		return err
	}
	if err := d.prepare(path.Dir(key)); err != nil {
		return err
	}
	temp := tempDir + "/" + d.tempName()
	if err := d.write(temp, pieces); err != nil {
		d.forget()
		return errors.Join(err, d.removeTemp(temp))
	}
	if err := publish(temp, key); err != nil {
		if !errors.Is(err, ErrExists) {
			d.forget()
		}
		return errors.Join(err, d.removeTemp(temp))
	}
	if err := d.fs.SyncDir(path.Dir(key)); err != nil {
		return fmt.Errorf("sync directory: %w", err)
	}
	return nil
}

// link names the temporary file and removes its first name. When another put
// has won, that one may not have synced the directory yet, and the caller will
// build on the object being there: so it is synced here as well.
func (d *Dir) link(temp, key string) error {
	err := d.fs.Link(temp, key)
	if err == nil {
		return d.removeTemp(temp)
	}
	if !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("link: %w", err)
	}
	info, err := d.root.Lstat(key)
	if err != nil {
		return fmt.Errorf("look at what took the name: %w", err)
	}
	if !info.Mode().IsRegular() {
		return errors.New("the name is taken by something that is no object (a directory, a link)")
	}
	if err := d.fs.SyncDir(path.Dir(key)); err != nil {
		return fmt.Errorf("sync directory of the one that exists: %w", err)
	}
	return ErrExists
}

func (d *Dir) write(temp string, pieces [][]byte) error {
	f, err := d.fs.Create(temp)
	if err != nil {
		return fmt.Errorf("create temporary file: %w", err)
	}
	for _, p := range pieces {
		if _, err := f.Write(p); err != nil {
			return errors.Join(fmt.Errorf("write: %w", err), f.Close())
		}
	}
	if err := f.Sync(); err != nil {
		return errors.Join(fmt.Errorf("sync: %w", err), f.Close())
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("close: %w", err)
	}
	return nil
}

func (d *Dir) removeTemp(temp string) error {
	if err := d.fs.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove temporary file: %w", err)
	}
	return nil
}

// prepare makes dir and its parents exist, durably, and sweeps once.
func (d *Dir) prepare(dir string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.ensure(tempDir); err != nil {
		return err
	}
	if !d.swept {
		if err := d.sweep(); err != nil {
			return fmt.Errorf("remove leftovers of crashed puts: %w", err)
		}
		d.swept = true
	}
	return d.ensure(dir)
}

// ensure creates what is missing of dir, parents first, and syncs each name
// into its parent before anything is put below it.
func (d *Dir) ensure(dir string) error {
	if dir == "." || d.durable[dir] {
		return nil
	}
	parent := path.Dir(dir)
	if err := d.ensure(parent); err != nil {
		return err
	}
	if err := d.fs.Mkdir(dir); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("create directory: %w", err)
	}
	if !strings.HasPrefix(dir, tempDir) { // what is temporary need not last
		if err := d.fs.SyncDir(parent); err != nil {
			return fmt.Errorf("sync parent of new directory: %w", err)
		}
	}
	if len(d.durable) >= durableMax {
		clear(d.durable)
	}
	d.durable[dir] = true
	return nil
}

// forget makes the next put look at the directories again: this one may have
// failed because somebody removed one.
func (d *Dir) forget() {
	d.mu.Lock()
	defer d.mu.Unlock()
	clear(d.durable)
}
