package flow

import "github.com/tidemark-io/tidemark/stream/window"

// Sink takes what a Flow gives out. What it is handed is valid during the call. Its errors are returned by the call
// that caused it.
type Sink interface {
	// Result takes a window that has closed, or, with Open set, the value of one that hasn't.
	Result(r *window.Result) error
	// Report takes the fate of an event that isn't in all of its windows.
	Report(r *Report) error
	// Forward takes a record for a partition of the repartition topic.
	Forward(partition int32, value []byte) error
}

// Place is where a record stands in its input.
type Place struct {
	Partition int32
	Offset    int64
}

// Kind says what a Report reports.
type Kind uint8

// The kinds.
const (
	ReportLate    Kind = iota // late for all of its windows
	ReportMissed              // late for some windows of an output
	ReportInvalid             // no event, or one that a rule or an expression refused
)

// Report is why an event isn't in a window.
type Report struct {
	Kind      Kind
	Source    int // number of the source
	Place     Place
	Time      int64 // ms; of meaning if HasTime
	HasTime   bool
	Output    int   // ReportMissed: which
	Watermark int64 // ReportLate, ReportMissed: by which it was judged
	Reason    string
}

// Outcome is what became of a record.
type Outcome uint8

// The outcomes, the better ones of several elements first.
const (
	Forwarded  Outcome = iota // to the repartition topic
	Aggregated                // in at least one window, or in a join's buffer
	Duplicate
	Late
	Invalid
	Filtered
)

// String names the outcome as metrics do.
func (o Outcome) String() string {
	return [...]string{"forwarded", "aggregated", "duplicate", "late", "invalid", "filtered"}[o]
}

// Counters account for everything since the task was born. See invariant 1.
type Counters struct {
	Consumed, Received                                        int64
	Aggregated, Duplicate, Late, Filtered, Invalid, Forwarded int64
	Pairs, PairsFiltered, PairsInvalid                        int64   // what a join made, and what rules took of it
	Rules                                                     []int64 // per rule: how often it fired
	Outputs                                                   []OutputCounters
}

// OutputCounters count one output's windows.
type OutputCounters struct {
	Closed, Missed int64
	Updated        int64 // values of open windows given out: not a function of the cut
}

func (c *Counters) count(o Outcome) {
	switch o {
	case Forwarded:
		c.Forwarded++
	case Aggregated:
		c.Aggregated++
	case Duplicate:
		c.Duplicate++
	case Late:
		c.Late++
	case Invalid:
		c.Invalid++
	case Filtered:
		c.Filtered++
	}
}

// Balanced reports whether every record has one outcome.
func (c *Counters) Balanced() bool {
	return c.Consumed+c.Received == c.Aggregated+c.Duplicate+c.Late+c.Filtered+c.Invalid+c.Forwarded
}

// LatenessBounds are the upper bounds, in ms, of the lateness histogram: how far behind its partition's newest event
// time an event was. One more bucket holds what is beyond the last.
var LatenessBounds = [...]int64{0, 60_000, 600_000, 1_800_000, 3_600_000, 7_200_000, 21_600_000, 86_400_000}
