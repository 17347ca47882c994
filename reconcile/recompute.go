package reconcile

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"sort"

	"github.com/tidemark-io/tidemark/lake"
	"github.com/tidemark-io/tidemark/lake/blob"
	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/curated"
	"github.com/tidemark-io/tidemark/stream/flow"
	"github.com/tidemark-io/tidemark/stream/pipeline"
	"github.com/tidemark-io/tidemark/stream/window"
)

// batchRow is one recomputed window.
type batchRow struct {
	key    string // Kafka key: group, start, end
	row    curated.Row
	hash   [sha256.Size]byte
	counts []int64 // per aggregate: how many values a mean is of; -1 where unknown
	seen   evidence
}

// accounting says what became of the records of a unit's windows (law L3).
type accounting struct {
	consumed, aggregated, duplicate, filtered, invalid int64
	conflicts                                          int64
	outside                                            int64 // records read that belong to other units
}

// batch is a unit as the raw files say it is: the batch truth.
type batch struct {
	rows []batchRow // by key
	acc  accounting
	hash [sha256.Size]byte // over the rows, see rowsHash

	session bool
	moved   moved
}

// recomputer runs one unit's raw files through the flow of the stream, to the end of the input: nothing is late.
type recomputer struct {
	bucket blob.Bucket
	plan   *pipeline.Plan
	limit  int64 // records of a unit

	unit   unitKey
	span   span
	table  *table               // of the unit before, or nil
	places places               // what the journal says of the unit's events
	isNew  func(*unitFile) bool // whether the last certificate had not seen the file

	// observe, when not nil, is told of everything that enters the unit's windows (explain), and by which records: of what a
	// join makes, one or two.
	observe func(recs []*rawRecord, in *window.Input, out window.Outcome) error

	// state of run
	flow     *flow.Flow
	def      *window.Output // of the plan
	weights  []int          // per aggregate: index of its hidden count, -1 if it needs none
	rec      rawRecord      // in hand
	outside  int64
	evidence evidences
	moved    moved
	known    map[eventKey]*rawRecord // to observe by which records a join made something
	pending  *clue                   // of the record in hand, before its outcome is known
	conflict *conflicts
	rows     []batchRow
}

// rawRecord is a record of the raw lake, for whoever observes.
type rawRecord struct {
	at     place
	source int
	time   int64 // ms
	file   *lake.File
	stored *lake.Stored // of a known one: its payload only, and only if the journal names it
	fresh  bool         // the last certificate had not seen its file
	id     uint64
	hasID  bool
	ident  [16]byte
}

// run reads files, which must be in the order of filesOf, to their end: the lane that never closes a window
// early, so nothing is late. The result is a function of the set of events (law L1).
func (rc *recomputer) run(ctx context.Context, files []unitFile) (*batch, error) {
	if err := rc.prepare(files); err != nil {
		return nil, err
	}
	old, files := rc.old(files)
	if err := rc.versions(ctx, old); err != nil {
		return nil, rc.about(err)
	}
	for i := range files {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := rc.file(ctx, &files[i]); err != nil {
			return nil, rc.about(err)
		}
	}
	if err := rc.flow.Finish(); err != nil {
		return nil, rc.about(err)
	}
	return rc.batch()
}

func (rc *recomputer) about(err error) error {
	if errors.Is(err, window.ErrMemory) {
		err = fmt.Errorf("%w: raise state.memory_max", err)
	}
	return fmt.Errorf("recompute %s %s: %w", rc.def.Name, rc.unit.partition(), err)
}

func (rc *recomputer) prepare(files []unitFile) error {
	var records int64
	for i := range files {
		records += files[i].Records
	}
	rc.def = &rc.plan.Outputs[rc.unit.output]
	if records > rc.limit {
		return fmt.Errorf("recompute %s %s: %d raw records, the limit is %d: raise Limits.UnitRecords",
			rc.def.Name, rc.unit.partition(), records, rc.limit)
	}
	outputs := slices.Clone(rc.plan.Outputs)
	outputs[rc.unit.output], rc.weights = withCounts(*rc.def)
	var err error
	rc.flow, err = flow.NewBatch(rc.plan, rc, flow.BatchOptions{
		Outputs: outputs, Only: rc.unit.output, Starts: window.Span{Start: rc.span.hour, End: rc.span.hour + hourMs}, Observe: rc.entered, MemoryMax: rc.plan.Pipeline.State.MemoryMax,
	})
	if err != nil {
		return rc.about(err)
	}
	rc.evidence, rc.moved = newEvidences(rc.def), newMoved(rc.plan, rc.unit.output)
	rc.conflict = newConflicts(rc.plan, records)
	if rc.observe != nil && rc.joins() {
		rc.known = make(map[eventKey]*rawRecord)
	}
	return nil
}

// withCounts adds to each mean a hidden count of its values, so that a mean of means can be weighted exactly. Where that
// would be too many aggregates, means are weighted by events.
func withCounts(o window.Output) (window.Output, []int) {
	aggs := append([]window.Agg(nil), o.Aggs...)
	weights := make([]int, len(o.Aggs))
	for i, a := range o.Aggs {
		weights[i] = -1
		if a.Func == window.Mean && len(aggs) < window.AggsMax {
			weights[i] = len(aggs)
			aggs = append(aggs, window.Agg{Name: "count of " + a.Name, Func: window.Count, Arg: a.Arg, In: a.In})
		}
	}
	o.Aggs = aggs
	return o, weights
}

