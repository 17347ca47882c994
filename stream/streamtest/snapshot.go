package streamtest

import (
	"errors"
	"slices"

	"github.com/tidemark-io/tidemark/stream/flow"
)

// Snapshot is everything that a Driver has at one moment, as its last commits left it. It doesn't change; any number of
// drivers of the same pipeline can be restored from it.
type Snapshot struct {
	width int32
	logs  [][][][]byte // per input, per partition: values
	done  []committed
	rows  []Row
	said  []flow.Report
}

// Snapshot commits all tasks and keeps what they then have: records that wait, state, watermarks, counters, and what was
// published.
func (d *Driver) Snapshot() (*Snapshot, error) {
	for id := range d.width {
		if err := d.Commit(id); err != nil {
			return nil, err
		}
	}
	s := &Snapshot{width: d.width, rows: slices.Clone(d.rows), said: slices.Clone(d.said)}
	for _, partitions := range d.logs {
		var values [][][]byte
		for _, l := range partitions {
			values = append(values, slices.Clone(l.values))
		}
		s.logs = append(s.logs, values)
	}
	for _, t := range d.tasks {
		s.done = append(s.done, t.done.clone())
	}
	return s, nil
}

var errOtherShape = errors.New("restore: the snapshot is of a driver with other partitions or another pipeline")

// Restore makes the driver one that stands where the snapshot was taken. What it had done itself is forgotten.
func (d *Driver) Restore(s *Snapshot) error {
	if s.width != d.width || len(s.logs) != len(d.logs) {
		return errOtherShape
	}
	d.rows, d.said = slices.Clone(s.rows), slices.Clone(s.said)
	for input, partitions := range s.logs {
		for p, values := range partitions {
			d.logs[input][p].values = slices.Clone(values)
		}
	}
	for id, t := range d.tasks {
		t.rows, t.reports, t.letters = nil, nil, nil
		t.done = s.done[id].clone()
		if err := t.open(); err != nil {
			return err
		}
	}
	return nil
}

func (c *committed) clone() committed {
	return committed{
		store: c.store.Clone(),
		next:  slices.Clone(c.next), marks: slices.Clone(c.marks), counters: cloneCounters(&c.counters), bound: c.bound,
	}
}

// Reached is the watermark of a source's partition, in ms; window.NoWatermark if it has none yet.
func (d *Driver) Reached(task int32, source int) int64 { return d.tasks[task].flow.Reached(source) }
