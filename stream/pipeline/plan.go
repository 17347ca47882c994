package pipeline

import (
	"path/filepath"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/curated"
	"github.com/tidemark-io/tidemark/stream/window"
)

// Plan is a compiled pipeline. It is immutable and safe for concurrent use; each goroutine takes an Eval of its own.
type Plan struct {
	Pipeline *Pipeline
	Schema   *schema.Schema
	Wire     schema.Wire
	EventDef schema.EventDef
	Decoder  *schema.Decoder
	// Outputs, Codecs and GroupFields have one element per output, in the order of the file.
	Outputs     []window.Output
	Codecs      []*curated.Codec
	GroupFields [][]curated.GroupField
	// Fingerprint is 12 hexadecimal digits of a SHA-256 over what decides the results.
	Fingerprint      string
	WatermarkOptions window.WatermarkOptions
	// FieldsRead are the fields that the pipeline reads besides event id and event time, sorted.
	FieldsRead []string

	program *program
}

// NewEval makes an evaluator for one goroutine.
func (p *Plan) NewEval() *Eval { return newEval(p) }

// JournalTopic is the name of the pipeline's journal.
func (p *Pipeline) JournalTopic() string { return p.Name + journalSuffix }

// Group is the pipeline's consumer group.
func (p *Pipeline) Group() string { return p.Name }

// TransactionalID is that of the process with the given instance id.
func (p *Pipeline) TransactionalID(id string) string { return p.Name + "-" + id }

// Path makes a path of the file absolute or relative to the working directory: relative ones start from the pipeline
// file's directory.
func (p *Pipeline) Path(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(p.Dir, path)
}
