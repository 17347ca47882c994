package flow

import (
	"fmt"
	"math"
	"slices"

	"github.com/tidemark-io/tidemark/stream/join"
	"github.com/tidemark-io/tidemark/stream/pipeline"
	"github.com/tidemark-io/tidemark/stream/window"
)

// Options are what a Flow needs beside its plan.
type Options struct {
	// Widths are how many partitions each input's topic has, in the order of the inputs. The last one of a rekeyed plan is
	// that of its repartition topic.
	Widths []int32
	// Backing holds the state that isn't in memory; nil: all of it is in memory.
	Backing window.Backing
	// MemoryMax, in bytes, bounds the state in memory; 0 is no limit.
	MemoryMax int64
	// OpenMax bounds the open results, windows times groups; 0 is no limit.
	OpenMax int64
	// Batch is set by NewBatch.
	batch *batch
}

// Flow is the core of one task.
type Flow struct {
	plan   *pipeline.Plan
	o      Options
	sink   Sink
	eval   *pipeline.Eval
	engine *window.Engine
	join   join.Operator // nil unless the plan joins
	joined *join.Pair    // that is given to the windows now

	inputs   []input
	marks    []int64 // rekeyed: the watermarks of all source partitions, as received
	counters Counters
	bound    int64
	top      int64 // highest event time that was believed since New
	closed   int64 // the watermark that Close was last given
	hold     int64 // Close goes no further
	marked   int64 // the watermark that markers last carried
	hop      int64 // ms between markers

	seen     seen // by Look, for Take
	lateness [len(LatenessBounds) + 1]int64
	spans    []window.Span
	key, row []byte
	forwards []forward
	parts    []part
	missing  []int64
	out      []byte
}

// input is a source partition.
type input struct {
	wm   window.Watermark
	opts window.WatermarkOptions
}

// NoBound is the bound of a flow whose windows have never held an event.
const NoBound = window.NoWatermark

// New makes a Flow. With a Backing it finds what an earlier one has left; the counters, bound and watermarks, which are
// part of the caller's cut, are set by Restore.
func New(plan *pipeline.Plan, sink Sink, o Options) (*Flow, error) {
	f := &Flow{plan: plan, o: o, sink: sink, eval: plan.NewEval(), bound: NoBound, closed: window.NoWatermark, hold: math.MaxInt64, marked: window.NoWatermark, top: window.NoWatermark}
	if want := Inputs(plan); len(o.Widths) != want && o.batch == nil {
		return nil, fmt.Errorf("a flow of %d inputs with %d numbers of partitions", want, len(o.Widths))
	}
	outputs := plan.Outputs
	if o.batch != nil {
		outputs = o.batch.outputs
	}
	for i := range plan.Sources {
		f.inputs = append(f.inputs, input{wm: window.NewWatermark(), opts: plan.Sources[i].Watermark})
	}
	if plan.Rekeyed && o.batch == nil {
		f.marks = slices.Repeat([]int64{window.NoWatermark}, int(o.Widths[0]))
		f.hop = markerHop(plan.Outputs)
	}
	f.counters = Counters{Outputs: make([]OutputCounters, len(plan.Outputs)), Rules: make([]int64, len(plan.RuleNames))}
	memory := o.MemoryMax
	if joins(plan) {
		memory /= 2
	}
	options := window.EngineOptions{MemoryMax: memory, OpenMax: o.OpenMax}
	if o.batch != nil {
		options.Starts = o.batch.starts
	}
	var err error
	if f.engine, err = window.NewEngine(outputs, o.Backing, options); err != nil {
		return nil, fmt.Errorf("open windows: %w", err)
	}
	if f.join, err = newJoin(plan, o.Backing, memory); err != nil {
		return nil, fmt.Errorf("join buffers: %w", err)
	}
	return f, nil
}

// Inputs is how many inputs a task of the plan has.
func Inputs(plan *pipeline.Plan) int {
	if plan.Rekeyed {
		return len(plan.Sources) + 1
	}
	return len(plan.Sources)
}

func joins(plan *pipeline.Plan) bool {
	return plan.Shape == pipeline.IntervalJoin || plan.Shape == pipeline.Enrich
}

// repartition says whether the input is the repartition topic's.
func (f *Flow) repartition(input int) bool { return input == len(f.inputs) }

// Engine is the windows, for whoever only looks.
func (f *Flow) Engine() *window.Engine { return f.engine }

// Write hands w all changes of state since the last Write.
func (f *Flow) Write(w window.Writer) error {
	if f.join != nil {
		if err := f.join.Write(w); err != nil {
			return fmt.Errorf("join buffers: %w", err)
		}
	}
	return f.engine.Write(w)
}

// Memory is the bytes that state takes in memory.
func (f *Flow) Memory() int64 {
	if f.join != nil {
		return f.engine.Memory() + f.join.Memory()
	}
	return f.engine.Memory()
}

// Buffered is how many events the join holds.
func (f *Flow) Buffered() int64 {
	if f.join == nil {
		return 0
	}
	return int64(f.join.Buffered())
}

// SetMemoryMax sets Options.MemoryMax, from the next Write on, and how much of it may lie ready for windows to come.
func (f *Flow) SetMemoryMax(n, idle int64) {
	if f.join != nil {
		n /= 2
		f.join.SetMemoryMax(n)
	}
	f.engine.SetMemoryMax(n, idle)
}

// Unwritten is about how many bytes of state have changed since the last Write: what the next one will copy.
func (f *Flow) Unwritten() int64 {
	n := f.engine.Unwritten()
	if f.join != nil {
		n += f.join.Unwritten()
	}
	return n
}
