package reconcile

import (
	"context"
	"encoding/hex"
	"fmt"
	"math"
	"time"

	"github.com/tidemark-io/tidemark/crashpoint"
	"github.com/tidemark-io/tidemark/stream/flow"
	"github.com/tidemark-io/tidemark/stream/pipeline"
	"github.com/tidemark-io/tidemark/stream/window"
)

// scope chooses the units that a survey looks at.
type scope struct {
	all          bool             // settle and lookback don't count
	since, until time.Time        // zero: no bound
	only         map[unitKey]bool // nil: every unit
	top          int
}

func (s *scope) takes(k unitKey) bool {
	at := time.UnixMilli(k.hour)
	return (s.only == nil || s.only[k]) && (s.since.IsZero() || !at.Before(s.since)) && (s.until.IsZero() || at.Before(s.until))
}

// dueUnit is a due unit with what was found in it.
type dueUnit struct {
	unitState
	id      string
	windows Windows
	batch   *batch // nil where the survey held too many rows already: recompute again
}

// survey is a plan together with what applying it needs.
type survey struct {
	plan *Plan
	view *view
	due  []*dueUnit
	held int // rows of the batches kept

	totals []*totals
	rank   *ranking
}

// survey recomputes and compares every due unit of the scope. It reads only.
func (r *Reconciler) survey(ctx context.Context, sc scope) (*survey, error) {
	mark := r.mark()
	v, err := r.look(ctx)
	if err != nil {
		return nil, err
	}
	if err := r.readTails(ctx, v, -1); err != nil {
		return nil, err
	}
	v.exact = true
	s := r.newSurvey(v, sc)
	keys := r.inScope(s, sc)
	for i, k := range keys {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := r.surveyUnit(ctx, s, k, sc.all); err != nil {
			return nil, err
		}
		r.opt.Progress(Progress{Phase: "plan", Done: i + 1, Total: len(keys), Output: r.plan.Outputs[k.output].Name, Partition: k.partition()})
	}
	s.finish(r)
	s.plan.Cost = r.since(mark)
	return s, nil
}

func (r *Reconciler) newSurvey(v *view, sc scope) *survey {
	s := &survey{view: v, rank: newRanking(sc.top)}
	s.plan = &Plan{
		APIVersion: APIVersion, Kind: "ReconcilePlan", Pipeline: r.plan.Pipeline.Name, Fingerprint: r.plan.Fingerprint,
		CreatedAt: r.opt.Now().UTC(), Cut: make(map[string][]int64),
		Causes: map[string]int64{"late": 0, "duplicate": 0}, Top: []Change{}, Units: []Unit{},
	}
	for _, src := range v.sources {
		s.plan.Cut[src.name] = append([]int64(nil), src.ends...)
	}
	for i := range r.plan.Outputs {
		s.totals = append(s.totals, newTotals(r.plan.Outputs[i].Aggs))
	}
	return s
}

// inScope lists the units to look at. Lookback is measured in event time, back from the newest hour that is closed
// everywhere, to where a unit's windows end: neither the clock nor one bad stamp far ahead decides how old a unit is, and
// none is too old before it has closed.
func (r *Reconciler) inScope(s *survey, sc scope) []unitKey {
	oldest := int64(math.MinInt64)
	if back := r.plan.Pipeline.Reconcile.Lookback.Milliseconds(); !sc.all && back > 0 {
		if closed := closedUpTo(s.view.tasks); closed > math.MinInt64+back {
			oldest = floorHour(closed - back)
		}
	}
	var keys []unitKey
	for _, k := range r.units(s.view) {
		switch {
		case !sc.takes(k):
		case spanOf(&r.plan.Outputs[k.output], k.hour).last() <= oldest:
			s.plan.Older++
		default:
			keys = append(keys, k)
		}
	}
	return keys
}

func (r *Reconciler) surveyUnit(ctx context.Context, s *survey, k unitKey, all bool) error {
	u, err := r.unit(ctx, s.view, k, all)
	if err != nil {
		return err
	}
	d := r.describe(u)
	switch d.State {
	case UnitClean:
		s.plan.Clean++
		return nil
	case UnitWaiting:
		s.plan.Waiting++
		s.plan.Units = append(s.plan.Units, d)
		return nil
	}
	var found *diff
	b, err := r.recompute(ctx, s.view, u)
	if err == nil {
		found, err = r.compare(ctx, s.view, u, b, s.totals[k.output].add)
	}
	if damage := damageOf(err); damage != "" {
		s.plan.Damaged++
		s.plan.Units = append(s.plan.Units, r.setAside(u, damage))
		return nil
	}
	if err != nil {
		return err
	}
	crashpoint.Hit("reconcile/recomputed")
	du := &dueUnit{unitState: *u, windows: found.windows}
	du.id = found.id(r.plan.Fingerprint, d.Output, k.hour, u.digest)
	if s.held+len(b.rows) <= r.opt.Limits.RowsHeld {
		s.held += len(b.rows)
		du.batch = b
	}
	d.ID, d.Windows = du.id, du.windows
	s.due = append(s.due, du)
	s.plan.GivenUp = addUnit(s.plan.GivenUp, r.allGone(s.view), r.goneOf(s.view, u.span, nil))
	s.plan.Units = append(s.plan.Units, d)
	s.plan.Due++
	s.plan.Windows.add(found.windows)
	if found.windows.differ() > 0 {
		s.plan.Partitions++
	}
	for i := range found.corrections {
		c := &found.corrections[i]
		countCauses(s.plan.Causes, c)
		s.rank.offer(r.plan, k.output, c)
	}
	return nil
}

