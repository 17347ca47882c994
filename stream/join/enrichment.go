package join

import "github.com/tidemark-io/tidemark/stream/window"

// EnrichmentOptions are the settings of an enrichment. Lateness decides results.
type EnrichmentOptions struct {
	Lateness  int64 // ms, from 0 to window.SpanMax
	MemoryMax int64 // bytes, as window.EngineOptions.MemoryMax; 0: no limit
}

// Enrichment gives each left event the version of the right table that was in force at its time.
type Enrichment struct{}

// NewEnrichment makes an enrichment. With a Backing it finds what an earlier one with the same options has left;
// back may be nil: then all state is in memory.
func NewEnrichment(opts EnrichmentOptions, back window.Backing) (*Enrichment, error) {
	return nil, errNotBuilt
}

// Add implements Operator.
func (j *Enrichment) Add(side Side, key []byte, t int64, id [16]byte, hasID bool, row []byte, watermark int64, emit func(*Pair) error) (Verdict, error) {
	return Verdict{}, errNotBuilt
}

// Close implements Operator.
func (j *Enrichment) Close(watermark int64, emit func(*Pair) error) error { return errNotBuilt }

// Write implements Operator.
func (j *Enrichment) Write(w window.Writer) error { return errNotBuilt }

// Bound implements Operator.
func (j *Enrichment) Bound(limit int64) (bound int64, ok bool, err error) { return 0, false, nil }

// Buffered implements Operator.
func (j *Enrichment) Buffered() int { return 0 }

// Closed implements Operator.
func (j *Enrichment) Closed() int64 { return window.NoWatermark }

// Memory implements Operator.
func (j *Enrichment) Memory() int64 { return 0 }
