package stream

import (
	"math"
	"time"

	"github.com/tidemark-io/tidemark/lake"
	"github.com/tidemark-io/tidemark/state"
	"github.com/tidemark-io/tidemark/stream/flow"
	"github.com/tidemark-io/tidemark/stream/kafka"
	"github.com/tidemark-io/tidemark/stream/landing"
	"github.com/tidemark-io/tidemark/stream/pipeline"
)

// task is the unit of parallel work: one pipeline, one partition number of its inputs. It turns records into state,
// outputs and journal entries; it does not talk to the broker. It is used by one
// goroutine at a time. The clock that it is given only dates things (published_at, the silence of a partition) and tells
// which windows are beyond belief when a decision is taken; no result depends on it.
type task struct {
	restoredFrom string // key of the checkpoint that its state came from, if it was restored in this session
	id           int32
	plan         *pipeline.Plan
	curatedWide  []int32 // partitions of each output's topic
	repartition  string  // name of the repartition topic, if the pipeline is rekeyed
	now          nowMillis
	flow         *flow.Flow
	store        *state.Store

	// What follows is the cut and what belongs to it.
	inputs    []*input
	decisions int64 // number of the last decision taken
	life      int64 // number of the change decision with which the task began anew; 0 since its birth

	replaying bool // outputs and journal entries were published before
	dirty     bool // something happened since the last commit
	out       collector
	stopped   error
	abandoned bool      // a flow that has failed: what is not committed must not be
	updates   []updates // per output
	paused    string    // why nothing is read, though there is no fault of the task's; empty: it runs
}

// input is a task's part of one topic: the partition of its number.
type input struct {
	number  int // among the task's inputs
	topic   string
	topicID string
	wide    int32        // partitions of the topic
	lander  *lake.Lander // nil while replaying, since the lander has its own position, and of the repartition topic

	next        int64 // offset of the next record
	bornAt      int64 // offset at which the task began
	leaderEpoch int32

	limit       int64     // a run to the end stops before this offset; math.MaxInt64 otherwise
	committed   int64     // next, as the broker last confirmed it
	silentSince time.Time // when the partition was first seen without anything to read
	consumed    int64     // records since the task was opened

	held     []*kafka.Record // fetched, and not processed because the task is paused
	unlanded unlanded

	lastRecordAt int64 // wall clock of the last cut with new records, ms: how long it has been silent
	consumedAt   int64 // records consumed then
}

func newInput(number int, topic *kafka.TopicInfo) *input {
	return &input{number: number, topic: topic.Name, topicID: topic.ID, wide: topic.Partitions, leaderEpoch: -1, limit: math.MaxInt64}
}

// process applies records of one input in offset order and closes what the watermark then allows. A *StopError leaves
// the task exactly before the record it names, or abandoned.
func (t *task) process(in *input, records []*kafka.Record) error {
	for _, r := range records {
		if r.Offset < in.next {
			continue // already in the state: the cut is behind what was fetched
		}
		if r.Offset >= in.limit && !t.replaying { // another process of the run may have committed beyond
			break
		}
		if !r.Attrs.IsControl() {
			if err := t.record(in, r); err != nil {
				return err
			}
		} else if in.lander != nil {
			in.lander.Advance(r.Offset + 1)
		}
		in.next, in.leaderEpoch, t.dirty = r.Offset+1, r.LeaderEpoch, true
		in.silentSince = time.Time{}
	}
	return t.close()
}

// record takes one data record down the path: decode, land, and then whatever the flow does with it.
func (t *task) record(in *input, r *kafka.Record) error {
	at := flow.Place{Partition: r.Partition, Offset: r.Offset}
	if err := t.flow.Look(in.number, at, r.Value); err != nil {
		return t.refused(in, r, err)
	}
	if in.lander != nil {
		ev, landable := t.flow.Event()
		if err := landing.Append(in.lander, r, ev, landable, t.flow.Bad()); err != nil {
			return err
		}
		in.unlanded.add(r.Offset, r.Timestamp.UnixMilli(), t.now)
	}
	if _, err := t.flow.Take(at); err != nil {
		return t.failed(place(r), err)
	}
	in.consumed++
	return nil
}

// close gives out and forgets every window that the watermark has passed. It runs at the end of each batch, and again in
// each commit; where there are many results, or a closing is left from another life, only there (publish.go).
func (t *task) close() error {
	if t.out.committing() {
		if t.out.closing == nil {
			t.out.closing = &closing{From: t.flow.Closed()}
		}
		t.flow.HoldNot()
	} else if !t.replaying && t.out.postpones(t.flow.Due()) {
		return nil
	}
	if err := t.flow.Close(); err != nil {
		return t.failed(t.position(), err)
	}
	return nil
}
