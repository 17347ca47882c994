package state

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
)

// Bounds of what each checkpoint reads back of the tables that it shares with
// those before it. A state of 16 tables, or 16 MiB, is read once in four
// checkpoints, so that damage in the bucket does not reach all of five that
// are kept; of a larger one it takes as many more.
const (
	readBackBytes  = 4 << 20 // or one table, whatever its size
	readBackTables = 4
)

// readBack reads some of the tables that are about to be shared, in turn, and
// checks their sums. One that is damaged, or does not come, is in doubt and is
// put anew, from the disk: nobody else would notice before a restore, and by
// then every checkpoint may name it.
func (j *job) readBack(ctx context.Context, names []string, before *inventory) error {
	chosen := j.turn(names, before)
	x := newFetch(j.archive, &Manifest{Files: chosen}, RestoreOptions{
		Parallel: j.o.Parallel, FlightBytes: j.o.FlightBytes, Progress: func(int64, int64) {}})
	var mu sync.Mutex
	var found []error
	err := x.each(ctx, func(ctx context.Context, f *File) error {
		err := x.read(ctx, f, func([]byte) error { return nil })
		if err == nil || ctx.Err() != nil {
			return ctx.Err()
		}
		j.doubts.add(j.fileKey(f.Object()))
		mu.Lock()
		defer mu.Unlock()
		found = append(found, err)
		return nil
	})
	for _, err := range found {
		j.log.Warn("a checkpoint's table is put anew", "err", err)
	}
	if len(found) > 0 {
		before.sort()
	}
	return err
}

// turn chooses the tables that come after those of the last turn.
func (j *job) turn(names []string, before *inventory) (chosen []File) {
	at, _ := slices.BinarySearch(names, j.readTo+"\x00")
	bytes := int64(0)
	for i := range names {
		name := names[(at+i)%len(names)]
		f, known := j.sums[name]
		if !known || !before.share(&f) || f.Size == 0 {
			continue
		}
		if bytes += f.Size; len(chosen) > 0 && bytes > readBackBytes || len(chosen) == readBackTables {
			break
		}
		chosen, j.readTo = append(chosen, f), name
	}
	return chosen
}

// again checks a table that is to be put anew against what it was when it was
// first put: its own disk may be what is damaged.
func (j *job) again(path string, f *File) error {
	was, known := j.sums.look(f.Name, f.Size)
	if known && was.SHA256 != f.SHA256 {
		return &CorruptError{Path: path, What: fmt.Sprintf("sha256 %s; it was %s", f.SHA256, was.SHA256), Err: errors.New("a table never changes")}
	}
	return nil
}
