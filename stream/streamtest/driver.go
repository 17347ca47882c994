package streamtest

import (
	"fmt"
	"slices"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/flow"
	"github.com/tidemark-io/tidemark/stream/pipeline"
	"github.com/tidemark-io/tidemark/stream/window"
	"github.com/tidemark-io/tidemark/stream/window/backingtest"
)

// Driver runs a pipeline's tasks in memory: no broker, no disk, no clock. Records that are appended to a source's
// partition are processed when Process says so, what they cause is published when Commit says so, and Crash forgets all
// that was not committed, as a process that dies does. Feed and End do what is usually wanted.
//
// It is Kafka Streams' TopologyTestDriver, with the tasks that the pipeline would have. It belongs to one goroutine. After
// an error it is unusable.
type Driver struct {
	plan   *pipeline.Plan
	width  int32
	memory int64
	logs   [][]log // per input, per partition
	tasks  []*driven
	rows   []Row
	said   []flow.Report
}

// log is a partition's records.
type log struct{ values [][]byte }

// Row is a published value of a window. Values are in the order of the output's aggregates.
type Row struct {
	Output     string
	Key        []byte // canonical bytes of the group key; plan.Codecs[i].FormatKey shows it
	Start, End int64  // ms
	Events     int64
	Duplicates int64
	Open       bool // provisional
	Values     []schema.Value
}

// driven is a task with its inputs.
type driven struct {
	d    *Driver
	id   int32
	flow *flow.Flow
	next []int64
	done committed

	rows    []Row // published when the task commits
	reports []flow.Report
	letters []letter
}

type letter struct {
	partition int32
	value     []byte
}

// committed is what a task would find after a crash.
type committed struct {
	store    *backingtest.Store
	next     []int64
	marks    [][]byte
	counters flow.Counters
	bound    int64
}

// NewDriver makes a driver whose sources have so many partitions.
func NewDriver(plan *pipeline.Plan, partitions int32) (*Driver, error) {
	if partitions < 1 {
		return nil, fmt.Errorf("a driver of %d partitions: at least 1", partitions)
	}
	return newDriver(plan, partitions, 0)
}

