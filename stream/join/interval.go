package join

import (
	"errors"

	"github.com/tidemark-io/tidemark/stream/window"
)

// Limits of what an operator takes. Beyond them New or Add fail.
const (
	KeyMax            = window.KeyMax // bytes of a join key
	RowMax            = 16 << 20      // bytes of a row
	MatchesMaxDefault = 1_000_000     // partners of one event
)

// IntervalOptions are the settings of an interval join. Lower, Upper and Lateness decide results.
type IntervalOptions struct {
	Lower, Upper int64 // ms: right time - left time, both ends included; from -window.SpanMax to window.SpanMax
	Lateness     int64 // ms, from 0 to window.SpanMax
	MemoryMax    int64 // bytes, as window.EngineOptions.MemoryMax; 0: no limit
	MatchesMax   int   // partners of one event, beyond which Add fails with *MatchesError; 0: MatchesMaxDefault
}

// Interval joins two sources by key and distance in time.
type Interval struct{}

var (
	_ Operator = (*Interval)(nil)
	_ Operator = (*Enrichment)(nil)
)

var errNotBuilt = errors.New("not built yet")

// NewInterval makes an interval join. With a Backing it finds what an earlier one with the same options has left;
// back may be nil: then all state is in memory.
func NewInterval(opts IntervalOptions, back window.Backing) (*Interval, error) {
	return nil, errNotBuilt
}

// Add implements Operator.
func (j *Interval) Add(side Side, key []byte, t int64, id [16]byte, hasID bool, row []byte, watermark int64, emit func(*Pair) error) (Verdict, error) {
	return Verdict{}, errNotBuilt
}

// Close implements Operator.
func (j *Interval) Close(watermark int64, emit func(*Pair) error) error { return errNotBuilt }

// Write implements Operator.
func (j *Interval) Write(w window.Writer) error { return errNotBuilt }

// Bound implements Operator.
func (j *Interval) Bound(limit int64) (bound int64, ok bool, err error) { return 0, false, nil }

// Buffered implements Operator.
func (j *Interval) Buffered() int { return 0 }

// Closed implements Operator.
func (j *Interval) Closed() int64 { return window.NoWatermark }

// Memory implements Operator.
func (j *Interval) Memory() int64 { return 0 }