// recompute reads a unit's files through the window engine.
func (r *Reconciler) recompute(ctx context.Context, v *view, u *unitState) (*batch, error) {
	where, err := r.placesOf(ctx, v, u)
	if err != nil {
		return nil, err
	}
	rc := &recomputer{bucket: r.bucket, plan: r.plan, limit: r.opt.Limits.UnitRecords, unit: u.key, span: u.span, places: where, isNew: r.newFiles(u)}
	return r.runBatch(ctx, v, rc, r.inputs(v, u))
}

// inputs are all files that a unit depends on.
func (r *Reconciler) inputs(v *view, u *unitState) []unitFile {
	return append(r.past(v, u.span, nil), u.files...)
}

// placesOf are what the journal says of the events that the unit reads.
func (r *Reconciler) placesOf(ctx context.Context, v *view, u *unitState) (places, error) {
	from, to := u.span.hour, u.span.end
	for i := range r.plan.Sources {
		if low, _ := flow.Reads(r.plan, i, u.span.hour, u.span.end); low > window.TimeMin {
			from = min(from, low)
		}
	}
	out, err := v.journal.places(ctx, from, to, r.plan.Outputs[u.key.output].Name)
	if err != nil || r.plan.Shape != pipeline.Enrich {
		return out, err
	}
	return out, r.placesOfVersions(ctx, v, u, out)
}

// placesOfVersions adds what the journal says of versions from before the unit: of those that the last certificate had not
// seen, as far as lookback reaches. Versions may be of any age, and most are as they were.
func (r *Reconciler) placesOfVersions(ctx context.Context, v *view, u *unitState, into places) error {
	oldest := int64(math.MinInt64)
	if back := r.plan.Pipeline.Reconcile.Lookback.Milliseconds(); back > 0 {
		oldest = u.span.hour - back
	}
	isNew := r.newFiles(u)
	hours := make(map[int64]bool)
	for _, f := range r.past(v, u.span, nil) {
		if h := floorHour(f.MinTime); h >= oldest && isNew(&f) {
			hours[h] = true
		}
	}
	for h := range hours {
		if err := v.journal.placesOfTopic(ctx, h, r.plan.Sources[r.plan.Join.Right].Topic, into); err != nil {
			return err
		}
	}
	return nil
}

func (r *Reconciler) runBatch(ctx context.Context, v *view, rc *recomputer, files []unitFile) (*batch, error) {
	rc.table, v.table = v.table, nil
	b, err := rc.run(ctx, files)
	if err != nil {
		return nil, err
	}
	v.table = rc.table
	r.records += b.acc.consumed + b.acc.outside
	return b, nil
}

// newFiles tells which files the last certificate had not seen: it lists them, but for those of its history, which the cut tells.
func (r *Reconciler) newFiles(u *unitState) func(*unitFile) bool {
	if u.last == nil {
		return func(*unitFile) bool { return true }
	}
	cert := u.last.cert
	seen := make(map[string]bool, len(cert.Input.Files))
	for i := range cert.Input.Files {
		seen[cert.Input.Files[i].Path] = true
	}
	var cut []int64
	if h := cert.Input.History; h != nil {
		cut = cert.cutOf(h.Topic)
	}
	return func(f *unitFile) bool {
		if f.source == r.table() && f.MaxTime < u.span.hour {
			return int(f.Partition) >= len(cut) || f.First >= cut[f.Partition]
		}
		return !seen[f.Path]
	}
}

// compare folds what is published of the unit and holds it against the batch. each, if not nil, is told of every window.
func (r *Reconciler) compare(ctx context.Context, v *view, u *unitState, b *batch, each func(pair)) (*diff, error) {
	name := r.plan.Outputs[u.key.output].Name
	before, err := v.outputs[u.key.output].fold(ctx, r.bucket, u.span)
	if err != nil {
		return nil, fmt.Errorf("compare %s %s: %w", name, u.key.partition(), err)
	}
	d, err := diffOf(before, b, func(end int64) (bool, error) {
		if u.last != nil {
			return u.last.fingerprint != r.plan.Fingerprint, nil
		}
		return v.journal.codeChanged(ctx, r.plan.Fingerprint, end+r.plan.Outputs[u.key.output].Lateness)
	})
	if err != nil {
		return nil, fmt.Errorf("compare %s %s: %w", name, u.key.partition(), err)
	}
	if each == nil {
		return d, nil
	}
	return d, merge(before, b.rows, func(p pair) error { each(p); return nil })
}

// finish fills in what needs all units: totals, the largest changes, the guard's verdict and the plan's id.
func (s *survey) finish(r *Reconciler) {
	for i, t := range s.totals {
		s.plan.Totals = append(s.plan.Totals, t.of(r.plan.Outputs[i].Name)...)
	}
	s.plan.Top = s.rank.top()
	s.plan.Guard = judge(r.plan.Pipeline.Reconcile.Guard, s.plan.Windows, s.plan.Totals)
	if len(s.due) > 0 {
		s.plan.ID = s.fullID()[:planIDDigits]
	}
}

// planIDDigits is how long a plan's id is, in hexadecimal digits, unless another plan has the same.
const planIDDigits = 6

// fullID hashes the ids of the due units.
func (s *survey) fullID() string {
	x := newHasher("tidemark plan v1")
	for _, u := range s.due {
		x.text(u.id)
	}
	return hex.EncodeToString(x.sum())
}
