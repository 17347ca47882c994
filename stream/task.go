package stream

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tidemark-io/tidemark/lake"
	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/state"
	"github.com/tidemark-io/tidemark/stream/journal"
	"github.com/tidemark-io/tidemark/stream/kafka"
	"github.com/tidemark-io/tidemark/stream/landing"
	"github.com/tidemark-io/tidemark/stream/pipeline"
	"github.com/tidemark-io/tidemark/stream/window"
)

// task is the unit of parallel work: one pipeline, one partition of its source. It turns records into state,
// outputs and journal entries; it does not talk to the broker. It is used by one
// goroutine at a time. The clock that it is given only dates things (published_at, the silence of a partition) and tells
// which windows are beyond belief when a decision is taken; no result depends on it.
type task struct {
	restoredFrom string // key of the checkpoint that its state came from, if it was restored in this session
	id           int32
	plan         *pipeline.Plan
	topicID      string
	wide         int32   // partitions of the source topic
	curatedWide  []int32 // partitions of each output's topic
	now          nowMillis
	eval         *pipeline.Eval
	engine       *window.Engine
	store        *state.Store
	lander       *lake.Lander // nil while replaying: the lander has its own position
	wmOptions    window.WatermarkOptions

	// What follows is the cut and what belongs to it.
	next         int64 // offset of the next record
	bornAt       int64 // offset at which the task began
	leaderEpoch  int32
	decisions    int64 // number of the last decision taken
	wm           window.Watermark
	counters     state.Counters
	bound        int64 // highest close bound (ms) of a confirmed window that holds or held events
	lastRecordAt int64 // wall clock of the last cut with new records, ms: how long it has been silent
	consumedAt   int64 // counters.Consumed then

	limit       int64 // a run to the end stops before this offset; math.MaxInt64 otherwise
	committed   int64 // next, as the broker last confirmed it
	replaying   bool  // outputs and journal entries were published before
	dirty       bool  // something happened since the last commit
	out         []*kafka.Record
	lateness    [len(LatenessBounds) + 1]int64
	stopped     error
	silentSince time.Time // when the partition was first seen without anything to read
}

// process applies records in offset order and closes what the watermark then allows. A *StopError or
// *schema.UnknownSchemaError leaves the task exactly before the record it names.
func (t *task) process(records []*kafka.Record) error {
	for _, r := range records {
		if r.Offset < t.next {
			continue // already in the state: the cut is behind what was fetched
		}
		if r.Offset >= t.limit {
			break
		}
		if !r.Attrs.IsControl() {
			if err := t.record(r); err != nil {
				return err
			}
		} else if t.lander != nil {
			t.lander.Advance(r.Offset + 1)
		}
		t.next, t.leaderEpoch, t.dirty = r.Offset+1, r.LeaderEpoch, true
		t.silentSince = time.Time{}
	}
	return t.close()
}

// record takes one data record down the path: decode, land, judge, deduplicate, aggregate, account.
func (t *task) record(r *kafka.Record) error {
	derr := t.eval.Record(r.Value)
	landable := t.eval.Landable()
	if derr != nil {
		if err := t.admissible(r, derr); err != nil {
			return err
		}
	} else if p := t.eval.PartitionOf(t.wide); p < 0 {
		return &StopError{Where: place(r), What: fmt.Sprintf("a field of source.key %v is null: nothing says where the event belongs", t.plan.Pipeline.Source.Key),
			Fix: "declare a key whose fields are never null"}
	} else if p != r.Partition {
		return &StopError{Where: place(r), What: fmt.Sprintf("by source.key %v this event belongs to partition %d", t.plan.Pipeline.Source.Key, p),
			Fix: "declare the key that the topic is really keyed by, or produce with the default (murmur2) partitioner"}
	}
	if t.lander != nil {
		if err := landing.Append(t.lander, r, &t.eval.Event, landable, derr); err != nil {
			return err
		}
	}
	t.counters.Consumed++
	if derr != nil {
		t.counters.Invalid++
		e := journal.Entry{Kind: journal.Invalid, Time: journal.NoTime, Reason: reasonOf(derr)}
		if landable {
			e.Time = t.eval.Event.Time
		}
		return t.report(r, &e)
	}
	return t.aggregate(r)
}

