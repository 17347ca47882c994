package state

import (
	"fmt"
)

// The memory budget. Pebble bounds memtables per database; a process has as
// many databases as tasks, and their sum is what the kernel kills for. So
// Shared counts what each store has applied and not flushed, and has the
// largest flushed when the sum passes MemTableBytes.

func (sh *Shared) remember(s *Store) error {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if sh.closed {
		return fmt.Errorf("%s: shared state is closed", s.dir)
	}
	sh.stores[s] = struct{}{}
	return nil
}

func (sh *Shared) forget(s *Store) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	delete(sh.stores, s)
}

// grew counts n bytes that s has applied. It waits for a flush when the sum is
// past twice the budget: the disk is slower than the input.
func (sh *Shared) grew(s *Store, n int64) error {
	sh.mu.Lock()
	s.pending += n
	unflushed := sh.unflushed()
	var victim *Store
	if unflushed > sh.opts.MemTableBytes {
		victim = sh.largest()
	}
	var done <-chan struct{}
	if victim != nil {
		var err error
		if done, err = sh.flushLocked(victim); err != nil {
			victim.fs.stop(err)
		}
	}
	sh.mu.Unlock()

	if done != nil && unflushed > 2*sh.opts.MemTableBytes {
		select {
		case <-done:
		case <-victim.fs.failed:
		}
	}
	return s.Err()
}

// unflushed sums what is in memory. A flush that has ended counts no more.
func (sh *Shared) unflushed() int64 {
	var sum int64
	for s := range sh.stores {
		if s.flushEnd != nil {
			select {
			case <-s.flushEnd:
				s.flushing, s.flushEnd = 0, nil
			default:
			}
		}
		sum += s.pending + s.flushing
	}
	return sum
}

// largest returns the store with most to flush, or nil.
func (sh *Shared) largest() *Store {
	var l *Store
	for s := range sh.stores {
		if s.pending > 0 && s.fs.err() == nil && (l == nil || s.pending > l.pending) {
			l = s
		}
	}
	return l
}

// beginFlush starts a flush of everything that s has applied.
func (sh *Shared) beginFlush(s *Store) (<-chan struct{}, error) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	return sh.flushLocked(s)
}

// flushLocked starts a flush. The channel is closed when it is on disk, and
// never when it fails: wait for failStop.failed too. Flushes of one database
// end in the order in which they began, so the last one's end is the end of all.
func (sh *Shared) flushLocked(s *Store) (<-chan struct{}, error) {
	done, err := s.db.AsyncFlush()
	if err != nil {
		return nil, err
	}
	s.flushing += s.pending
	s.pending, s.flushEnd = 0, done
	return done, nil
}

// UnflushedBytes returns how much all open stores have applied and not yet
// flushed: what a crash now would have to replay, and what they hold in memory
// beside the cache.
func (sh *Shared) UnflushedBytes() int64 {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	return sh.unflushed()
}
