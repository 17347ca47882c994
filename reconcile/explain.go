package reconcile

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/tidemark-io/tidemark/lake"
	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/curated"
	"github.com/tidemark-io/tidemark/stream/journal"
	"github.com/tidemark-io/tidemark/stream/pipeline"
	"github.com/tidemark-io/tidemark/stream/window"
)

// ErrNoOutput says that the pipeline has no output of the asked name, or more than one and none was named.
var ErrNoOutput = errors.New("no such output")

// Explain says where one window's value comes from: the events behind it, those that came late, twice or not at all, every
// value published, and who owns the window now.
func (r *Reconciler) Explain(ctx context.Context, o ExplainOptions) (*Explanation, error) {
	x, err := r.newExplainer(o)
	if err != nil {
		return nil, fmt.Errorf("explain: %w", err)
	}
	what := fmt.Sprintf("explain %s %s %s", x.out.Output, x.out.Key, timeText(x.start))
	if err := r.connected(what, func() error { return x.run(ctx) }); err != nil {
		return nil, err
	}
	return x.out, nil
}

// listedMax is how many events an explanation lists at most of each kind; ranges and counts are always whole.
const listedMax = 10_000

// shownMax is how many listed events of a kind are shown with their content.
const shownMax = 100

// explainer gathers one explanation.
type explainer struct {
	r     *Reconciler
	opt   ExplainOptions
	key   unitKey
	span  span
	group string // canonical bytes
	start int64
	end   int64
	late  places
	out   *Explanation

	conflict *conflicts
}

func (r *Reconciler) newExplainer(o ExplainOptions) (*explainer, error) {
	output, err := r.outputNamed(o.Output)
	if err != nil {
		return nil, err
	}
	codec := r.plan.Codecs[output]
	group, err := codec.ParseKey(o.Key)
	if err != nil {
		return nil, err
	}
	def := &r.plan.Outputs[output]
	start := def.Start(o.Window.UnixMilli())
	x := &explainer{r: r, opt: o, group: string(group), start: start, end: start + def.Size, conflict: newConflicts(r.plan, 0)}
	x.key = unitKey{output, floorHour(start)}
	x.span = spanOf(def, x.key.hour)
	x.out = &Explanation{
		APIVersion: APIVersion, Kind: "Explanation", Pipeline: r.plan.Pipeline.Name, Output: def.Name, Key: codec.FormatKey(group),
		WindowStart: timeOf(start), WindowEnd: timeOf(x.end), Partition: x.key.partition(),
		Ranges: []PlaceRange{}, Duplicates: []EventPlace{}, Late: []EventPlace{}, Batch: []NamedValue{}, Published: []Revision{},
	}
	return x, nil
}

func (r *Reconciler) outputNamed(name string) (int, error) {
	if name == "" && len(r.certs.outputs) == 1 {
		return 0, nil
	}
	for i, n := range r.certs.outputs {
		if n == name {
			return i, nil
		}
	}
	return 0, fmt.Errorf("output %q: %w; the pipeline has %s", name, ErrNoOutput, strings.Join(r.certs.outputs, ", "))
}

func (x *explainer) run(ctx context.Context) error {
	v, err := x.r.look(ctx)
	if err != nil {
		return err
	}
	if err := x.r.readTails(ctx, v); err != nil {
		return err
	}
	u, err := x.r.unit(ctx, v, x.key, false)
	if err != nil {
		return err
	}
	if x.late, err = v.journal.places(ctx, x.span, x.out.Output); err != nil {
		return err
	}
	rc := &recomputer{
		bucket: x.r.bucket, plan: x.r.plan, limit: x.r.opt.Limits.UnitRecords, unit: x.key, span: x.span, places: x.late,
		observe: x.observe,
	}
	b, err := x.r.runBatch(ctx, rc, u.files)
	if err != nil {
		return err
	}
	x.batch(b)
	x.own(v, u)
	return x.published(ctx, v, b)
}

// own says whose the window is now. The stream closes it when the tasks that its events come from have passed it; nothing is
// known of where a window without events would come from, so then it takes all of them.
func (x *explainer) own(v *view, u *unitState) {
	closes := x.end + x.r.plan.Outputs[x.key.output].Lateness
	x.out.Waits = u.waits
	tasks := v.tasks
	if len(x.out.Ranges) > 0 {
		tasks = nil
		for _, r := range x.out.Ranges {
			tasks = append(tasks, v.tasks[r.Partition])
		}
	}
	switch {
	case closedUpTo(tasks) < closes:
		x.out.Owner, x.out.State = "stream", "open"
	case x.r.clean(u):
		x.out.Owner, x.out.State = "reconciler", fmt.Sprintf("certified %d", u.last.number)
	default:
		x.out.Owner, x.out.State = "reconciler", "closed"
	}
	for i := range v.tasks {
		if t := &v.tasks[i]; t.found && v.source.ends[t.task] < t.next {
			x.out.NotLanded = append(x.out.NotLanded, fmt.Sprintf("%s/%d is landed up to %d, read up to %d", v.source.name, t.task, v.source.ends[t.task], t.next))
		}
	}
}

