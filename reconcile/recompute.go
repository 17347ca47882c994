package reconcile

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"sort"

	"github.com/tidemark-io/tidemark/lake"
	"github.com/tidemark-io/tidemark/lake/blob"
	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/curated"
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
	consumed, aggregated, duplicate, invalid int64
	conflicts                                int64
	outside                                  int64 // records read that belong to other units
}

// batch is a unit as the raw files say it is: the batch truth.
type batch struct {
	rows []batchRow // by key
	acc  accounting
	hash [sha256.Size]byte // over the rows, see rowsHash
}

// recomputer runs one unit's raw files through the window engine of the stream.
type recomputer struct {
	bucket blob.Bucket
	plan   *pipeline.Plan
	limit  int64 // records of a unit

	unit   unitKey
	span   span
	places places                 // what the journal says of the unit's events
	isNew  func(path string) bool // whether the last certificate had not seen the file

	// observe, when not nil, is told of every event of the unit's windows (explain).
	observe func(f *lake.File, st *lake.Stored, ev *pipeline.Eval, out window.Outcome) error

	// state of run
	eval     *pipeline.Eval
	engine   *window.Engine
	output   window.Output
	weights  []int // per aggregate: index of its hidden count, -1 if it needs none
	in       window.Input
	acc      accounting
	byKey    map[string]*evidence
	conflict *conflicts
	keyBuf   []byte
}

// run reads files, which must be in topicIndex.files' order, to their end: the lane that never closes a window
// early, so nothing is late. The result is a function of the set of events (law L1).
func (rc *recomputer) run(ctx context.Context, files []lake.File) (*batch, error) {
	if err := rc.prepare(files); err != nil {
		return nil, err
	}
	for i := range files {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := rc.file(ctx, &files[i]); err != nil {
			return nil, fmt.Errorf("recompute %s %s: %w", rc.output.Name, rc.unit.partition(), err)
		}
	}
	return rc.close()
}

func (rc *recomputer) prepare(files []lake.File) error {
	var records int64
	for i := range files {
		records += files[i].Records
	}
	rc.output = rc.plan.Outputs[rc.unit.output]
	if records > rc.limit {
		return fmt.Errorf("recompute %s %s: %d raw records, the limit is %d: raise Limits.UnitRecords",
			rc.output.Name, rc.unit.partition(), records, rc.limit)
	}
	rc.output, rc.weights = withCounts(rc.output)
	var err error
	rc.engine, err = window.NewEngine([]window.Output{rc.output}, nil, window.EngineOptions{MemoryMax: rc.plan.Pipeline.State.MemoryMax})
	if err != nil {
		return fmt.Errorf("recompute %s %s: %w", rc.output.Name, rc.unit.partition(), err)
	}
	rc.eval = rc.plan.NewEval()
	rc.in = window.Input{Keys: make([][]byte, 1), Args: make([][]schema.Value, 1)}
	rc.byKey = make(map[string]*evidence)
	rc.conflict = newConflicts(rc.plan, records)
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

func (rc *recomputer) file(ctx context.Context, f *lake.File) error {
	fresh := rc.isNew == nil || rc.isNew(f.Path)
	return lake.ReadFile(ctx, rc.bucket, *f, func(st *lake.Stored) error {
		return rc.record(f, st, fresh)
	})
}

func (rc *recomputer) record(f *lake.File, st *lake.Stored, fresh bool) error {
	err := rc.eval.Payload(st.SchemaID, st.Payload)
	var bad *schema.RecordError
	switch {
	case err == nil:
	case errors.As(err, &bad) && rc.eval.Landable():
		if rc.span.holds(rc.eval.Event.Time) {
			rc.acc.consumed++
			rc.acc.invalid++
		} else {
			rc.acc.outside++
		}
		return nil
	default:
		return fmt.Errorf("%s, offset %d: the lake took this record, this pipeline can't read it: %w", f.Path, st.Offset, err)
	}
	if !rc.span.holds(rc.eval.Event.Time) {
		rc.acc.outside++
		return nil
	}
	return rc.add(f, st, fresh)
}

func (rc *recomputer) add(f *lake.File, st *lake.Stored, fresh bool) error {
	src := &rc.eval.Input
	rc.in.Time, rc.in.ID, rc.in.HasID = src.Time, src.ID, src.HasID
	rc.in.Keys[0], rc.in.Args[0] = src.Keys[rc.unit.output], src.Args[rc.unit.output]
	v, err := rc.engine.Add(&rc.in, window.NoWatermark)
	if err != nil {
		return err
	}
	rc.acc.consumed++
	at := place{st.Partition, st.Offset}
	switch v.Outcome {
	case window.Aggregated:
		rc.acc.aggregated++
		rc.conflict.observe(&rc.eval.Event, src.ID)
		if e, ok := rc.places[at]; ok {
			rc.evidenceOf().late(at, e, fresh)
		}
	case window.Duplicate:
		rc.acc.duplicate++
		rc.evidenceOf().duplicate(at)
	case window.Late:
		return fmt.Errorf("offset %d of partition %d was judged late without a watermark", st.Offset, st.Partition)
	}
	if rc.observe == nil {
		return nil
	}
	return rc.observe(f, st, rc.eval, v.Outcome)
}

// evidenceOf is what is known of the window of the event in rc.in.
func (rc *recomputer) evidenceOf() *evidence {
	start := rc.output.Start(rc.in.Time)
	r := curated.Row{Key: rc.in.Keys[0], Start: start, End: start + rc.output.Size}
	rc.keyBuf = rc.plan.Codecs[rc.unit.output].AppendKey(rc.keyBuf[:0], &r)
	e := rc.byKey[string(rc.keyBuf)]
	if e == nil {
		e = &evidence{}
		rc.byKey[string(rc.keyBuf)] = e
	}
	return e
}

// close closes every window and sorts the rows.
func (rc *recomputer) close() (*batch, error) {
	codec := rc.plan.Codecs[rc.unit.output]
	shown := len(rc.weights)
	b := &batch{}
	err := rc.engine.Close(math.MaxInt64, func(res *window.Result) error {
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
		if e := rc.byKey[r.key]; e != nil {
			r.seen = *e
			r.row.Late = e.lateAll
		}
		b.rows = append(b.rows, r)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("recompute %s %s: %w", rc.output.Name, rc.unit.partition(), err)
	}
	sort.Slice(b.rows, func(i, j int) bool { return b.rows[i].key < b.rows[j].key })
	b.acc = rc.acc
	b.acc.conflicts = rc.conflict.count
	b.hash = rowsHash(b.rows)
	if got := b.acc.aggregated + b.acc.duplicate + b.acc.invalid; got != b.acc.consumed {
		return nil, fmt.Errorf("recompute %s %s: %d records, but %d aggregated + %d duplicate + %d invalid", rc.output.Name,
			rc.unit.partition(), b.acc.consumed, b.acc.aggregated, b.acc.duplicate, b.acc.invalid)
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
