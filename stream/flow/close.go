package flow

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"github.com/tidemark-io/tidemark/stream/pipeline"
	"github.com/tidemark-io/tidemark/stream/window"
)

// Watermark is the task's: the lowest of its inputs', or, behind a repartition topic, of all source partitions'.
func (f *Flow) Watermark() int64 {
	if f.plan.Rekeyed {
		return f.Reached(len(f.inputs))
	}
	low := f.Reached(0)
	for i := 1; i < len(f.inputs); i++ {
		low = min(low, f.Reached(i))
	}
	return low
}

// Reached is the watermark of an input; of the repartition topic's, the lowest that has been received.
func (f *Flow) Reached(input int) int64 {
	if !f.repartition(input) {
		in := &f.inputs[input]
		return in.wm.Value(in.opts)
	}
	low := f.marks[0]
	for _, m := range f.marks[1:] {
		low = min(low, m)
	}
	return low
}

// Pending is how many events of an input are too far ahead to be believed yet.
func (f *Flow) Pending(input int) int {
	if f.repartition(input) {
		return 0
	}
	return len(f.inputs[input].wm.Pending)
}

// Close gives out and forgets every window that the task's watermark has passed. What a join holds for that watermark
// enters its windows before.
func (f *Flow) Close() error {
	mark := min(f.Watermark(), f.hold)
	if mark == window.NoWatermark {
		return nil
	}
	if f.join != nil {
		if err := f.join.Close(mark, f.pair); err != nil {
			return fmt.Errorf("join: %w", err)
		}
	}
	f.closed = mark
	return f.engine.Close(mark, f.result)
}

// Closed is the watermark that Close was last given.
func (f *Flow) Closed() int64 { return f.closed }

// Hold keeps Close from going beyond a watermark, until HoldNot. It is for a replay up to a cut at which a closing was
// under way: what that has published is known by the order of its results, so they must not close in another.
func (f *Flow) Hold(mark int64) { f.hold = mark }

// HoldNot ends what Hold began.
func (f *Flow) HoldNot() { f.hold = math.MaxInt64 }

// Due bounds the results that Close would give out now: of windows, and of sessions, of which only those that are open are
// known.
func (f *Flow) Due() (windows, sessions int64) { return f.engine.Due(min(f.Watermark(), f.hold)) }

// Behind says that state was written while Hold kept windows open that the watermark has passed.
func (f *Flow) Behind() bool { return f.engine.Closed() < f.Watermark() }

func (f *Flow) result(r *window.Result) error {
	if r.Open {
		f.counters.Outputs[r.Output].Updated++
	} else {
		f.counters.Outputs[r.Output].Closed++
		f.bound = max(f.bound, r.End+f.plan.Outputs[r.Output].Lateness)
	}
	return f.sink.Result(r)
}

// Update gives out the values of an output's open windows: of the groups that have changed since the last Update, or of
// all. Their revision is the number of distinct events, so that giving one out again says nothing new.
func (f *Flow) Update(output int, all bool) error {
	return f.engine.Updates(output, all, f.result)
}

// Raise applies a decision (law L5): the watermark of a source's partition becomes at least mark.
func (f *Flow) Raise(input int, mark int64) error {
	in := &f.inputs[input]
	held := slices.Clone(in.wm.Pending)
	in.wm.Raise(mark, in.opts)
	if n := len(held) - len(in.wm.Pending); n > 0 {
		f.top = max(f.top, held[n-1].Time) // believed by now, and no longer known to be pending
	}
	if got := in.wm.Value(in.opts); got == window.NoWatermark || got < mark {
		return fmt.Errorf("a decision set the watermark to %d, it is %d", mark, got)
	}
	return nil
}

// Bound is the watermark that closes every window that events of the sources lie in, whatever rules or a join made of
// them, as far as they end before limit (ms): those beyond come from stamps that nobody believes. A reconcile unit waits
// for it where events are. NoBound if there are none. It only grows, but for the limit.
func (f *Flow) Bound(limit int64) int64 {
	if b, ok := f.engine.Bound(limit); ok {
		f.bound = max(f.bound, b)
	}
	if f.top != window.NoWatermark {
		f.bound = max(f.bound, f.closes(f.top))
	}
	bound := f.bound
	for i := range f.inputs {
		for _, p := range f.inputs[i].wm.Pending {
			if p.Time <= limit {
				bound = max(bound, f.closes(p.Time))
			}
		}
	}
	return bound
}

// closes is the watermark that closes all windows that an event of time t can be in.
func (f *Flow) closes(t int64) int64 {
	bound := int64(NoBound)
	for i := range f.plan.Outputs {
		o := &f.plan.Outputs[i]
		f.spans = o.Assign(t, f.spans[:0])
		end := f.spans[len(f.spans)-1].End
		if o.Session() {
			end = min(end, t+o.Gap)
		}
		bound = max(bound, end+o.Lateness)
	}
	return bound
}

// Closes is the watermark that closes all windows of a plan in which events up to time t (ms) can be, joined to others or
// not: no window that is open beyond it has any.
func Closes(plan *pipeline.Plan, t int64) int64 {
	if plan.Shape == pipeline.IntervalJoin {
		t += max(0, plan.Join.Upper, -plan.Join.Lower) // the later of a pair
	}
	f := Flow{plan: plan}
	return f.closes(t)
}

// Counters are the accounting so far. The caller must not modify them.
func (f *Flow) Counters() *Counters { return &f.counters }

// EncodeMark is the state of an input's watermark as JSON: part of the caller's cut.
func (f *Flow) EncodeMark(input int) (json.RawMessage, error) {
	if f.repartition(input) {
		return json.Marshal(f.marks)
	}
	return json.Marshal(&f.inputs[input].wm)
}

// Restore sets an input's watermark to what EncodeMark wrote.
func (f *Flow) Restore(input int, mark json.RawMessage) error {
	if !f.repartition(input) {
		return json.Unmarshal(mark, &f.inputs[input].wm)
	}
	var marks []int64
	if err := json.Unmarshal(mark, &marks); err != nil {
		return err
	}
	if len(marks) != len(f.marks) {
		return fmt.Errorf("watermarks of %d source partitions, there are %d", len(marks), len(f.marks))
	}
	f.marks = marks
	return nil
}

// Resume sets the counters and the bound to those of a cut, once all inputs are restored.
func (f *Flow) Resume(c Counters, bound int64) error {
	if len(c.Outputs) != len(f.plan.Outputs) || len(c.Rules) != len(f.plan.RuleNames) {
		return fmt.Errorf("counters of %d outputs and %d rules, the pipeline has %d and %d",
			len(c.Outputs), len(c.Rules), len(f.plan.Outputs), len(f.plan.RuleNames))
	}
	f.bound, f.counters, f.closed = bound, c, min(f.Watermark(), f.engine.Closed())
	return nil
}