// observe is told of every event of the unit; it keeps those of the window.
func (x *explainer) observe(f *lake.File, st *lake.Stored, ev *pipeline.Eval, out window.Outcome) error {
	in := &ev.Input
	if in.Time < x.start || in.Time >= x.end || string(in.Keys[x.key.output]) != x.group {
		return nil
	}
	at := place{st.Partition, st.Offset}
	e := EventPlace{Place: at.text(x.r.plan.Pipeline.Source.Topic), Time: timeOf(in.Time), File: f.Path}
	if out == window.Duplicate {
		return x.list(&x.out.Duplicates, e, st, true)
	}
	x.extend(at)
	x.conflict.observe(&ev.Event, in.ID)
	x.out.Conflicts = x.conflict.count
	if j, ok := x.late[at]; ok && j.kind != journal.Invalid {
		e.Kind = strings.ToLower(j.kind.String())
		if j.hasWatermark {
			e.BehindMs = j.watermark - (x.end + x.r.plan.Outputs[x.key.output].Lateness)
		}
		if err := x.list(&x.out.Late, e, st, true); err != nil {
			return err
		}
	}
	if x.opt.Events {
		return x.list(&x.out.Events, e, st, false)
	}
	return nil
}

func (x *explainer) list(into *[]EventPlace, e EventPlace, st *lake.Stored, content bool) error {
	if len(*into) == listedMax {
		return nil
	}
	if content && len(*into) < shownMax {
		text, err := x.r.plan.Schema.ToJSON(st.Payload)
		if err != nil {
			return fmt.Errorf("%s: %w", e.Place, err)
		}
		e.Event = text
	}
	*into = append(*into, e)
	return nil
}

// extend adds an event to the ranges. Files come in the order of partitions and offsets, so a range grows at its end; other
// windows' events may lie between.
func (x *explainer) extend(at place) {
	x.out.Aggregated++
	if n := len(x.out.Ranges); n > 0 {
		last := &x.out.Ranges[n-1]
		if last.Partition == at.partition && at.offset > last.Last && at.offset-last.Last <= rangeGap {
			last.Last = at.offset
			last.Events++
			return
		}
	}
	x.out.Ranges = append(x.out.Ranges, PlaceRange{
		Topic: x.r.plan.Pipeline.Source.Topic, Partition: at.partition, First: at.offset, Last: at.offset, Events: 1,
	})
}

// rangeGap is how far apart two events of a range may lie.
const rangeGap = 1_000

func (x *explainer) windowRow(r *curated.Row) bool {
	return string(r.Key) == x.group && r.Start == x.start && r.End == x.end
}

func (x *explainer) batch(b *batch) {
	for i := range b.rows {
		if x.windowRow(&b.rows[i].row) {
			x.out.Batch = x.values(b.rows[i].row.Values)
		}
	}
}

func (x *explainer) values(vs []schema.Value) []NamedValue {
	out := make([]NamedValue, 0, len(vs))
	for i, v := range vs {
		out = append(out, NamedValue{Name: x.r.plan.Outputs[x.key.output].Aggs[i].Name, Value: numberOf(v)})
	}
	return out
}

// published lists every revision, in the order of the topic, and says whether the one in force is the batch's.
func (x *explainer) published(ctx context.Context, v *view, b *batch) error {
	p := v.outputs[x.key.output]
	err := p.each(ctx, x.r.bucket, x.key.hour, func(at place, _ []byte, row *curated.Row) error {
		if !x.windowRow(row) {
			return nil
		}
		rev := Revision{
			Revision: row.Revision, Status: row.Status.String(), Cause: row.Cause.String(), Events: row.Events, Late: row.Late,
			Duplicates: row.Duplicates, PublishedAt: timeOf(row.PublishedAt), Run: row.Run, Place: at.text(p.index.name), Values: []NamedValue{},
		}
		if row.Status != curated.Retracted {
			rev.Values = x.values(row.Values)
		}
		x.out.Published = append(x.out.Published, rev)
		return nil
	})
	if err != nil {
		return err
	}
	before, err := p.fold(ctx, x.r.bucket, x.key.hour)
	if err != nil {
		return err
	}
	x.out.Equal = true
	return merge(before, b.rows, func(p pair) error {
		c := correction{pair: p}
		if group, start, end := c.window(); string(group) == x.group && start == x.start && end == x.end && p.kind() != "" {
			x.out.Equal = false
		}
		return nil
	})
}
