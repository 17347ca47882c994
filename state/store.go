package state

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
)

// Store is one task's state: a Pebble database without a WAL, in which every
// batch carries the cut that it brings the state to.
//
// Get, Scan and Apply belong to the task's goroutine. Cut, SizeBytes and
// Checkpoint may be called from others at the same time. Close comes last; it
// waits for a running Checkpoint, whose context ends it sooner.
type Store struct {
	dir string
	sh  *Shared
	fs  *failStop
	db  *pebble.DB

	closed atomic.Bool
	use    sync.RWMutex // held by what other goroutines do with db, against Close

	cutMu sync.Mutex
	cut   *Cut // of the last Apply; nil when new

	value []byte // what Get returned last

	applied atomic.Uint64 // batches applied since Open
	flushed atomic.Uint64 // of those, known to be on disk

	pending  int64           // bytes applied since the last flush began; under Shared.mu
	flushing int64           // bytes in the flush that runs; under Shared.mu
	flushEnd <-chan struct{} // closed when that flush ends; under Shared.mu

	checkpointing sync.Mutex // one checkpoint at a time
	sums          fileSums   // of this open store's immutable files; under checkpointing
	readTo        string     // the last table that a checkpoint read back; under checkpointing
}

// Dir returns the store's directory.
func (s *Store) Dir() string { return s.dir }

// Cut returns the cut of the last Apply, or nil when the store is new. The
// copy is the caller's.
func (s *Store) Cut() (*Cut, error) {
	s.cutMu.Lock()
	defer s.cutMu.Unlock()
	if s.cut == nil {
		return nil, nil
	}
	data, err := s.cut.encode()
	if err != nil {
		return nil, fmt.Errorf("state %s: %w", s.dir, err)
	}
	return decodeCut(data)
}

// lastCut returns the cut that nobody may change.
func (s *Store) lastCut() *Cut {
	s.cutMu.Lock()
	defer s.cutMu.Unlock()
	return s.cut
}

// Err returns the failure (a full disk, a bad block) that stopped the store, or
// nil. A stopped store answers every call with it: close the store, and open it
// again when the disk works. What was applied since the last flush is lost
// then, as after a crash.
func (s *Store) Err() error {
	if err := s.fs.err(); err != nil {
		return wrap(s.dir, "store has stopped", err)
	}
	return nil
}

var errClosed = errors.New("store is closed")

// Get returns the value of key. It is valid until the next call of Get.
func (s *Store) Get(key []byte) (val []byte, ok bool, err error) {
	if err := s.usable(key); err != nil {
		return nil, false, fmt.Errorf("state %s: get: %w", s.dir, err)
	}
	val, ok, err = get(s.db, key, s.value[:0])
	if err != nil {
		return nil, false, s.because(fmt.Sprintf("get key %x", key), err)
	}
	s.value = val
	return val, ok, nil
}

// usable reports why the key can't be read now, or nil.
func (s *Store) usable(key []byte) error {
	if s.closed.Load() {
		return errClosed
	}
	if err := s.fs.err(); err != nil {
		return err
	}
	return checkKey(key)
}

// because returns what is behind an error of the database: the failure that
// stopped the store, if there is one, from which the rest follows.
func (s *Store) because(what string, err error) error {
	if failure := s.Err(); failure != nil {
		return failure
	}
	return wrap(s.dir, what, err)
}

// get appends the value of key to dst: Pebble's own is valid only until its
// closer is closed, and a closer left open blocks the database's.
func get(db *pebble.DB, key, dst []byte) ([]byte, bool, error) {
	v, closer, err := db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return dst, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	dst = append(dst, v...)
	return dst, true, closer.Close()
}

// Scan calls fn for each key in [lo, hi) in order; a nil lo is the first key,
// a nil hi the end. Key and value are valid during the call. An error of fn
// ends the scan and is returned as it is.
func (s *Store) Scan(lo, hi []byte, fn func(k, v []byte) error) error {
	if lo == nil {
		lo = keyFirst
	}
	if err := s.usable(lo); err != nil {
		return fmt.Errorf("state %s: scan: %w", s.dir, err)
	}
	faulty, err := scan(s.db, lo, hi, fn)
	if faulty {
		return s.because(fmt.Sprintf("scan from %x", lo), err)
	}
	return err
}

// scan reports whether the error is the database's and not fn's.
func scan(db *pebble.DB, lo, hi []byte, fn func(k, v []byte) error) (faulty bool, err error) {
	it, err := db.NewIter(&pebble.IterOptions{LowerBound: lo, UpperBound: hi})
	if err != nil {
		return true, err
	}
	for ok := it.First(); ok; ok = it.Next() {
		v, err := it.ValueAndErr()
		if err != nil {
			return true, join(err, it.Close())
		}
		if err := fn(it.Key(), v); err != nil {
			return false, join(err, it.Close())
		}
	}
	err = join(it.Error(), it.Close())
	return err != nil, err
}

// SizeBytes returns the disk space that the store uses, of tables that are no
// longer needed too until they are deleted.
func (s *Store) SizeBytes() int64 {
	s.use.RLock()
	defer s.use.RUnlock()
	if s.closed.Load() {
		return 0
	}
	return int64(s.db.Metrics().DiskSpaceUsage())
}

// Close flushes what was applied, so that the next Open finds it, and closes
// the store. A store that has stopped is closed as it is; its failure is
// returned again.
func (s *Store) Close() error {
	s.use.Lock()
	defer s.use.Unlock()
	if !s.closed.CompareAndSwap(false, true) {
		return nil
	}
	var flushErr error
	if s.fs.err() == nil {
		flushErr = s.flush()
	}
	s.sh.forget(s)
	s.fs.leave()
	if err := join(flushErr, s.db.Close()); err != nil {
		return s.because("close", err)
	}
	return s.Err()
}

// flush brings everything that is applied to the disk, or fails.
func (s *Store) flush() error {
	seq := s.applied.Load()
	if s.flushed.Load() >= seq {
		return nil
	}
	done, err := s.sh.beginFlush(s)
	if err != nil {
		return wrap(s.dir, "flush", err)
	}
	select {
	case <-done:
	case <-s.fs.failed:
	}
	if err := s.Err(); err != nil {
		return err // also when done came first: see failStop
	}
	s.flushed.Store(seq)
	return nil
}
