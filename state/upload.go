package state

import (
	"context"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"
)

// upload puts every file of the copy that no kept checkpoint shares, and
// returns what the manifest says of all of them.
func (s *Store) upload(ctx context.Context, a archive, dir string, before *inventory, parallel int,
	stats *CheckpointStats,
) ([]File, error) {
	names, err := s.copied(dir)
	if err != nil {
		return nil, err
	}
	files := make([]File, len(names))
	var mu sync.Mutex
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	for i, name := range names {
		g.Go(func() error {
			f, put, err := s.uploadFile(ctx, a, dir, name, before)
			if err != nil {
				return fmt.Errorf("upload %s: %w", name, err)
			}
			files[i] = f
			if put {
				mu.Lock()
				defer mu.Unlock()
				stats.FilesUploaded++
				stats.BytesUploaded += f.Size
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	s.sums.renew(files)
	return files, nil
}

// uploadFile returns what the manifest says of one file, and whether it was
// put. A table whose sums are known and that the bucket has isn't even read.
func (s *Store) uploadFile(ctx context.Context, a archive, dir, name string, before *inventory) (File, bool, error) {
	fs := s.sh.opts.FS
	path := fs.PathJoin(dir, name)
	info, err := fs.Stat(path)
	if err != nil {
		return File{}, false, err
	}
	if f, ok := s.sums.look(name, info.Size()); ok && before.shares(f) {
		return f, false, nil
	}
	data, err := readFile(fs, path)
	if err != nil {
		return File{}, false, err
	}
	sum := newSum()
	if _, err := sum.Write(data); err != nil {
		return File{}, false, err
	}
	f := sum.file(name)
	if before.shares(f) {
		return f, false, nil
	}
	// Put and not PutIfAbsent: the content is in the name, so replacing an
	// object can only repair it.
	return f, true, a.b.Put(ctx, a.fileKey(f.SHA256), data)
}

// uploadMissing puts again what someone has collected between the upload and
// the manifest: only a process that was paused for two checkpoints of its
// successor meets that. From here on the manifest protects its files.
func (s *Store) uploadMissing(ctx context.Context, a archive, dir string, files []File) error {
	contents, err := a.contents(ctx)
	if err != nil {
		return err
	}
	for _, f := range files {
		if stored(f, contents) {
			continue
		}
		if _, _, err := s.uploadFile(ctx, a, dir, f.Name, &inventory{}); err != nil {
			return fmt.Errorf("upload %s again: %w", f.Name, err)
		}
	}
	return nil
}
