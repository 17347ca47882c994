package retrace

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tidemark-io/tidemark/cmd/internal/sourcelog"
	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/curated"
	"github.com/tidemark-io/tidemark/stream/flow"
	"github.com/tidemark-io/tidemark/stream/pipeline"
	"github.com/tidemark-io/tidemark/stream/window"
)

// StepsMax bounds how many events of a window are followed.
const StepsMax = 100_000

// sessionEventsMax bounds for how many events of an aligned span the value of a session is told after each: it is computed
// anew each time.
const sessionEventsMax = 2000

// Target is the window that is followed.
type Target struct {
	Output int
	Key    []byte // canonical bytes of the group
	Span   window.Span
}

// The verdicts. The first four are those of events.
const (
	Aggregated = "aggregated"
	Duplicate  = "duplicate"
	Late       = "late"   // for all windows of all outputs
	Missed     = "missed" // late for this window, in time for others
	Closed     = "closed" // no event: the watermark has passed the window
	Joined     = "joined" // no event: one that the join had held entered the window
)

// Step is an event that belongs to the window, or its end.
type Step struct {
	Verdict   string
	Source    int
	Place     flow.Place
	Time      int64 // of the event, ms
	Watermark int64 // of the event's partition, before it; of Closed, the task's
	// Start, End and Values are the window after the step; Values is nil if it holds nothing.
	Start, End int64
	Values     []schema.Value
	Events     int64
	Record     []byte // the record's value
}

// Trace follows one window. It belongs to one goroutine.
type Trace struct {
	Steps []Step

	plan   *pipeline.Plan
	target Target
	eval   *pipeline.Eval
	tasks  []*task
	spans  []window.Span
	kept   [][]byte // accepted events of a session's span
	from   []int    // their sources
}

// task is one task's flow; it is also its sink.
type task struct {
	tr      *Trace
	id      int32
	flow    *flow.Flow
	arrived int64 // letters so far

	letters []letter
	row     *window.Result // of the target, as last given out
	missed  bool
}

type letter struct {
	partition int32
	value     []byte
}

// Find names the window of an output that holds a time: of several the one that begins then.
func Find(plan *pipeline.Plan, output int, at int64) (window.Span, error) {
	o := &plan.Outputs[output]
	spans := o.Assign(at, nil)
	if len(spans) == 1 {
		return spans[0], nil
	}
	for _, s := range spans {
		if s.Start == at {
			return s, nil
		}
	}
	text := ""
	for i, s := range spans[:min(len(spans), 5)] {
		if i > 0 {
			text += ", "
		}
		text += time.UnixMilli(s.Start).UTC().Format(time.RFC3339)
	}
	return window.Span{}, fmt.Errorf("%d windows hold that time: name one by its start: %s", len(spans), text)
}

// New makes a trace of a pipeline whose sources have so many partitions.
func New(plan *pipeline.Plan, partitions int32, target Target) (*Trace, error) {
	own := *plan
	own.Outputs = slices.Clone(plan.Outputs)
	own.Outputs[target.Output].Updates = !own.Outputs[target.Output].Session()
	tr := &Trace{plan: &own, target: target, eval: plan.NewEval()}
	widths := slices.Repeat([]int32{partitions}, flow.Inputs(plan))
	for id := range partitions {
		t := &task{tr: tr, id: id}
		var err error
		if t.flow, err = flow.New(&own, t, flow.Options{Widths: widths, MemoryMax: plan.Pipeline.State.MemoryMax}); err != nil {
			return nil, err
		}
		tr.tasks = append(tr.tasks, t)
	}
	return tr, nil
}

