package damage_test

import (
	"fmt"
	"slices"

	"github.com/tidemark-io/tidemark/state"
	"github.com/tidemark-io/tidemark/stream/curated"
	"github.com/tidemark-io/tidemark/stream/flow"
	"github.com/tidemark-io/tidemark/stream/pipeline"
	"github.com/tidemark-io/tidemark/stream/window"
)

// task is what the stream makes of a flow and a store: it takes records of its inputs, and its cut names where it is. There is one
// task, of one partition, and so it forwards to itself.
type task struct {
	plan *pipeline.Plan
	flow *flow.Flow
	next []int64 // by input
	seq  int64   // of the last decision

	quiet   bool // replaying: nothing is given out
	out     []string
	letters [][]byte
}

var _ flow.Sink = (*task)(nil)

// newTask begins at a cut, nil being the birth.
func newTask(plan *pipeline.Plan, backing window.Backing, memory int64, cut *state.Cut) (*task, error) {
	t := &task{plan: plan, next: make([]int64, flow.Inputs(plan))}
	var err error
	t.flow, err = flow.New(plan, t, flow.Options{Widths: slices.Repeat([]int32{1}, len(t.next)), Backing: backing, MemoryMax: memory})
	if err != nil || cut == nil {
		return t, err
	}
	for i, src := range cut.Sources {
		t.next[i] = src.Next
		if err := t.flow.Restore(i, src.Watermark); err != nil {
			return nil, err
		}
	}
	t.seq = cut.Journal
	return t, t.flow.Resume(countersOf(&cut.Counters), cut.Bound)
}

// take processes the next record of an input.
func (t *task) take(input int, value []byte) error {
	at := flow.Place{Partition: 0, Offset: t.next[input]}
	if err := t.flow.Look(input, at, value); err != nil {
		return err
	}
	if _, err := t.flow.Take(at); err != nil {
		return err
	}
	t.next[input]++
	return nil
}

// obey raises the watermark of an input, as a decision does.
func (t *task) obey(d decision) error {
	if err := t.flow.Raise(d.input, d.mark); err != nil {
		return err
	}
	if err := t.flow.Mark(0, true); err != nil {
		return err
	}
	return t.flow.Close()
}

// ready closes what a commit must not hold open.
func (t *task) ready() error {
	if err := t.flow.Close(); err != nil {
		return err
	}
	return t.flow.Mark(0, false)
}

// cut is where the task is.
func (t *task) cut() (*state.Cut, error) {
	c := &state.Cut{
		Version: state.CutVersion, Pipeline: "shape", Fingerprint: t.plan.Fingerprint, Journal: t.seq, Bound: t.flow.Bound(window.TimeMax),
		Counters: t.counters(),
	}
	for i, next := range t.next {
		mark, err := t.flow.EncodeMark(i)
		if err != nil {
			return nil, err
		}
		c.Sources = append(c.Sources, state.Source{Topic: fmt.Sprintf("input-%d", i), Partitions: 1, Next: next, Watermark: mark, Reached: t.flow.Reached(i)})
	}
	return c, nil
}

func (t *task) counters() state.Counters {
	c := t.flow.Counters()
	out := state.Counters{
		Consumed: c.Consumed, Received: c.Received, Aggregated: c.Aggregated, Duplicate: c.Duplicate, Late: c.Late,
		Filtered: c.Filtered, Invalid: c.Invalid, Forwarded: c.Forwarded, Pairs: c.Pairs, PairsFiltered: c.PairsFiltered, PairsInvalid: c.PairsInvalid,
	}
	for i, n := range c.Rules {
		out.Rules = append(out.Rules, state.RuleCounter{Name: t.plan.RuleNames[i], Fired: n})
	}
	open := t.flow.Engine().OpenWindows()
	for i, o := range c.Outputs {
		out.Outputs = append(out.Outputs, state.OutputCounters{Name: t.plan.Outputs[i].Name, Closed: o.Closed, Missed: o.Missed, Open: int64(open[i])})
	}
	return out
}

func countersOf(c *state.Counters) flow.Counters {
	out := flow.Counters{
		Consumed: c.Consumed, Received: c.Received, Aggregated: c.Aggregated, Duplicate: c.Duplicate, Late: c.Late,
		Filtered: c.Filtered, Invalid: c.Invalid, Forwarded: c.Forwarded, Pairs: c.Pairs, PairsFiltered: c.PairsFiltered, PairsInvalid: c.PairsInvalid,
	}
	for _, r := range c.Rules {
		out.Rules = append(out.Rules, r.Fired)
	}
	for _, o := range c.Outputs {
		out.Outputs = append(out.Outputs, flow.OutputCounters{Closed: o.Closed, Missed: o.Missed})
	}
	return out
}

// Result, Report and Forward keep what is given out, until the commit.
func (t *task) Result(r *window.Result) error {
	if !t.quiet {
		row := curated.Row{Key: r.Key, Start: r.Start, End: r.End, Values: r.Values, Status: curated.Closed}
		t.out = append(t.out, fmt.Sprintf("%d %x %x %d", r.Output, t.plan.Codecs[r.Output].AppendKey(nil, &row), t.plan.Codecs[r.Output].RowHash(&row), r.Events))
	}
	return nil
}

// Report is given the fate of an event.
func (t *task) Report(r *flow.Report) error {
	if !t.quiet {
		t.out = append(t.out, fmt.Sprintf("%+v", *r))
	}
	return nil
}

// Forward is given a record of the repartition topic.
func (t *task) Forward(_ int32, value []byte) error {
	if !t.quiet {
		t.letters = append(t.letters, slices.Clone(value))
	}
	return nil
}
