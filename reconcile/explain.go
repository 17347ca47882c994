package reconcile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

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
	def   *window.Output
	span  span
	group string // canonical bytes
	at    int64  // the time asked for
	start int64
	end   int64
	late  places
	parts map[place]*rawRecord // of what a join made
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
	w := lastOf(def, o.Window.UnixMilli())
	x := &explainer{r: r, opt: o, def: def, group: string(group), at: o.Window.UnixMilli(), conflict: newConflicts(r.plan, 0), parts: make(map[place]*rawRecord)}
	x.key = unitKey{output, floorHour(w.Start)}
	x.span = spanOf(def, x.key.hour)
	x.out = &Explanation{
		APIVersion: APIVersion, Kind: "Explanation", Pipeline: r.plan.Pipeline.Name, Output: def.Name, Key: codec.FormatKey(group),
		Partition: x.key.partition(),
		Ranges:    []PlaceRange{}, Duplicates: []EventPlace{}, Late: []EventPlace{}, Batch: []NamedValue{}, Published: []Revision{},
	}
	x.window(w.Start, w.End)
	return x, nil
}

// window sets which window is explained.
func (x *explainer) window(start, end int64) {
	x.start, x.end = start, end
	x.out.WindowStart, x.out.WindowEnd = timeOf(start), timeOf(end)
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
	if err := x.r.readTails(ctx, v, x.key.output); err != nil {
		return err
	}
	u, err := x.r.unit(ctx, v, x.key, false)
	if err != nil {
		return err
	}
	whole := *u
	whole.last = nil // also what a certificate has seen
	if x.late, err = x.r.placesOf(ctx, v, &whole); err != nil {
		return err
	}
	if x.def.Session() {
		if err := x.findSession(ctx, v, u); err != nil {
			return err
		}
	}
	rc := &recomputer{
		bucket: x.r.bucket, plan: x.r.plan, limit: x.r.opt.Limits.UnitRecords, unit: x.key, span: x.span, places: x.late,
		observe: x.observe,
	}
	b, err := x.r.runBatch(ctx, v, rc, x.r.inputs(v, u))
	if err != nil {
		return err
	}
	if err := x.joined(); err != nil {
		return err
	}
	x.batch(b)
	x.own(v, u)
	return x.published(ctx, v, b)
}

// findSession finds the session that holds the time asked for: in the batch, or, if there is none, in what is published.
func (x *explainer) findSession(ctx context.Context, v *view, u *unitState) error {
	rc := &recomputer{bucket: x.r.bucket, plan: x.r.plan, limit: x.r.opt.Limits.UnitRecords, unit: x.key, span: x.span, places: x.late}
	b, err := x.r.runBatch(ctx, v, rc, x.r.inputs(v, u))
	if err != nil {
		return err
	}
	take := func(r *curated.Row) bool {
		if string(r.Key) != x.group || x.at < r.Start || x.at >= r.End {
			return false
		}
		x.window(r.Start, r.End)
		return true
	}
	for i := range b.rows {
		if take(&b.rows[i].row) {
			return nil
		}
	}
	rows, err := v.outputs[x.key.output].fold(ctx, x.r.bucket, x.span)
	for i := range rows {
		if take(&rows[i].row) {
			break
		}
	}
	return err
}

// own says whose the window is now. The stream closes it when the tasks that its events come from have passed it; nothing is
// known of where a window without events would come from, so then it takes all of them.
func (x *explainer) own(v *view, u *unitState) {
	closes := x.end + x.def.Lateness
	if why := x.r.plan.Unreconciled[x.key.output]; why != "" {
		x.out.Waits = []string{"nothing reconciles this output: " + why}
	} else {
		x.out.Waits = u.waits
	}
	tasks := v.tasks
	// A window lives in the task of its events' partition, unless they were brought together on the way.
	if len(x.out.Ranges) > 0 && !x.r.plan.Rekeyed {
		tasks = nil
		for _, r := range x.out.Ranges {
			tasks = append(tasks, v.tasks[r.Partition])
		}
	}
	switch {
	case closedUpTo(tasks) < closes:
		x.out.Owner, x.out.State = "stream", "open"
	case x.r.plan.Unreconciled[x.key.output] != "":
		x.out.Owner, x.out.State = "stream", "closed"
	case x.r.clean(u):
		x.out.Owner, x.out.State = "reconciler", fmt.Sprintf("certified %d", u.last.number)
	default:
		x.out.Owner, x.out.State = "reconciler", "closed"
	}
	for s, src := range v.sources {
		for i := range v.tasks {
			if t := &v.tasks[i]; s < len(t.next) && src.ends[t.task] < t.next[s] {
				x.out.NotLanded = append(x.out.NotLanded, fmt.Sprintf("%s/%d is landed up to %d, read up to %d", src.name, t.task, src.ends[t.task], t.next[s]))
			}
		}
	}
}

