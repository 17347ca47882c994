package status

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// add takes one of the task's inputs, in their order. What stands for the whole task is made of them.
func (t *Task) add(in Input) {
	if t.Inputs == nil {
		t.Partition, t.Committed, t.LastStable, t.High, t.Landed = in.Partition, in.Committed, in.LastStable, in.High, in.Landed
	}
	switch {
	case t.Inputs == nil:
		t.NotLanded = in.NotLanded
	case in.NotLanded == nil || t.NotLanded == nil:
		t.NotLanded = nil
	default:
		t.NotLanded = known(*t.NotLanded + *in.NotLanded)
	}
	t.Inputs = append(t.Inputs, in)
	t.Gone += in.Gone
	t.Lag += in.Lag
	t.Pending += in.Pending
}

// settle sets what follows from all inputs together, and leaves Inputs out if there is but one.
func (t *Task) settle() {
	slowest := t.slowest()
	if slowest == nil {
		return
	}
	t.Watermark = slowest.Watermark
	if len(t.Inputs) == 1 {
		t.Inputs = nil
		return
	}
	if t.Open > 0 {
		t.HeldBack = slowest.Partition
	}
}

// slowest is the input by which the task's windows close: the one with the lowest watermark, the first of equal ones, or
// behind a repartition topic that one. One input without a watermark means that the task has none. nil if there is no input.
func (t *Task) slowest() *Input {
	var low *Input
	for i := range t.Inputs {
		in := &t.Inputs[i]
		switch {
		case in.Internal:
			return in
		case low == nil, before(in.Watermark, low.Watermark):
			low = in
		}
	}
	return low
}

// heldBy names the partitions whose event time the task's windows wait for.
func (t *Task) heldBy() string {
	if t.HeldBack == "" {
		return t.Partition
	}
	names := make([]string, len(t.Inputs))
	for i, in := range t.Inputs {
		if in.Internal {
			return "every partition of " + t.Partition[:strings.LastIndexByte(t.Partition, '/')]
		}
		names[i] = in.Partition
	}
	return fmt.Sprintf("%s (held back by %s)", strings.Join(names, " and "), t.HeldBack)
}

// blame names what holds the windows back behind a repartition topic, whose watermark is that of the slowest partition of
// the source: if a task that is told of reads it.
func (d *Document) blame() {
	var slowest *Input
	for i := range d.Tasks {
		for j := range d.Tasks[i].Inputs {
			if in := &d.Tasks[i].Inputs[j]; !in.Internal && (slowest == nil || before(in.Watermark, slowest.Watermark)) {
				slowest = in
			}
		}
	}
	for i := range d.Tasks {
		t := &d.Tasks[i]
		at := slices.IndexFunc(t.Inputs, func(in Input) bool { return in.Internal })
		if t.Open == 0 || at < 0 || before(t.Inputs[at].Watermark, slowest.Watermark) {
			continue
		}
		t.HeldBack = slowest.Partition
		if t.Waits != "" {
			t.Waits += " (held back by " + slowest.Partition + ")"
		}
	}
}

// before says which of two watermarks is lower; none is the lowest.
func before(a, b *time.Time) bool {
	switch {
	case b == nil:
		return false
	case a == nil:
		return true
	}
	return a.Before(*b)
}

// Parts are all partitions that the task reads, also if it is but one.
func (t *Task) Parts() []Input {
	if len(t.Inputs) > 0 {
		return t.Inputs
	}
	return []Input{{Partition: t.Partition, Committed: t.Committed, LastStable: t.LastStable, High: t.High, Lag: t.Lag,
		Watermark: t.Watermark, Pending: t.Pending, Landed: t.Landed, NotLanded: t.NotLanded, Gone: t.Gone}}
}

// known is a number that could as well not be known.
func known(n int64) *int64 { return &n }

// Reads names the topics that the pipeline reads: its sources, and the topic through which it brings groups together.
func (d *Document) Reads() string {
	if len(d.Topics) == 0 {
		return "source " + d.Topic
	}
	sources, through := d.Topics, ""
	if last := len(d.Topics) - 1; len(d.Tasks) > 0 && len(d.Tasks[0].Inputs) == len(d.Topics) && d.Tasks[0].Inputs[last].Internal {
		sources, through = d.Topics[:last], " through "+d.Topics[last]
	}
	if len(sources) == 1 {
		return "source " + sources[0] + through
	}
	return "sources " + strings.Join(sources, ", ") + through
}