// newDriver is NewDriver with a limit on what each task keeps in memory rather than in its store, in bytes; 0 is none.
func newDriver(plan *pipeline.Plan, partitions int32, memory int64) (*Driver, error) {
	d := &Driver{plan: plan, width: partitions, memory: memory}
	for range flow.Inputs(plan) {
		d.logs = append(d.logs, make([]log, partitions))
	}
	for id := range partitions {
		t := &driven{d: d, id: id, done: committed{store: backingtest.New(), bound: flow.NoBound}}
		t.done.next = make([]int64, len(d.logs))
		d.tasks = append(d.tasks, t)
		if err := t.open(); err != nil {
			return nil, err
		}
		if err := t.commit(); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// open builds the task's flow from what it has committed.
func (t *driven) open() (err error) {
	c := &t.done
	t.next = slices.Clone(c.next)
	widths := slices.Repeat([]int32{t.d.width}, len(t.d.logs))
	if t.flow, err = flow.New(t.d.plan, t, flow.Options{Widths: widths, Backing: c.store, MemoryMax: t.d.memory}); err != nil {
		return fmt.Errorf("task %d: %w", t.id, err)
	}
	if c.marks == nil {
		return nil
	}
	for i, mark := range c.marks {
		if err := t.flow.Restore(i, mark); err != nil {
			return fmt.Errorf("task %d: %w", t.id, err)
		}
	}
	return t.flow.Resume(cloneCounters(&c.counters), c.bound)
}

func cloneCounters(c *flow.Counters) flow.Counters {
	out := *c
	out.Rules, out.Outputs = slices.Clone(c.Rules), slices.Clone(c.Outputs)
	return out
}

// Append adds a record to a source's partition. It isn't processed yet.
func (d *Driver) Append(source int, partition int32, value []byte) {
	l := &d.logs[source][partition]
	l.values = append(l.values, value)
}

// Pending is how many records of an input of a task wait to be processed. The input after the sources' is that of the
// repartition topic.
func (d *Driver) Pending(task int32, input int) int {
	return len(d.logs[input][task].values) - int(d.tasks[task].next[input])
}

// Inputs is how many inputs every task has, and Tasks how many tasks there are.
func (d *Driver) Inputs() int { return len(d.logs) }

// Tasks is how many tasks there are: as many as partitions.
func (d *Driver) Tasks() int32 { return d.width }

// Process takes one record of an input of a task, and gives its outcome.
func (d *Driver) Process(task int32, input int) (flow.Outcome, error) {
	t := d.tasks[task]
	offset := t.next[input]
	at := flow.Place{Partition: task, Offset: offset}
	if err := t.flow.Look(input, at, d.logs[input][task].values[offset]); err != nil {
		return 0, fmt.Errorf("task %d, input %d, offset %d: %w", task, input, offset, err)
	}
	outcome, err := t.flow.Take(at)
	if err != nil {
		return 0, err
	}
	t.next[input]++
	return outcome, nil
}

// Close closes what a task's watermark has passed. Commit does so too.
func (d *Driver) Close(task int32) error { return d.tasks[task].flow.Close() }

// Commit publishes what a task has given out, and makes its state what a crash goes back to.
func (d *Driver) Commit(task int32) error { return d.tasks[task].commit() }

func (t *driven) commit() error {
	if err := t.flow.Close(); err != nil {
		return err
	}
	if err := t.flow.Mark(t.id, false); err != nil {
		return err
	}
	marks := make([][]byte, len(t.next))
	for i := range t.next {
		var err error
		if marks[i], err = t.flow.EncodeMark(i); err != nil {
			return err
		}
	}
	var batch backingtest.Batch
	if err := t.flow.Write(&batch); err != nil {
		return err
	}
	t.done.store.Apply(&batch)
	d := t.d
	t.done.next, t.done.marks, t.done.counters = slices.Clone(t.next), marks, cloneCounters(t.flow.Counters())
	t.done.bound = t.flow.Bound(window.TimeMax)
	d.rows, d.said = append(d.rows, t.rows...), append(d.said, t.reports...)
	for _, l := range t.letters {
		d.Append(len(d.plan.Sources), l.partition, l.value)
	}
	t.rows, t.reports, t.letters = nil, nil, nil
	return nil
}

// Crash forgets what a task has done since its last Commit, and starts it again.
func (d *Driver) Crash(task int32) error {
	t := d.tasks[task]
	t.rows, t.reports, t.letters = nil, nil, nil
	return t.open()
}

// Raise decides that a source's partition has reached a time: its watermark becomes at least that.
func (d *Driver) Raise(task int32, source int, mark int64) error {
	t := d.tasks[task]
	if t.flow.Reached(source) >= mark {
		return t.flow.Mark(task, true)
	}
	if err := t.flow.Raise(source, mark); err != nil {
		return err
	}
	if err := t.flow.Mark(task, true); err != nil {
		return err
	}
	return t.flow.Close()
}

// Update gives out the open windows of an output, for those tasks that have it: the groups that have changed since, or all.
func (d *Driver) Update(output int, all bool) error {
	for _, t := range d.tasks {
		if err := t.flow.Close(); err != nil {
			return err
		}
		if err := t.flow.Update(output, all); err != nil {
			return err
		}
		if err := t.commit(); err != nil {
			return err
		}
	}
	return nil
}

// Result, Report and Forward are called by the flow.
func (t *driven) Result(r *window.Result) error {
	row := Row{Output: t.d.plan.Outputs[r.Output].Name, Key: slices.Clone(r.Key), Start: r.Start, End: r.End,
		Events: r.Events, Duplicates: r.Duplicates, Open: r.Open, Values: slices.Clone(r.Values)}
	for i := range row.Values {
		row.Values[i].Bytes = slices.Clone(row.Values[i].Bytes)
	}
	t.rows = append(t.rows, row)
	return nil
}

// Report keeps the fate of an event until the task commits.
func (t *driven) Report(r *flow.Report) error {
	t.reports = append(t.reports, *r)
	return nil
}

// Forward keeps a record of the repartition topic until the task commits.
func (t *driven) Forward(partition int32, value []byte) error {
	t.letters = append(t.letters, letter{partition, slices.Clone(value)})
	return nil
}
