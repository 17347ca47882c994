package reconcile

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"

	"github.com/tidemark-io/tidemark/state"
	"github.com/tidemark-io/tidemark/state/statetest"
	"github.com/tidemark-io/tidemark/stream/curated"
	"github.com/tidemark-io/tidemark/stream/flow"
	"github.com/tidemark-io/tidemark/stream/journal"
	"github.com/tidemark-io/tidemark/stream/kafka"
	"github.com/tidemark-io/tidemark/stream/window"
)

// handTask is one task of the stream by hand: the flow of the real one, over a fake broker. What it forwards goes to the
// other tasks in memory.
type handTask struct {
	g         *rig
	partition int32
	flow      *flow.Flow
	next      []int64 // per source
	letters   [][]byte
	seq       int64

	rows    []*kafka.Record
	entries []journal.Entry
}

var _ flow.Sink = (*handTask)(nil)

// deploy starts the tasks of a pipeline anew: of the first one with no watermark, of later ones at a watermark beyond all
// that was open, with empty state, as a change decision does.
func (g *rig) deploy() {
	g.t.Helper()
	old := g.tasks
	g.tasks = nil
	beyond := int64(math.MinInt64)
	for _, task := range old {
		beyond = max(beyond, task.flow.Bound(math.MaxInt64))
		for s := range g.plan.Sources {
			beyond = max(beyond, task.flow.Reached(s))
		}
	}
	for p := int32(0); p < sourcePartitions; p++ {
		task := &handTask{g: g, partition: p, next: make([]int64, len(g.plan.Sources))}
		widths := make([]int32, flow.Inputs(g.plan))
		for i := range widths {
			widths[i] = sourcePartitions
		}
		var err error
		task.flow, err = flow.New(g.plan, task, flow.Options{Widths: widths})
		g.must(err)
		e := journal.Entry{Kind: journal.Born, Time: journal.NoTime}
		if old != nil {
			copy(task.next, old[p].next)
			task.seq = old[p].seq
			task.raise(beyond)
			e = journal.Entry{Kind: journal.Change, Time: beyond, Watermark: beyond, HasWatermark: true}
		}
		task.decide(e)
		g.tasks = append(g.tasks, task)
	}
	g.settle()
	g.flush()
}

func (task *handTask) raise(to int64) {
	for s := range task.g.plan.Sources {
		if task.flow.Reached(s) < to {
			task.g.must(task.flow.Raise(s, to))
		}
	}
	task.g.must(task.flow.Mark(task.partition, true))
}

// decide journals a decision.
func (task *handTask) decide(e journal.Entry) {
	task.seq++
	e.Seq, e.Offset, e.Topic, e.Partition = task.seq, task.next[0], task.g.plan.Sources[0].Topic, task.partition
	task.journal(e)
}

func (task *handTask) journal(e journal.Entry) {
	e.Task, e.Fingerprint, e.Partitions = task.partition, task.g.plan.Fingerprint, sourcePartitions
	task.entries = append(task.entries, e)
}

// stream consumes what was sent, publishes what closes, journals what is late, lands everything and leaves checkpoints.
func (g *rig) stream() {
	g.t.Helper()
	for _, task := range g.tasks {
		for s := range g.plan.Sources {
			task.consume(s)
		}
	}
	g.finish()
}

func (task *handTask) consume(source int) {
	g := task.g
	g.t.Helper()
	topic := g.plan.Sources[source].Topic
	ends, err := g.admin.Offsets(g.ctx, topic)
	g.must(err)
	high := ends[task.partition].High
	g.must(kafka.ReadRange(g.ctx, g.k, topic, task.partition, task.next[source], high, func(r *kafka.Record) error {
		if r.Attrs.IsControl() {
			return nil
		}
		return task.take(source, r.Offset, r.Value)
	}))
	task.next[source] = high
}

func (task *handTask) take(input int, offset int64, value []byte) error {
	at := flow.Place{Partition: task.partition, Offset: offset}
	if err := task.flow.Look(input, at, value); err != nil {
		return err
	}
	_, err := task.flow.Take(at)
	return err
}

// settle closes what is to be closed, until nothing is on its way between tasks any more.
func (g *rig) settle() {
	g.t.Helper()
	for again := true; again; {
		again = false
		for _, task := range g.tasks {
			g.must(task.flow.Close())
			g.must(task.flow.Mark(task.partition, false))
		}
		for _, task := range g.tasks {
			letters := task.letters
			task.letters = nil
			for _, value := range letters {
				again = true
				g.must(task.take(len(g.plan.Sources), 0, value))
			}
		}
	}
}

