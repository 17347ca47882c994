package state

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tidemark-io/tidemark/lake/blob"
)

// CheckpointOptions say where checkpoints go and how many stay.
type CheckpointOptions struct {
	// Prefix is the task's place in the bucket:
	// checkpoints/<pipeline>/<task>, names encoded with blob.EncodeName.
	Prefix string
	// Keep is how many of the newest whole checkpoints stay: those that are
	// known to be damaged don't count. 5.
	Keep int
	// Now is the clock of Manifest.CreatedAt. Required.
	Now func() time.Time
	// Parallel is how many files are read and uploaded at once. 4.
	Parallel int
	// FlightBytes bounds the memory of those: 32 MiB. A file that is larger
	// goes alone.
	FlightBytes int64
}

// EnsureDefaults sets what is zero to its default.
func (o *CheckpointOptions) EnsureDefaults() {
	if o.Keep == 0 {
		o.Keep = 5
	}
	if o.Parallel == 0 {
		o.Parallel = 4
	}
	if o.FlightBytes == 0 {
		o.FlightBytes = 32 << 20
	}
}

// Validate reports every fault at once.
func (o *CheckpointOptions) Validate() error {
	var errs []error
	if err := blob.ValidateKey(o.Prefix); err != nil {
		errs = append(errs, fmt.Errorf("prefix: %w", err))
	}
	if o.Keep < 1 {
		errs = append(errs, fmt.Errorf("keep %d checkpoints: at least 1", o.Keep))
	}
	if o.Now == nil {
		errs = append(errs, errors.New("no clock"))
	}
	if o.Parallel < 1 {
		errs = append(errs, fmt.Errorf("%d uploads at once: at least 1", o.Parallel))
	}
	if o.FlightBytes < 1 {
		errs = append(errs, fmt.Errorf("%d bytes in flight: at least 1", o.FlightBytes))
	}
	return join(errs...)
}

// CheckpointStats say what one checkpoint did.
type CheckpointStats struct {
	Existed       bool  // the cut had a checkpoint already; it was returned
	Files         int   // that the manifest names
	Bytes         int64 // of those
	FilesUploaded int
	BytesUploaded int64
	Pruned        int // manifests deleted
	Collected     int // files deleted
	// Whole are the checkpoints that stay, newest first, of which everything is
	// there and nothing is known to be damaged; none if this one Existed.
	Whole []ManifestName
}

// Checkpoint copies the state, as of the last Apply or a later one that runs
// at the same time, into the bucket: files that are not there yet, then the
// manifest, then the old ones go. The task may go on
// meanwhile. The store must have a cut.
//
// It is safe against crashes at any point and against other processes that
// checkpoint the same task: the manifest is put if absent and named by its
// cut. After an error the next call does it all again.
func (s *Store) Checkpoint(ctx context.Context, b blob.Bucket, o CheckpointOptions) (*Manifest, CheckpointStats, error) {
	m, stats, err := s.checkpoint(ctx, b, o)
	if err != nil {
		return nil, stats, fmt.Errorf("checkpoint of %s: %w", s.dir, err)
	}
	stats.Files, stats.Bytes = len(m.Files), m.SizeBytes()
	return m, stats, nil
}

func (s *Store) checkpoint(ctx context.Context, b blob.Bucket, o CheckpointOptions) (_ *Manifest, stats CheckpointStats, err error) {
	o.EnsureDefaults()
	if err := o.Validate(); err != nil {
		return nil, stats, err
	}
	s.use.RLock()
	defer s.use.RUnlock()
	s.checkpointing.Lock()
	defer s.checkpointing.Unlock()
	if s.closed.Load() {
		return nil, stats, errClosed
	}
	least := s.lastCut()
	if least == nil {
		return nil, stats, errors.New("the store is new: it has no cut")
	}
	a := archive{b: b, prefix: o.Prefix, doubts: s.sh.doubts}
	if m, err := a.existing(ctx, least); err != nil || m != nil {
		stats.Existed = true
		return m, stats, err
	}
	dir, cut, err := s.copy(least)
	if err != nil {
		return nil, stats, err
	}
	defer func() { err = join(err, s.sh.opts.FS.RemoveAll(dir)) }()

	j := &job{archive: a, fs: s.sh.opts.FS, dir: dir, sums: s.sums, readTo: s.readTo, log: s.sh.opts.Log, o: o, stats: &stats}
	m, err := j.run(ctx, cut)
	s.readTo = j.readTo
	return m, stats, err
}