// observe is told of everything that enters the unit's windows; it keeps what is in the window.
func (x *explainer) observe(recs []*rawRecord, in *window.Input, out window.Outcome) error {
	if in.Time < x.start || in.Time >= x.end || string(in.Keys[x.key.output]) != x.group {
		return nil
	}
	if x.r.plan.Shape == pipeline.IntervalJoin || x.r.plan.Shape == pipeline.Enrich {
		x.out.Aggregated++
		for _, rec := range recs { // in no order, and some again: see joined
			x.parts[rec.at] = rec
		}
		return nil
	}
	rec := recs[0]
	if out == window.Duplicate {
		return x.list(&x.out.Duplicates, EventPlace{Place: rec.at.String(), Time: timeOf(in.Time), File: rec.file.Path}, rec, true)
	}
	x.out.Aggregated++
	return x.part(rec)
}

// joined lists the events that a join has made the window of, those of the one source, then those of the other.
func (x *explainer) joined() error {
	var recs []*rawRecord
	for _, rec := range x.parts {
		recs = append(recs, rec)
	}
	slices.SortFunc(recs, func(a, b *rawRecord) int {
		return cmp.Or(cmp.Compare(a.source, b.source), cmp.Compare(a.at.partition, b.at.partition), cmp.Compare(a.at.offset, b.at.offset))
	})
	for _, rec := range recs {
		if err := x.part(rec); err != nil {
			return err
		}
	}
	return nil
}

// part lists one event that is in the window.
func (x *explainer) part(rec *rawRecord) error {
	x.extend(rec.at)
	if rec.hasID {
		x.conflict.observe(rec.id, rec.ident)
	}
	x.out.Conflicts = x.conflict.count
	e := EventPlace{Place: rec.at.String(), Time: timeOf(rec.time), File: rec.file.Path}
	closes := x.closesFor(rec.time)
	if j, ok := x.late[rec.at]; ok && j.kind != journal.Invalid && (!j.hasWatermark || j.watermark >= closes) {
		e.Kind = strings.ToLower(j.kind.String())
		if j.hasWatermark {
			e.BehindMs = j.watermark - closes
		}
		if err := x.list(&x.out.Late, e, rec, true); err != nil {
			return err
		}
	}
	if x.opt.Events {
		return x.list(&x.out.Events, e, rec, false)
	}
	return nil
}

// closesFor is the watermark from which on an event of a time is late for the window.
func (x *explainer) closesFor(t int64) int64 {
	switch {
	case x.r.plan.Shape == pipeline.IntervalJoin || x.r.plan.Shape == pipeline.Enrich:
		return t + x.r.plan.Join.Lateness
	case x.def.Session():
		return t + x.def.Lateness
	}
	return x.end + x.def.Lateness
}

func (x *explainer) list(into *[]EventPlace, e EventPlace, rec *rawRecord, content bool) error {
	if len(*into) == listedMax {
		return nil
	}
	if content && len(*into) < shownMax {
		text, err := x.r.plan.Sources[rec.source].Source.ToJSON(rec.stored.Payload)
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
	if n := len(x.out.Ranges); n > 0 {
		last := &x.out.Ranges[n-1]
		if last.Topic == at.topic && last.Partition == at.partition && at.offset > last.Last && at.offset-last.Last <= rangeGap {
			last.Last = at.offset
			last.Events++
			return
		}
	}
	x.out.Ranges = append(x.out.Ranges, PlaceRange{Topic: at.topic, Partition: at.partition, First: at.offset, Last: at.offset, Events: 1})
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
		out = append(out, NamedValue{Name: x.r.plan.Outputs[x.key.output].Aggs[i].Name, Value: resultOf(x.r.plan, x.key.output, i, v)})
	}
	return out
}

// published lists every revision, in the order of the topic, and says whether the one in force is the batch's.
func (x *explainer) published(ctx context.Context, v *view, b *batch) error {
	p := v.outputs[x.key.output]
	err := p.each(ctx, x.r.bucket, x.span, func(at place, _ []byte, row *curated.Row) error {
		if !x.windowRow(row) {
			return nil
		}
		rev := Revision{
			Revision: row.Revision, Status: row.Status.String(), Cause: row.Cause.String(), Events: row.Events, Late: row.Late,
			Duplicates: row.Duplicates, PublishedAt: timeOf(row.PublishedAt), Run: row.Run, Place: at.String(), Values: []NamedValue{},
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
	if n := len(x.out.Published); n > 0 {
		x.out.Published[n-1].Held = true
	}
	before, err := p.fold(ctx, x.r.bucket, x.span)
	if err != nil {
		return err
	}
	x.out.Equal = true
	return merge(before, b.rows, func(p pair) error {
		c := correction{pair: p}
		if group, start, end := c.window(); string(group) == x.group && start == x.start && end == x.end && p.kind() != "" {
			x.out.Equal = false
			if p.before != nil {
				x.out.Odds = p.before.oddsText()
			}
		}
		return nil
	})
}
