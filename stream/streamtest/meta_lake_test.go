package streamtest

import (
	"bytes"
	"fmt"
	"math"
	"slices"

	"github.com/tidemark-io/tidemark/stream/flow"
)

// checkLake: an output computed from what the raw lake keeps of each record is what it is from the records (law L3); and a
// window of it, from no more than what a unit of reconciling reads.
func (c *metaCase) checkLake(output int, want []Row) error {
	rows, err := c.lakeBatch(output, math.MinInt64, math.MaxInt64)
	if err != nil {
		return err
	}
	if x, y := rowTexts(rows), rowTexts(want); !slices.Equal(x, y) {
		return fmt.Errorf("output %d from the lake and from the topic:\n%s", output, difference(x, y))
	}
	if len(rows) == 0 {
		return nil
	}
	one := &rows[c.seed%uint64(len(rows))]
	start, end := one.Start, one.End
	if o := &c.p.outputs[output]; o.gap > 0 {
		span := o.spans(one.Start)[0]
		start, end = span.start, span.end
	}
	part, err := c.lakeBatch(output, start, end)
	if err != nil {
		return err
	}
	within := func(r Row) bool { return r.Start < start || r.End > end }
	if x, y := rowTexts(slices.DeleteFunc(part, within)), rowTexts(slices.DeleteFunc(slices.Clone(want), within)); !slices.Equal(x, y) {
		return fmt.Errorf("output %d, the unit [%d, %d) from what it reads, and from everything:\n%s", output, start, end, difference(x, y))
	}
	return nil
}

// lakeBatch computes an output from the lake, reading what the windows within [start, end) depend on.
func (c *metaCase) lakeBatch(output int, start, end int64) ([]Row, error) {
	sink := &batchSink{plan: c.plan, output: output}
	f, err := flow.NewBatch(c.plan, sink, flow.BatchOptions{Only: output})
	if err != nil {
		return nil, err
	}
	eval := c.plan.NewEval()
	for s := range c.log.values {
		from, to := int64(math.MinInt64), int64(math.MaxInt64)
		if start > from {
			from, to = flow.Reads(c.plan, s, start, end)
		}
		for p := range c.log.values[s] {
			for offset, value := range c.log.values[s][p] {
				err := eval.Decode(s, value)
				if !eval.Landable() {
					if err == nil {
						return nil, fmt.Errorf("source %d, partition %d, offset %d: sound, and without a place in the lake", s, p, offset)
					}
					continue // it is quarantined
				}
				if eval.Event.Time < from || eval.Event.Time >= to {
					continue
				}
				if err := f.LookPayload(s, eval.Event.SchemaID, bytes.Clone(eval.Event.Payload)); err != nil {
					return nil, err
				}
				if _, err := f.Take(flow.Place{Partition: int32(p), Offset: int64(offset)}); err != nil {
					return nil, err
				}
			}
		}
	}
	if err := f.Finish(); err != nil {
		return nil, err
	}
	return sink.rows, nil
}