// Take takes the next record. Records of a partition come in their order.
func (tr *Trace) Take(source int, r *sourcelog.Record) error {
	t := tr.tasks[r.Partition]
	at := flow.Place{Partition: r.Partition, Offset: r.Offset}
	belongs, err := tr.belongs(source, r.Value)
	if err != nil {
		return fmt.Errorf("%s/%d@%d: %w", tr.plan.Sources[source].Topic, r.Partition, r.Offset, err)
	}
	mark := t.flow.Reached(source)
	if err := t.flow.LookRecord(source, r.Value); err != nil {
		return fmt.Errorf("%s/%d@%d: %w", tr.plan.Sources[source].Topic, r.Partition, r.Offset, err)
	}
	for _, other := range tr.tasks {
		other.missed = false
	}
	outcome, err := t.flow.Take(at)
	if err != nil {
		return err
	}
	if err := t.flow.Mark(t.id, false); err != nil {
		return err
	}
	home := t
	if tr.plan.Rekeyed {
		home = tr.tasks[curated.Partition(tr.target.Key, int32(len(tr.tasks)))]
		if there, err := tr.deliver(t, home); err != nil {
			return err
		} else if outcome == flow.Forwarded {
			outcome = there
		}
	}
	s := Step{Source: source, Place: at, Watermark: mark, Record: slices.Clone(r.Value)}
	if err := tr.follow(&s, t, home, outcome, belongs); err != nil {
		return err
	}
	return tr.close()
}

// belongs says whether an event lies in the window, by its key and time; of a join only its pairs do.
func (tr *Trace) belongs(source int, value []byte) (bool, error) {
	var bad *schema.RecordError
	if err := tr.eval.Decode(source, value); errors.As(err, &bad) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	if tr.joins() {
		return false, nil
	}
	out := &tr.plan.Outputs[tr.target.Output]
	for i := range tr.eval.Elements() {
		fate, err := tr.eval.Element(i)
		if errors.As(err, &bad) || err == nil && fate.Outcome != pipeline.Keep {
			continue
		}
		if err != nil {
			return false, err
		}
		if !bytes.Equal(tr.eval.Input.Keys[tr.target.Output], tr.target.Key) {
			continue
		}
		tr.spans = out.Assign(tr.eval.Event.Time, tr.spans[:0])
		if slices.Contains(tr.spans, tr.target.Span) {
			return true, nil
		}
	}
	return false, nil
}

func (tr *Trace) joins() bool {
	return tr.plan.Shape == pipeline.IntervalJoin || tr.plan.Shape == pipeline.Enrich
}

// deliver hands on what a task has sent through the repartition topic, and gives the outcome at the target's home.
func (tr *Trace) deliver(from, home *task) (flow.Outcome, error) {
	at := flow.Outcome(flow.Forwarded)
	letters := from.letters
	from.letters = nil
	for _, l := range letters {
		to := tr.tasks[l.partition]
		place := flow.Place{Partition: l.partition, Offset: to.arrived}
		to.arrived++
		if err := to.flow.Look(len(tr.plan.Sources), place, l.value); err != nil {
			return 0, err
		}
		outcome, err := to.flow.Take(place)
		if err != nil {
			return 0, err
		}
		if to == home && outcome != flow.Forwarded {
			at = outcome
		}
	}
	return at, nil
}

// follow notes what the event has done to the window.
func (tr *Trace) follow(s *Step, t, home *task, outcome flow.Outcome, belongs bool) error {
	if !belongs && !tr.joins() {
		return nil
	}
	s.Time = tr.eval.Event.Time
	session := tr.plan.Outputs[tr.target.Output].Session()
	home.row = nil
	changed := false
	if !session {
		if err := home.flow.Update(tr.target.Output, false); err != nil {
			return err
		}
		changed = home.row != nil
	} else if outcome == flow.Aggregated {
		if err := tr.session(s, home); err != nil {
			return err
		}
		changed = home.row != nil
	}
	if !belongs && !changed {
		return nil
	}
	switch {
	case t.missed || outcome == flow.Forwarded:
		s.Verdict = Missed
	default:
		s.Verdict = outcome.String()
	}
	if changed {
		s.take(home.row)
	} else if last := tr.last(); last != nil {
		s.Start, s.End, s.Values, s.Events = last.Start, last.End, last.Values, last.Events
	} else {
		s.Start, s.End = tr.target.Span.Start, tr.target.Span.End
	}
	return tr.add(s)
}

