package flow

import (
	"errors"
	"fmt"
	"math"

	"github.com/tidemark-io/tidemark/stream/join"
	"github.com/tidemark-io/tidemark/stream/pipeline"
	"github.com/tidemark-io/tidemark/stream/window"
)

// batch is what makes a Flow one that reads to the end of its input before anything closes.
type batch struct {
	outputs []window.Output
	only    uint64
	starts  window.Span
	observe func(*window.Input, window.Outcome) error
}

// BatchOptions are what NewBatch needs beside the plan.
type BatchOptions struct {
	// Outputs replace the plan's, one for one: with aggregates added at their ends. Nil: the plan's.
	Outputs []window.Output
	// Only is the output to compute; -1: all.
	Only int
	// Starts, when it isn't empty, says which windows are wanted, by their starts: of hopping windows others are not computed
	// where they need not be. Results may have others nevertheless.
	Starts window.Span
	// Observe, when not nil, is told of everything that is given to the windows: events, elements of events, joined events.
	Observe func(in *window.Input, outcome window.Outcome) error
	// MemoryMax, in bytes, bounds the state; 0 is no limit.
	MemoryMax int64
}

// NewBatch makes a Flow for the slow lane: events in any order, of any partitions, none of them late, and one Finish.
// What it gives is what the stream would give if nothing were late (law L1). Nothing is forwarded: a repartition topic
// brings events together that are together here.
func NewBatch(plan *pipeline.Plan, sink Sink, o BatchOptions) (*Flow, error) {
	b := &batch{outputs: o.Outputs, observe: o.Observe, starts: o.Starts}
	if b.outputs == nil {
		b.outputs = plan.Outputs
	}
	if len(b.outputs) != len(plan.Outputs) {
		return nil, fmt.Errorf("a batch of %d outputs for a plan of %d", len(b.outputs), len(plan.Outputs))
	}
	if o.Only >= 0 {
		b.only = 1 << o.Only
	}
	return New(plan, sink, Options{MemoryMax: o.MemoryMax, batch: b})
}

// LookPayload is Look for a datum from the lake: its wire header has been taken off, and its key isn't checked.
func (f *Flow) LookPayload(source int, id uint32, payload []byte) error {
	f.seen = seen{input: source}
	return f.decoded(f.eval.DecodePayload(source, id, payload))
}

// Identity is that of the event that was looked at; false if its source declares none.
func (f *Flow) Identity() ([16]byte, bool) { return f.eval.Identity() }

// EventID is what a join knows the event by that was looked at: its identity, or its place if its source declares none.
func (f *Flow) EventID(at Place) [16]byte {
	if id, ok := f.eval.Identity(); ok {
		return id
	}
	return PlaceID(at)
}

// JoinKey appends the canonical bytes of the join key of the event that was looked at.
func (f *Flow) JoinKey(dst []byte) []byte { return f.eval.JoinKey(dst) }

// Pair is, while a joined event is observed, the two events that it was made of; nil otherwise.
func (f *Flow) Pair() *join.Pair { return f.joined }

// Finish gives out every window of a batch.
func (f *Flow) Finish() error {
	if f.o.batch == nil {
		return errors.New("finish: only a batch has an end")
	}
	const end = int64(math.MaxInt64)
	if f.join != nil {
		if err := f.join.Close(end, f.pair); err != nil {
			return fmt.Errorf("join: %w", err)
		}
	}
	return f.engine.Close(end, f.result)
}

// Reads is the event times [from, to) of a source that the results of windows within [start, end) depend on. No result
// depends on anything else: that is what a reconcile unit has to read.
func Reads(plan *pipeline.Plan, source int, start, end int64) (from, to int64) {
	j := &plan.Join
	switch plan.Shape {
	case pipeline.IntervalJoin:
		// A pair has the later of two times. A left event is that, or its partner comes at most Upper later; the right ones
		// are the mirror of that.
		if source == j.Left {
			return start - max(j.Upper, 0), end
		}
		return start - max(-j.Lower, 0), end
	case pipeline.Enrich:
		if source == j.Right {
			return window.TimeMin, end // any version before may be the one in force
		}
	}
	return start, end
}

// LookRecord is Look for a batch: a record as it is in its topic, whose key isn't checked.
func (f *Flow) LookRecord(source int, value []byte) error {
	f.seen = seen{input: source, value: value}
	return f.decoded(f.eval.Decode(source, value))
}