// run brings the copy into the bucket: its files, the manifest, and then what
// the manifest makes superfluous out of it. It returns the manifest in force.
func (j *job) run(ctx context.Context, cut *Cut) (*Manifest, error) {
	before, err := j.survey(ctx, cut, j.o.Keep)
	if err != nil {
		return nil, err
	}
	names, err := j.copied()
	if err != nil {
		return nil, err
	}
	if err := j.readBack(ctx, names, before); err != nil {
		return nil, fmt.Errorf("read back: %w", err)
	}
	files, err := j.upload(ctx, names, before)
	if err != nil {
		return nil, err
	}
	j.sums.renew(files)
	m := &Manifest{Version: ManifestVersion, Cut: *cut, CreatedAt: j.o.Now().UnixMilli(), Files: files, Condemned: before.condemn()}
	m.Garbage = before.garbage(files, m.Condemned)
	m, mine, err := j.publish(ctx, m)
	if err != nil {
		return nil, err
	}
	j.stats.Existed = !mine
	m, now, err := j.confirm(ctx, m, mine)
	if err != nil {
		return nil, err
	}
	if err := j.collect(ctx, m, before, now); err != nil {
		return nil, err
	}
	j.stats.Whole = now.wholeOnes()
	return m, nil
}

// copy makes a directory of hard links beside the store and returns it with
// the cut that its files hold: at least the given one. Pebble's Checkpoint
// leaves out what is not flushed, so the flush comes first. Batches that are
// applied between the two may or may not be in it, each whole; so the cut is
// read from the copy, and nothing has to stand still.
func (s *Store) copy(least *Cut) (string, *Cut, error) {
	dir := s.dir + suffixCheckpoint
	if err := s.flush(); err != nil {
		return "", nil, err
	}
	if err := s.sh.opts.FS.RemoveAll(dir); err != nil && !isNotExist(err) {
		return "", nil, fmt.Errorf("remove an earlier copy: %w", err)
	}
	if err := s.db.Checkpoint(dir); err != nil || s.fs.err() != nil {
		return "", nil, s.because("link files", err)
	}
	cut, err := s.sh.peek(dir)
	if err == nil && cut == nil {
		err = errors.New("the copy has no cut")
	}
	if err == nil {
		err = cut.follows(least)
	}
	if err != nil {
		return "", nil, join(fmt.Errorf("read the copy back: %w", err), s.sh.opts.FS.RemoveAll(dir))
	}
	return dir, cut, nil
}

// peek reads the cut of a database that nobody has open.
func (sh *Shared) peek(dir string) (*Cut, error) {
	fs := newFailStop(sh.opts.FS, sh.opts.Log)
	db, err := sh.openDatabase(dir, fs, true)
	if err != nil {
		return nil, err
	}
	cut, err := readCut(db, dir)
	return cut, join(err, fs.err(), db.Close())
}

// copied lists the files of a copy, by name. The lock is not state.
func (j *job) copied() ([]string, error) {
	names, err := j.fs.List(j.dir)
	if err != nil {
		return nil, fmt.Errorf("list the copy: %w", err)
	}
	names = slices.DeleteFunc(names, func(n string) bool { return strings.EqualFold(n, "LOCK") })
	slices.Sort(names)
	return names, nil
}
