package window

import (
	"errors"
	"fmt"
)

var (
	// ErrMemory: an engine without a Backing needs more than EngineOptions.MemoryMax.
	ErrMemory = errors.New("window state exceeds its memory limit")
	// ErrWatermarkFell: a watermark is below one that Close has been given. A window that has closed would open
	// again (law L2), so nothing is done.
	ErrWatermarkFell = errors.New("watermark is below that of closed windows")
	// ErrOpenWindows: an event would open more groups than EngineOptions.OpenMax. Nothing has been counted and the
	// engine stays usable: hold the event back, go on with other partitions, and try it again when Close has closed
	// something. If all partitions wait, only a higher limit helps.
	ErrOpenWindows = errors.New("too many open windows")
	// ErrOtherLayout: the state was written for other outputs. State isn't migrated: it begins anew.
	ErrOtherLayout = errors.New("window state was written for other outputs")
)

// CorruptError says that stored state is wrong. Set the state aside, restore it from a checkpoint, count it.
type CorruptError struct {
	Key  []byte // the state key, as FORMAT.md has it
	What string
	Err  error // cause; may be nil
}

// Error names the key and what is wrong with it.
func (e *CorruptError) Error() string {
	msg := fmt.Sprintf("window state is corrupt at key %x: %s", e.Key, e.What)
	if e.Err != nil {
		msg += ": " + e.Err.Error()
	}
	return msg
}

// Unwrap is the cause.
func (e *CorruptError) Unwrap() error { return e.Err }