// admissible says whether a record that did not evaluate may be accounted as invalid. An unknown schema id may
// not: what it holds is not known to be wrong, so the task stops before it (law L3).
func (t *task) admissible(r *kafka.Record, derr error) error {
	var unknown *schema.UnknownSchemaError
	if errors.As(derr, &unknown) {
		return &StopError{Where: place(r), What: fmt.Sprintf("schema id %d is not among source.schema.ids", unknown.ID),
			Fix: "add the id (and its schema) to the pipeline file and start again; nothing of the partition was skipped", Err: derr}
	}
	var bad *schema.RecordError
	if !errors.As(derr, &bad) {
		return fmt.Errorf("%s: %w", place(r), derr)
	}
	return nil
}

// aggregate judges and adds one valid event. Lateness is judged by the watermark as it stood before the event, of
// the event's own partition, and before dedup: that makes the verdict a function of the partition's log alone.
func (t *task) aggregate(r *kafka.Record) error {
	in := &t.eval.Input
	mark := t.wm.Value(t.wmOptions)
	v, err := t.engine.Add(in, mark)
	if err != nil {
		return fmt.Errorf("%s: %w", place(r), err)
	}
	id := in.ID
	if !in.HasID {
		id = placeID(r) // every record is an event of its own
	}
	t.countLateness(in.Time)
	t.wm.Observe(in.Time, id, t.wmOptions)
	switch v.Outcome {
	case window.Late:
		t.counters.Late++
		return t.report(r, &journal.Entry{Kind: journal.Late, Time: in.Time, Watermark: mark, HasWatermark: true})
	case window.Duplicate:
		t.counters.Duplicate++
	default:
		t.counters.Aggregated++
	}
	for i := range t.plan.Outputs {
		if v.Missed&(1<<i) == 0 {
			continue
		}
		t.counters.Outputs[i].Missed++
		e := journal.Entry{Kind: journal.Missed, Time: in.Time, Output: t.plan.Outputs[i].Name, Watermark: mark, HasWatermark: true}
		if err := t.report(r, &e); err != nil {
			return err
		}
	}
	return nil
}

// close publishes and forgets every window that the watermark has passed. It runs at the end of each batch, and again in
// each commit.
func (t *task) close() error {
	mark := t.wm.Value(t.wmOptions)
	if mark == window.NoWatermark {
		return nil
	}
	return t.engine.Close(mark, t.emit)
}

// cut describes what the state reflects now: everything durable names it (law L4).
func (t *task) cut() (*state.Cut, error) {
	// Windows beyond the clock's limit are not worth closing for: they come from bad timestamps.
	if b, ok := t.engine.Bound(t.now() + t.wmOptions.MaxFuture); ok {
		t.bound = max(t.bound, b)
	}
	if t.counters.Consumed > t.consumedAt {
		t.lastRecordAt, t.consumedAt = t.now(), t.counters.Consumed
	}
	mark, err := json.Marshal(&t.wm)
	if err != nil {
		return nil, fmt.Errorf("task %d: encode watermark: %w", t.id, err)
	}
	counters := t.counters
	counters.Outputs = slices.Clone(t.counters.Outputs)
	open := t.engine.OpenWindows()
	for i := range counters.Outputs {
		counters.Outputs[i].Open = int64(open[i])
	}
	return &state.Cut{
		Version: state.CutVersion, Pipeline: t.plan.Pipeline.Name, Task: t.id, Fingerprint: t.plan.Fingerprint,
		Journal: t.decisions,
		Sources: []state.Source{{
			Topic: t.plan.Pipeline.Source.Topic, TopicID: t.topicID, Partition: t.id, Partitions: t.wide,
			Born: t.bornAt, Next: t.next, LeaderEpoch: t.leaderEpoch,
			Watermark: mark, Reached: t.wm.Value(t.wmOptions),
		}},
		Counters: counters, Bound: t.bound, LastRecordAt: t.lastRecordAt,
	}, nil
}
