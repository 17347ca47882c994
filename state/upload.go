package state

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs"
	"golang.org/x/sync/errgroup"

	"github.com/tidemark-io/tidemark/crashpoint"
)

// job brings one copy of a store, in a directory, into the bucket.
type job struct {
	archive
	fs   vfs.FS
	dir  string
	sums fileSums // of files whose name means the same content as before
	o    CheckpointOptions
	log  *slog.Logger

	readTo string // the last table that was read back

	stats *CheckpointStats

	mu sync.Mutex // stats, while files are uploaded
}

// upload puts every table that no kept checkpoint shares, and every other file, several at once, and
// returns what the manifest says of all of them. Those in danger are put under
// a new name in any case.
func (j *job) upload(ctx context.Context, names []string, before *inventory) ([]File, error) {
	id, err := newUpload()
	if err != nil {
		return nil, err
	}
	room := newAllowance(j.o.FlightBytes)
	files := make([]File, len(names))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(j.o.Parallel)
	for i, name := range names {
		g.Go(func() error {
			f, err := j.uploadFile(gctx, name, id, before, room)
			if err != nil {
				return fmt.Errorf("upload %s: %w", name, err)
			}
			files[i] = f
			return nil
		})
	}
	return files, g.Wait()
}

// uploadFile returns what the manifest says of one file. A table whose sums
// are known and that the bucket has isn't even read.
func (j *job) uploadFile(ctx context.Context, name, id string, before *inventory, room *allowance) (File, error) {
	path := j.fs.PathJoin(j.dir, name)
	info, err := j.fs.Stat(path)
	if err != nil {
		return File{}, err
	}
	if f, ok := j.sums.look(name, info.Size()); ok && before.share(&f) {
		return f, nil
	}
	release, err := room.take(ctx, info.Size())
	if err != nil {
		return File{}, err
	}
	defer release()
	data, err := readFile(j.fs, path)
	if err != nil {
		return File{}, err
	}
	sum := newSum()
	if _, err := sum.Write(data); err != nil {
		return File{}, err
	}
	f := sum.file(name)
	if err := j.again(path, &f); err != nil {
		return f, err
	}
	if before.share(&f) {
		return f, nil
	}
	f.Upload = id
	crashpoint.Hit("checkpoint/upload")
	// Put and not PutIfAbsent: two files of one content are one object.
	if err := j.b.Put(ctx, j.fileKey(f.Object()), data); err != nil {
		return f, err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.stats.FilesUploaded++
	j.stats.BytesUploaded += f.Size
	return f, nil
}

// newUpload returns a name for the uploads of one checkpoint. Chance makes it
// new: what numbers the attempts of a process that may have lost its disk?
func newUpload() (string, error) {
	var id [uploadBytes]byte
	if _, err := rand.Read(id[:]); err != nil {
		return "", fmt.Errorf("make a name: %w", err)
	}
	return hex.EncodeToString(id[:]), nil
}

// confirmMax is how often the files of a published manifest are put again.
// Each time costs another owner of the task a whole checkpoint.
const confirmMax = 5

var errContended = errors.New("another process collects what this one uploads, again and again: does one pipeline run twice under two names?")

// confirm sees to it that what a manifest of ours names is there to stay: it
// reads all manifests after ours is published, and puts again, under new
// names, what one of them has condemned meanwhile. It returns the manifest in
// force, and what was read last. Another's manifest of this cut is his to
// confirm, and was found good after it was published.
func (j *job) confirm(ctx context.Context, m *Manifest, mine bool) (*Manifest, *inventory, error) {
	for range confirmMax {
		now, err := j.survey(ctx, &m.Cut, j.o.Keep)
		if err != nil {
			return nil, nil, err
		}
		lost := now.endangered(m.Files)
		if len(lost) == 0 || !mine {
			return m, now, nil
		}
		if m, err = j.renew(ctx, m, lost); err != nil {
			return nil, nil, err
		}
	}
	return nil, nil, errContended
}

// renew puts the lost files again and the manifest over itself.
func (j *job) renew(ctx context.Context, m *Manifest, lost map[string]bool) (*Manifest, error) {
	var names []string
	for name := range lost {
		names = append(names, name)
	}
	again, err := j.upload(ctx, names, new(inventory))
	if err != nil {
		return nil, fmt.Errorf("upload again: %w", err)
	}
	renewed := *m
	renewed.Files = append([]File{}, m.Files...)
	for i := range renewed.Files {
		for _, f := range again {
			if renewed.Files[i].Name != f.Name {
				continue
			}
			if f.SHA256 != renewed.Files[i].SHA256 {
				return nil, fmt.Errorf("upload again: %s has changed", f.Name)
			}
			renewed.Files[i] = f
		}
	}
	return &renewed, j.replace(ctx, &renewed)
}