// finish does what follows on a commit.
func (g *rig) finish() {
	g.t.Helper()
	g.settle()
	g.flush()
	g.checkpoint()
	g.land()
}

// flush publishes what the tasks have given out.
func (g *rig) flush() {
	g.t.Helper()
	var rows []*kafka.Record
	var entries []journal.Entry
	for _, task := range g.tasks {
		rows, entries = append(rows, task.rows...), append(entries, task.entries...)
		task.rows, task.entries = nil, nil
	}
	g.publish(rows, entries)
}

// update publishes the open windows of every output that says so.
func (g *rig) update() {
	g.t.Helper()
	for o := range g.plan.Outputs {
		for _, task := range g.tasks {
			if g.plan.Updates[o] > 0 {
				g.must(task.flow.Update(o, false))
			}
		}
	}
	g.finish()
}

// end declares the input over: every partition's watermark rises above all that is open.
func (g *rig) end() {
	g.t.Helper()
	bound := int64(math.MinInt64)
	for _, task := range g.tasks {
		bound = max(bound, task.flow.Bound(math.MaxInt64))
	}
	g.raise(bound)
}

// raise is a decision that raises every watermark.
func (g *rig) raise(to int64) {
	g.t.Helper()
	for _, task := range g.tasks {
		task.raise(to)
		task.decide(journal.Entry{Kind: journal.End, Time: to, Watermark: to, HasWatermark: true})
	}
	g.finish()
}

// Result publishes a window as the stream does.
func (task *handTask) Result(res *window.Result) error {
	row := curated.Row{
		Key: res.Key, Start: res.Start, End: res.End, Values: res.Values, Revision: res.Events + 1, Status: curated.Closed,
		Cause: curated.CauseClose, Events: res.Events, Duplicates: res.Duplicates,
	}
	if res.Open {
		row.Revision, row.Status, row.Cause = res.Events, curated.Open, curated.CauseUpdate
	}
	task.rows = append(task.rows, task.g.row(res.Output, &row))
	return nil
}

// Report journals the fate of an event.
func (task *handTask) Report(r *flow.Report) error {
	e := journal.Entry{Time: journal.NoTime, Reason: r.Reason, Topic: task.g.plan.Sources[r.Source].Topic, Partition: r.Place.Partition, Offset: r.Place.Offset}
	if r.HasTime {
		e.Time = r.Time
	}
	switch r.Kind {
	case flow.ReportInvalid:
		e.Kind = journal.Invalid
	case flow.ReportMissed:
		e.Kind, e.Output = journal.Missed, task.g.plan.Outputs[r.Output].Name
		e.Watermark, e.HasWatermark = r.Watermark, true
	case flow.ReportLate:
		e.Kind, e.Watermark, e.HasWatermark = journal.Late, r.Watermark, true
	}
	task.journal(e)
	return nil
}

// Forward hands a record to another task.
func (task *handTask) Forward(partition int32, value []byte) error {
	to := task.g.tasks[partition]
	to.letters = append(to.letters, bytes.Clone(value))
	return nil
}

// checkpoint leaves a manifest of every task, through the real store.
func (g *rig) checkpoint() {
	g.t.Helper()
	shared, err := state.NewShared(state.SharedOptions{FS: statetest.NewMem()})
	g.must(err)
	name := g.plan.Pipeline.Name
	for _, task := range g.tasks {
		store, err := state.Open(fmt.Sprintf("state/%d", task.partition), shared)
		g.must(err)
		cut := &state.Cut{
			Version: state.CutVersion, Pipeline: name, Task: task.partition, Fingerprint: g.plan.Fingerprint, Journal: task.seq, Bound: state.NoBound,
		}
		for s := range flow.Inputs(g.plan) {
			in := state.Source{Topic: g.plan.Pipeline.RepartitionTopic(), Partition: task.partition, Partitions: sourcePartitions, LeaderEpoch: -1, Reached: task.flow.Reached(s)}
			if s < len(g.plan.Sources) {
				in.Topic, in.Next = g.plan.Sources[s].Topic, task.next[s]
			}
			in.Watermark = json.RawMessage("{}")
			cut.Sources = append(cut.Sources, in)
		}
		g.must(store.Apply(cut, func(b state.Batch) error { return b.Set([]byte{0x10, byte(task.partition)}, []byte("x")) }))
		_, _, err = store.Checkpoint(g.ctx, g.bucket, state.CheckpointOptions{Prefix: fmt.Sprintf("checkpoints/%s/%d", name, task.partition), Keep: 3, Now: g.now})
		g.must(err)
		g.must(store.Close())
	}
	g.must(shared.Close())
}
