package streamtest

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/flow"
	"github.com/tidemark-io/tidemark/stream/pipeline"
	"github.com/tidemark-io/tidemark/stream/window"
)

// Feed appends a record to a source's partition, processes all that waits, and commits. It gives the record's outcome.
func (d *Driver) Feed(source int, partition int32, value []byte) (flow.Outcome, error) {
	if source < 0 || source >= len(d.plan.Sources) || partition < 0 || partition >= d.width {
		return 0, fmt.Errorf("no partition %d of source %d: there are %d of %d", partition, source, d.width, len(d.plan.Sources))
	}
	d.Append(source, partition, value)
	outcome, err := d.Process(partition, source)
	if err != nil {
		return 0, err
	}
	return outcome, d.Settle()
}

// Settle processes all that waits, and commits, until nothing waits anywhere.
func (d *Driver) Settle() error {
	for again := true; again; {
		again = false
		for id := range d.width {
			for input := range d.logs {
				for d.Pending(id, input) > 0 {
					if _, err := d.Process(id, input); err != nil {
						return err
					}
					again = true
				}
			}
			if err := d.Commit(id); err != nil {
				return err
			}
		}
		again = again || d.waits()
	}
	return nil
}

func (d *Driver) waits() bool {
	for id := range d.width {
		for input := range d.logs {
			if d.Pending(id, input) > 0 {
				return true
			}
		}
	}
	return false
}

// Advance decides that all partitions have reached a time (ms), and closes what that closes.
func (d *Driver) Advance(to int64) error {
	if err := d.Settle(); err != nil {
		return err
	}
	for id := range d.width {
		for s := range d.plan.Sources {
			if err := d.Raise(id, s, to); err != nil {
				return err
			}
		}
	}
	return d.Settle()
}

// End is the end of all input: every window that holds events closes, as at the end of a bounded run.
func (d *Driver) End() error {
	if err := d.Settle(); err != nil {
		return err
	}
	bound := int64(flow.NoBound)
	for _, t := range d.tasks {
		bound = max(bound, t.flow.Bound(math.MaxInt64))
	}
	if bound == flow.NoBound {
		return nil
	}
	return d.Advance(bound)
}

// Rows are all values published so far, in the order in which they were.
func (d *Driver) Rows() []Row { return d.rows }

// Reports are the fates of events that are not in all of their windows, in the order in which they were committed.
func (d *Driver) Reports() []flow.Report { return d.said }

// Counters are those of all tasks together.
func (d *Driver) Counters() flow.Counters {
	sum := flow.Counters{Rules: make([]int64, len(d.plan.RuleNames)), Outputs: make([]flow.OutputCounters, len(d.plan.Outputs))}
	for _, t := range d.tasks {
		c := t.flow.Counters()
		sum.Consumed += c.Consumed
		sum.Received += c.Received
		sum.Aggregated += c.Aggregated
		sum.Duplicate += c.Duplicate
		sum.Late += c.Late
		sum.Filtered += c.Filtered
		sum.Invalid += c.Invalid
		sum.Forwarded += c.Forwarded
		sum.Pairs += c.Pairs
		sum.PairsFiltered += c.PairsFiltered
		sum.PairsInvalid += c.PairsInvalid
		for i, n := range c.Rules {
			sum.Rules[i] += n
		}
		for i, o := range c.Outputs {
			sum.Outputs[i].Closed += o.Closed
			sum.Outputs[i].Missed += o.Missed
		}
	}
	return sum
}

// Watermark is that of a task.
func (d *Driver) Watermark(task int32) int64 { return d.tasks[task].flow.Watermark() }

// State is the bytes of a task's committed state, for comparing: keys and values in order, as text.
func (d *Driver) State(task int32) []byte { return []byte(d.tasks[task].done.store.String()) }

// Encode reads a JSON text as a record value of a source, in the source's format.
func (d *Driver) Encode(source int, text []byte) ([]byte, error) {
	return d.plan.Sources[source].Source.FromJSON(nil, text)
}

// Batch computes all windows of an output over every record that was appended, whenever it came: what reconciling makes
// of the stream. Rows are sorted by start and key.
func (d *Driver) Batch(output int) ([]Row, error) {
	b := &batchSink{plan: d.plan, output: output}
	f, err := flow.NewBatch(d.plan, b, flow.BatchOptions{Only: output})
	if err != nil {
		return nil, err
	}
	for s := range d.plan.Sources {
		for p := range d.logs[s] {
			for offset, value := range d.logs[s][p].values {
				at := flow.Place{Partition: int32(p), Offset: int64(offset)}
				if err := f.LookRecord(s, value); err != nil {
					var unknown *schema.UnknownSchemaError
					if errors.As(err, &unknown) {
						continue
					}
					return nil, err
				}
				if _, err := f.Take(at); err != nil {
					return nil, err
				}
			}
		}
	}
	if err := f.Finish(); err != nil {
		return nil, err
	}
	SortRows(b.rows)
	return b.rows, nil
}

// SortRows sorts by output, start and key.
func SortRows(rows []Row) {
	slices.SortStableFunc(rows, func(a, b Row) int {
		if a.Output != b.Output {
			return compare(a.Output, b.Output)
		}
		if a.Start != b.Start {
			return int(min(max(a.Start-b.Start, -1), 1))
		}
		return compare(string(a.Key), string(b.Key))
	})
}

func compare(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// batchSink keeps what a batch gives.
type batchSink struct {
	plan   *pipeline.Plan
	output int
	rows   []Row
}

// Result keeps a window.
func (b *batchSink) Result(r *window.Result) error {
	t := driven{d: &Driver{plan: b.plan}}
	if err := t.Result(r); err != nil {
		return err
	}
	b.rows = append(b.rows, t.rows...)
	return nil
}

// Report is told what isn't in a window.
func (b *batchSink) Report(*flow.Report) error { return nil }

// Forward is never called.
func (b *batchSink) Forward(int32, []byte) error { return errors.New("a batch forwards nothing") }