func (rc *recomputer) file(ctx context.Context, f *unitFile) error {
	fresh := rc.isNew == nil || rc.isNew(f)
	return lake.ReadFile(ctx, rc.bucket, f.File, func(st *lake.Stored) error {
		rc.rec = rawRecord{
			at: place{rc.plan.Sources[f.source].Topic, st.Partition, st.Offset}, source: f.source, file: &f.File, stored: st, fresh: fresh,
		}
		return rc.record()
	})
}

// record takes the record in hand, if it concerns the unit.
func (rc *recomputer) record() error {
	rec := &rc.rec
	rc.pending = nil
	if err := rc.flow.LookPayload(rec.source, rec.stored.SchemaID, rec.stored.Payload); err != nil {
		return rc.unreadable(err)
	}
	// A record with a valid event time is landed by it, even if the rest is bad: invalid, here as in the stream.
	ev, landable := rc.flow.Event()
	bad := rc.flow.Bad()
	if bad != nil && !landable {
		return rc.unreadable(bad)
	}
	if !rc.concerns(rec.source, ev.Time) {
		rc.outside++
		return nil
	}
	at := flow.Place{Partition: rec.at.partition, Offset: rec.at.offset}
	rec.time = ev.Time
	if bad == nil {
		rec.id, rec.hasID = rc.conflict.idOf(rec.source, ev)
		rec.ident = rc.flow.EventID(at)
		rc.pending = rc.named(rec.at)
		rc.remember()
	}
	outcome, err := rc.flow.Take(at)
	if err != nil || bad != nil {
		return err
	}
	if outcome == flow.Aggregated && rec.hasID {
		rc.conflict.observe(rec.id, rec.ident)
	}
	if rc.joins() {
		rc.taken(eventKey{rec.source, rec.ident}, outcome == flow.Duplicate)
	}
	rc.pending = nil
	return nil
}

func (rc *recomputer) unreadable(err error) error {
	return fmt.Errorf("%s, offset %d: the lake took this record, this pipeline can't read it: %w", rc.rec.file.Path, rc.rec.at.offset, err)
}

// concerns reports whether the unit's results can depend on an event of a source and time.
func (rc *recomputer) concerns(source int, t int64) bool {
	if !rc.joins() {
		return rc.span.holds(rc.def, t)
	}
	from, to := flow.Reads(rc.plan, source, rc.span.hour, rc.span.end)
	return t >= from && t < to
}

func (rc *recomputer) joins() bool {
	return rc.plan.Shape == pipeline.IntervalJoin || rc.plan.Shape == pipeline.Enrich
}

var _ flow.Sink = (*recomputer)(nil)

// Result takes one window, if it is the unit's.
func (rc *recomputer) Result(res *window.Result) error {
	if !rc.span.owns(rc.def, res.Start) {
		return nil
	}
	codec := rc.plan.Codecs[rc.unit.output]
	shown := len(rc.weights)
	r := batchRow{row: curated.Row{
		Key: bytes.Clone(res.Key), Start: res.Start, End: res.End, Values: cloneValues(res.Values[:shown]),
		Status: curated.Closed, Events: res.Events, Duplicates: res.Duplicates,
	}}
	r.key = string(codec.AppendKey(nil, &r.row))
	r.hash = codec.RowHash(&r.row)
	r.counts = make([]int64, shown)
	for i, w := range rc.weights {
		r.counts[i] = res.Events
		if w >= 0 {
			r.counts[i] = res.Values[w].Int()
		}
	}
	r.seen = rc.evidence.of(string(res.Key), window.Span{Start: res.Start, End: res.End}, res.End+rc.def.Lateness)
	r.row.Late = r.seen.lateAll
	if r.seen.lateNew == 0 {
		out := rc.moved.of(string(res.Key), window.Span{Start: res.Start, End: res.End})
		r.seen.add(&out)
	}
	rc.rows = append(rc.rows, r)
	return nil
}

// Report is told of events that no window takes; the accounting has them.
func (rc *recomputer) Report(*flow.Report) error { return nil }

// Forward is never called: a batch needs no repartition topic.
func (rc *recomputer) Forward(int32, []byte) error {
	return errors.New("a batch forwards nothing")
}

// batch sorts the rows and closes the books.
func (rc *recomputer) batch() (*batch, error) {
	c := rc.flow.Counters()
	b := &batch{rows: rc.rows, session: rc.def.Session(), moved: rc.moved, acc: accounting{
		consumed: c.Consumed, aggregated: c.Aggregated, duplicate: c.Duplicate, filtered: c.Filtered, invalid: c.Invalid,
		conflicts: rc.conflict.count, outside: rc.outside,
	}}
	sort.Slice(b.rows, func(i, j int) bool { return b.rows[i].key < b.rows[j].key })
	b.hash = rowsHash(b.rows)
	if !c.Balanced() {
		return nil, rc.about(fmt.Errorf("%d records, but %d aggregated + %d duplicate + %d filtered + %d invalid",
			c.Consumed, c.Aggregated, c.Duplicate, c.Filtered, c.Invalid))
	}
	return b, nil
}

// rowsHash is SHA-256 over the row hashes in the order of their keys: key and aggregates, nothing that timing decides.
func rowsHash(rows []batchRow) (sum [sha256.Size]byte) {
	h := sha256.New()
	for i := range rows {
		h.Write(rows[i].hash[:])
	}
	h.Sum(sum[:0])
	return sum
}

func cloneValues(vs []schema.Value) []schema.Value {
	out := make([]schema.Value, len(vs))
	for i, v := range vs {
		if v.Bytes != nil {
			v.Bytes = bytes.Clone(v.Bytes)
		}
		out[i] = v
	}
	return out
}
