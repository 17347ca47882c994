package join

import (
	"errors"
	"fmt"
)

// Errors of package window are used where the caller must do the same: *window.CorruptError, window.ErrMemory,
// window.ErrWatermarkFell and window.ErrOtherLayout.
var (
	// ErrSamePlace: two records without an identity of their own came with the same place.
	ErrSamePlace = errors.New("two records at one place")
)

// MatchesError says that one event has more partners than IntervalOptions.MatchesMax. Nothing is cut off: the join
// has failed. Raise the limit, narrow the interval, or filter the key.
type MatchesError struct {
	Side Side
	Key  []byte // canonical bytes of the join key
	Time int64  // ms, of the event
	Max  int
}

// Error names the event and the limit.
func (e *MatchesError) Error() string {
	return fmt.Sprintf("a %s event at %d ms with key %x has more than %d partners: raise the limit of matches, narrow the interval or filter this key", e.Side, e.Time, e.Key, e.Max)
}
