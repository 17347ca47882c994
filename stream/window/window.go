package window

import (
	"math"

	"github.com/tidemark-io/tidemark/schema"
)

// NoWatermark is the watermark of a partition that has none yet: below every time.
const NoWatermark = math.MinInt64

// Times of events, in ms since the epoch UTC: the years 1 to 9999. Add refuses others; the decoder has made them
// invalid before.
const (
	TimeMin int64 = -62_135_596_800_000
	TimeMax int64 = 253_402_300_799_999
)

// Limits of what an engine takes. Beyond them NewEngine or Add fail.
const (
	OutputsMax = 64                           // outputs of one engine: a Verdict has one bit for each
	AggsMax    = 256                          // aggregates of one output
	SpanMax    = int64(1_000_000_000_000_000) // ms (about 31,700 years): largest size, and largest lateness
	KeyMax     = 64 << 10                     // bytes of a group key
	WindowsMax = 1000                         // windows of one output that one time is in
)

// Input is what the engine needs of one event. The engine keeps no reference to it after Add has returned.
type Input struct {
	Time  int64            // event time, ms, from TimeMin to TimeMax
	ID    [16]byte         // identity: a hash of event id, time and every field that the pipeline reads; of no meaning without HasID
	HasID bool             // false: the event can't be a duplicate
	Keys  [][]byte         // per output: canonical bytes of the group key
	Args  [][]schema.Value // per output: the arguments of its aggregates, see Agg.Arg

	// Outputs has bit i set when output i takes the event; 0 stands for all of them. Like the keys it is a function
	// of what the identity covers, so that copies agree on it.
	Outputs uint64
}

// Outcome is what became of an event.
type Outcome uint8

// The outcomes. Every event has exactly one (law L3).
const (
	Aggregated Outcome = iota // counted in at least one window
	Duplicate                 // an event of the same identity had been counted before
	Late                      // every window that it belongs to has closed for its partition: the reconciler's
)

// String names the outcome as metrics do.
func (o Outcome) String() string {
	switch o {
	case Aggregated:
		return "aggregated"
	case Duplicate:
		return "duplicate"
	case Late:
		return "late"
	}
	return "unknown"
}

// Verdict is the outcome of one event.
type Verdict struct {
	Outcome Outcome
	// Missed has bit i set when the event was too late for a window of output i, but not for all windows of all
	// outputs. It is zero when the Outcome is Late. It doesn't depend on whether the event is a duplicate: lateness
	// is judged first.
	Missed uint64
	// Misses is, per output, the number of the event's windows that it was too late for: of tumbling windows and
	// sessions at most 1. It is nil when there are none and when the Outcome is Late, and valid until the next Add.
	Misses []int32
}

// Result is one closed window of one group key. It and all it points to are valid during the callback only.
type Result struct {
	Output     int            // index into the engine's outputs
	Key        []byte         // canonical bytes of the group key
	Start, End int64          // ms; the window holds Start <= time < End
	Events     int64          // distinct events in the window, from 1
	Duplicates int64          // copies of them that arrived before the window closed
	Values     []schema.Value // per aggregate, of type Agg.Result
	Open       bool           // from Updates: provisional, the window is still open
}
