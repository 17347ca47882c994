package state

import (
	"sync"

	"github.com/cockroachdb/pebble/v2"
)

// turns is Pebble's scheduler for the compactions of one store: one at a time,
// and none once the store has stopped. Pebble's own would repeat at once and
// for ever a compaction of a table that can't be read.
//
// Pebble calls TrySchedule with its locks held, and Done, Register and
// Unregister without. What turns calls takes those locks, so it calls nothing
// under its own.
type turns struct {
	fs *failStop
	db pebble.DBForCompaction // set before all else is called

	mu       sync.Mutex
	taken    bool       // a compaction runs, or its turn is being offered
	refused  bool       // one was turned away
	offering bool       // Pebble is being called
	over     bool       // Pebble must not be called any more
	quiet    *sync.Cond // offering has ended
}

var (
	_ pebble.CompactionScheduler   = (*turns)(nil)
	_ pebble.CompactionGrantHandle = (*turns)(nil)
)

func newTurns(fs *failStop) *turns {
	t := &turns{fs: fs}
	t.quiet = sync.NewCond(&t.mu)
	return t
}

// Register tells whose compactions these are.
func (t *turns) Register(_ int, db pebble.DBForCompaction) { t.db = db }

// Unregister returns when Pebble is called no more.
func (t *turns) Unregister() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.over = true
	for t.offering {
		t.quiet.Wait()
	}
}

// TrySchedule says whether a compaction may begin. Pebble doesn't ask again
// after a no: it waits for the offer in Done.
func (t *turns) TrySchedule() (bool, pebble.CompactionGrantHandle) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over || t.taken || t.fs.err() != nil {
		t.refused = true
		return false, nil
	}
	t.taken = true
	return true, t
}

// Done ends a compaction, and offers its turn to the one that waits.
func (t *turns) Done() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for t.offering { // with which this compaction began
		t.quiet.Wait()
	}
	t.taken = t.offer()
}

// offer reports whether the turn was taken. It is called with the lock held,
// and gives it up while it calls Pebble; who is turned away meanwhile is asked.
func (t *turns) offer() (taken bool) {
	t.offering = true
	defer func() {
		t.offering = false
		t.quiet.Broadcast()
	}()
	for again := true; again && !t.over && t.fs.err() == nil; again = t.refused {
		t.refused = false
		t.mu.Unlock()
		waiting, _ := t.db.GetWaitingCompaction()
		taken = waiting && t.db.Schedule(t)
		t.mu.Lock()
		if taken {
			return true
		}
	}
	return false
}

// UpdateGetAllowedWithoutPermission is of no interest: it is always one.
func (t *turns) UpdateGetAllowedWithoutPermission() {}

// Started, MeasureCPU and CumulativeStats are of none either.
func (t *turns) Started()                                          {}
func (t *turns) MeasureCPU(pebble.CompactionGoroutineKind)         {}
func (t *turns) CumulativeStats(pebble.CompactionGrantHandleStats) {}
