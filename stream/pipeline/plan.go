package pipeline

import (
	"path/filepath"
	"time"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/curated"
	"github.com/tidemark-io/tidemark/stream/window"
)

// Plan is a compiled pipeline. It is immutable and safe for concurrent use; each goroutine takes an Eval of its own.
type Plan struct {
	Pipeline *Pipeline
	// Outputs, Codecs and GroupFields have one element per output, in the order of the file.
	Outputs     []window.Output
	Codecs      []*curated.Codec
	GroupFields [][]curated.GroupField
	// Fingerprint is 12 hexadecimal digits of a SHA-256 over what decides the results.
	Fingerprint string
	// Sources are all sources, in the order of the file.
	Sources []SourcePlan
	// Shape says how several sources meet.
	Shape Shape
	// Join is of meaning for IntervalJoin and Enrich.
	Join JoinPlan
	// Rekeyed says that events go through the repartition topic, since some output's groups are not known to lie in one
	// partition of the source each. Repartition has, per output, the reason; "" for an output that alone needs none.
	Rekeyed     bool
	Repartition []string
	// RuleNames are the names of the rules, in the order of the file; Fate refers to them by index.
	RuleNames []string
	// Updates is, per output, how often results of open windows are published; 0 for on_close.
	Updates []time.Duration
	// Unreconciled is, per output, the reason for which nothing reconciles it; "" for outputs that are reconciled.
	Unreconciled []string

	program     *program
	rules       []ExpressionDescription
	expressions []ExpressionDescription
}

// Shape says how the sources of a pipeline meet.
type Shape uint8

// The shapes.
const (
	Single       Shape = iota // one source
	CoGroup                   // several sources; every event enters the windows with the other sources' fields null
	IntervalJoin              // two sources; pairs of events whose times are close enough enter the windows
	Enrich                    // two sources; each event of the one enters with the version of the other in force at its time
)

// String names the shape as messages do.
func (s Shape) String() string {
	switch s {
	case Single:
		return "single source"
	case CoGroup:
		return "co-group"
	case IntervalJoin:
		return "interval join"
	case Enrich:
		return "enrichment"
	}
	return "unknown shape"
}

// SourcePlan is one compiled source.
type SourcePlan struct {
	Name      string // as in sources; "" for the only one
	Topic     string
	Spec      *Source        // as in the file
	Schema    *schema.Schema // every format's fields, as an Avro record
	Source    schema.Source  // how its records are written
	Reader    schema.Reader
	EventDef  schema.EventDef
	Wire      schema.Wire
	Watermark window.WatermarkOptions
	// FieldsRead are the fields that the pipeline reads besides event id and event time, sorted, by their names in the
	// source: not qualified by its name.
	FieldsRead []string
}

// JoinPlan says how two sources are joined.
type JoinPlan struct {
	// Left and Right are numbers of sources. Of an Enrich, Left are the events and Right is the table.
	Left, Right int
	// Lower and Upper bound right.time - left.time, in ms, both included; of meaning for IntervalJoin.
	Lower, Upper int64
	// Lateness is how long after its time, in ms, an event can still be joined.
	Lateness int64
}

// NewEval makes an evaluator for one goroutine.
func (p *Plan) NewEval() *Eval { return newEval(p) }

// Path makes a path of the file absolute or relative to the working directory: relative ones start from the pipeline
// file's directory.
func (p *Pipeline) Path(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(p.Dir, path)
}