func (tr *Trace) add(s *Step) error {
	if len(tr.Steps) >= StepsMax {
		return fmt.Errorf("more than %d events belong to the window: follow a smaller group", StepsMax)
	}
	tr.Steps = append(tr.Steps, *s)
	return nil
}

// last is the last step that says what the window holds.
func (tr *Trace) last() *Step {
	for i := len(tr.Steps) - 1; i >= 0; i-- {
		if tr.Steps[i].Values != nil {
			return &tr.Steps[i]
		}
	}
	return nil
}

func (s *Step) take(r *window.Result) {
	s.Start, s.End, s.Events = r.Start, r.End, r.Events
	s.Values = r.Values
}

// session computes the session that holds the event anew, from the events that were taken before.
func (tr *Trace) session(s *Step, home *task) error {
	if len(tr.kept) >= sessionEventsMax {
		return nil
	}
	tr.kept, tr.from = append(tr.kept, s.Record), append(tr.from, s.Source)
	b := &sessionSink{target: &tr.target, time: s.Time}
	f, err := flow.NewBatch(tr.plan, b, flow.BatchOptions{Only: tr.target.Output})
	if err != nil {
		return err
	}
	for i, value := range tr.kept {
		if err := f.LookRecord(tr.from[i], value); err != nil {
			return err
		}
		if _, err := f.Take(flow.Place{Offset: int64(i)}); err != nil {
			return err
		}
	}
	if err := f.Finish(); err != nil {
		return err
	}
	home.row = b.row
	return nil
}

// close closes what the watermarks have passed.
func (tr *Trace) close() error {
	for _, t := range tr.tasks {
		t.row = nil
		if err := t.flow.Close(); err != nil {
			return err
		}
		verdict := Closed
		if t.row == nil && tr.joins() && tr.plan.Outputs[tr.target.Output].Updates {
			verdict = Joined
			if err := t.flow.Update(tr.target.Output, false); err != nil {
				return err
			}
		}
		if t.row == nil {
			continue
		}
		s := Step{Verdict: verdict, Watermark: t.flow.Watermark(), Place: flow.Place{Partition: t.id}}
		s.take(t.row)
		if err := tr.add(&s); err != nil {
			return err
		}
	}
	return nil
}

// Result keeps the row of the target.
func (t *task) Result(r *window.Result) error {
	g := &t.tr.target
	inside := r.Start >= g.Span.Start && r.End <= g.Span.End
	if r.Output != g.Output || !bytes.Equal(r.Key, g.Key) || !inside {
		return nil
	}
	t.row = cloneResult(r)
	return nil
}

func cloneResult(r *window.Result) *window.Result {
	row := *r
	row.Values = slices.Clone(r.Values)
	for i := range row.Values {
		row.Values[i].Bytes = slices.Clone(row.Values[i].Bytes)
	}
	return &row
}

// Report notes that an event has missed windows of the target's output.
func (t *task) Report(r *flow.Report) error {
	if r.Kind != flow.ReportMissed || r.Output != t.tr.target.Output {
		return nil
	}
	// The windows that an event misses are a prefix of its own: the target is among them if its own end has passed.
	o := &t.tr.plan.Outputs[r.Output]
	t.missed = !o.Session() && r.Watermark != window.NoWatermark && r.Watermark >= t.tr.target.Span.End+o.Lateness
	return nil
}

// Forward keeps a letter until the event has been dealt with.
func (t *task) Forward(partition int32, value []byte) error {
	t.letters = append(t.letters, letter{partition, slices.Clone(value)})
	return nil
}

// sessionSink keeps the session that holds a time.
type sessionSink struct {
	target *Target
	time   int64
	row    *window.Result
}

// Result keeps the session of the event in hand.
func (b *sessionSink) Result(r *window.Result) error {
	if bytes.Equal(r.Key, b.target.Key) && r.Start <= b.time && b.time < r.End {
		b.row = cloneResult(r)
	}
	return nil
}

// Report is told what is in no window.
func (b *sessionSink) Report(*flow.Report) error { return nil }

// Forward is never called.
func (b *sessionSink) Forward(int32, []byte) error { return errors.New("a batch forwards nothing") }
