package join

import "github.com/tidemark-io/tidemark/stream/window"

// Side is one of the two sources of a join.
type Side uint8

// The sides. Of an enrichment, Left are the events and Right the versions of the table.
const (
	Left Side = iota
	Right
)

// String names the side in messages.
func (s Side) String() string {
	if s == Left {
		return "left"
	}
	return "right"
}

// Pair is one joined event. It and all it points to are valid during the callback only.
type Pair struct {
	Left  []byte   // row of the left event, as Add was given it; never nil
	Right []byte   // row of the right event; nil: an enrichment has found no version
	Time  int64    // ms: of an interval join the later of both times, of an enrichment the left event's
	ID    [16]byte // SHA-256(left identity | right identity)[:16], or SHA-256(left identity)[:16] without a right

	LeftID, RightID [16]byte // of the two events, as Add was given them; RightID is of meaning if Right isn't nil
}

// Verdict is what became of one event of one side.
type Verdict struct {
	// Outcome is Aggregated when the event has been taken, Duplicate when an event of the same identity had been
	// taken before, Late when its own source partition's watermark had passed its time + Lateness: the reconciler's.
	Outcome window.Outcome
}

// Operator is a join of the two sources of one task. It has the life of a window.Engine: Add for every event, Close
// with the task's watermark, Write with every commit; a new one finds in the Backing what an earlier one has written.
// It is not safe for concurrent use, and emit must not call it. After any error it is unusable and returns that error
// for ever: drop it and build another from the Backing.
//
// What callers can rely on: when a pair is emitted, Time + Lateness is above the watermark of the last Close that has
// returned. So a window that holds Time, with an allowed lateness not below the join's, is open if the window engine
// has been closed no further than the operator: call Operator.Close before Engine.Close with the same watermark, and
// give Engine.Add the watermark Closed, not the new one.
type Operator interface {
	// Add judges one event of one side and takes it. key is the canonical bytes of the join key, t its time (ms),
	// id its identity: a hash of time, key and row, or, when hasID is false, of its place, so that no two records
	// share it. watermark is that of the event's own source partition, as it was before the event. Slices aren't
	// kept. An interval join emits the pairs that the event completes in the order (other side's time, identity);
	// an enrichment emits nothing here. emit's error fails Add.
	Add(side Side, key []byte, t int64, id [16]byte, hasID bool, row []byte, watermark int64, emit func(*Pair) error) (Verdict, error)
	// Close lets go of what the task's watermark, the minimum of both sides', has passed. An enrichment emits the
	// left events that have become certain in the order (time, identity).
	Close(watermark int64, emit func(*Pair) error) error
	// Write hands w all changes since the last Write. The caller applies them at once and atomically, together with
	// its cut, before the operator is used again.
	Write(w window.Writer) error
	// Bound is the lowest watermark at which Close emits every held event of a time up to limit (ms); the latest of
	// them has the time bound - Lateness, from which its windows follow. ok is false when none is held: always so of
	// an interval join, which holds back no result.
	Bound(limit int64) (bound int64, ok bool, err error)
	// Buffered is the number of events of both sides in the state: a function of the cut.
	Buffered() int
	// Closed is the watermark of the last Close, of an earlier operator too; window.NoWatermark when there is none.
	Closed() int64
	// Memory is the number of bytes that the operator holds in memory.
	Memory() int64
	// SetMemoryMax sets the limit of memory, from the next Write on.
	SetMemoryMax(bytes int64)
	// Unwritten is about how many bytes the next Write will set.
	Unwritten() int64
}
