package join

import (
	"fmt"

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

func (o *IntervalOptions) check() error {
	switch {
	case o.Lower > o.Upper:
		return fmt.Errorf("an interval from %d to %d ms is empty", o.Lower, o.Upper)
	case o.Lower < -window.SpanMax || o.Upper > window.SpanMax:
		return fmt.Errorf("an interval from %d to %d ms: from -%d to %d", o.Lower, o.Upper, window.SpanMax, window.SpanMax)
	case o.MatchesMax < 0:
		return fmt.Errorf("a limit of %d matches", o.MatchesMax)
	}
	return checkLimits(o.Lateness, o.MemoryMax)
}

// EnrichmentOptions are the settings of an enrichment. Lateness decides results.
type EnrichmentOptions struct {
	Lateness  int64 // ms, from 0 to window.SpanMax
	MemoryMax int64 // bytes, as window.EngineOptions.MemoryMax; 0: no limit
}

func (o *EnrichmentOptions) check() error { return checkLimits(o.Lateness, o.MemoryMax) }

func checkLimits(lateness, memoryMax int64) error {
	if lateness < 0 || lateness > window.SpanMax {
		return fmt.Errorf("a lateness of %d ms: from 0 to %d", lateness, window.SpanMax)
	}
	if memoryMax < 0 {
		return fmt.Errorf("a memory limit of %d bytes", memoryMax)
	}
	return nil
}
