package pipeline

import (
	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/window"
)

// Eval applies a plan to one record after another. It is reused without allocation and belongs to one goroutine.
type Eval struct {
	// Event is the decoded event; it and Input alias the record value.
	Event schema.Event
	// Input is what the windows take: time, identity, and per output the group key and the aggregates' arguments.
	Input window.Input

	plan *Plan
}

func newEval(p *Plan) *Eval { panic("not yet") }

// Record evaluates a Kafka record's value (nil: the record has none). It fails with a *schema.RecordError or a
// *schema.UnknownSchemaError. On a RecordError of reason schema.ReasonExpression the Event is filled, so the record can
// be landed in its hour.
func (e *Eval) Record(value []byte) error { panic("not yet") }

// Payload is Record for a datum whose wire header has been taken off, as the lake stores it.
func (e *Eval) Payload(id uint32, payload []byte) error { panic("not yet") }

// Landable reports whether the last record has an event time and so a place in the raw lake; otherwise it goes to
// quarantine.
func (e *Eval) Landable() bool { panic("not yet") }

// PartitionOf is the partition, of n, in which source.key wants the last record, or -1 if a key field is null, for
// which no partition is right.
func (e *Eval) PartitionOf(n int32) int32 { panic("not yet") }
