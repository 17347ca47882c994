package flow

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/curated"
	"github.com/tidemark-io/tidemark/stream/pipeline"
	"github.com/tidemark-io/tidemark/stream/window"
)

// forward is where an element goes: the outputs whose groups meet at one partition.
type forward struct {
	partition int32
	part
}

// forward judges an element by its own partition's watermark, and sends it to the partitions of its groups. It is late if
// that is so for all outputs; a partition for all of whose outputs it is late gets nothing. Otherwise it is addressed to all
// outputs that meet there, those for which it is late too: the windows find that out again, and its copies, which may be late
// for fewer, must be for the same outputs. When an identity is forgotten depends on which they are.
func (f *Flow) forward(a *arrival, element int) (Outcome, error) {
	width := f.o.Widths[len(f.o.Widths)-1]
	first := len(f.forwards)
	in := &f.eval.Input
	missed := f.misses(in.Time, a.mark)
	for o := range f.plan.Outputs {
		if missed[o] >= 0 {
			f.address(first, forward{curated.Partition(in.Keys[o], width), part{element, 1 << o}}, true)
		}
	}
	if len(f.forwards) == first {
		return Late, nil
	}
	for o := range f.plan.Outputs {
		if missed[o] < 0 {
			f.address(first, forward{curated.Partition(in.Keys[o], width), part{element, 1 << o}}, false)
		}
	}
	for o, n := range missed {
		if n < 0 {
			n = -n
		}
		if err := f.missed(a, o, n); err != nil {
			return 0, err
		}
	}
	return Forwarded, nil
}

// address enters an element's output at a partition: at one that gets the element already, or, if open is set, at any.
// The element's begin at first.
func (f *Flow) address(first int, to forward, open bool) {
	for i := range f.forwards[first:] {
		if at := &f.forwards[first+i]; at.partition == to.partition {
			at.outputs |= to.outputs
			return
		}
	}
	if open {
		f.forwards = append(f.forwards, to)
	}
}

// post sends the event to the partitions that its elements have been addressed to, one letter each: so no event grows by
// more than the number of partitions, however many elements it has.
func (f *Flow) post(a *arrival) error {
	slices.SortStableFunc(f.forwards, func(a, b forward) int { return cmp.Compare(a.partition, b.partition) })
	l := letter{partition: a.at.Partition, offset: a.at.Offset, mark: a.mark, value: f.seen.value, parts: f.parts}
	for rest := f.forwards; len(rest) > 0; {
		to := rest[0].partition
		for l.parts = l.parts[:0]; len(rest) > 0 && rest[0].partition == to; rest = rest[1:] {
			l.parts = append(l.parts, rest[0].part)
		}
		f.out = l.append(f.out[:0])
		if err := f.sink.Forward(to, f.out); err != nil {
			return err
		}
	}
	f.forwards, f.parts = f.forwards[:0], l.parts
	return nil
}

// misses is, per output, how many windows an event misses: negative if that is all of them.
func (f *Flow) misses(t, mark int64) []int64 {
	f.missing = slices.Grow(f.missing[:0], len(f.plan.Outputs))[:len(f.plan.Outputs)]
	missed := f.missing
	clear(missed)
	for i := range f.plan.Outputs {
		o := &f.plan.Outputs[i]
		if o.Session() {
			if mark != window.NoWatermark && mark >= t+o.Lateness {
				missed[i] = -1
			}
			continue
		}
		f.spans = o.Assign(t, f.spans[:0])
		for _, s := range f.spans {
			if mark >= s.End+o.Lateness {
				missed[i]++
			}
		}
		if missed[i] == int64(len(f.spans)) {
			missed[i] = -missed[i]
		}
	}
	return missed
}

// receive takes the letter that was looked at: what it carries was judged at its source. Each element is accounted for by
// itself: as many tasks may have some.
func (f *Flow) receive() (Outcome, error) {
	l := &f.seen.letter
	f.marks[l.partition] = max(f.marks[l.partition], l.mark)
	if l.marker {
		return Forwarded, nil
	}
	best := Filtered
	for _, p := range l.parts {
		outcome, err := f.welcome(p, l.mark)
		if err != nil {
			return 0, fmt.Errorf("source %s, partition %d, offset %d, by the repartition topic: %w",
				f.plan.Sources[0].Topic, l.partition, l.offset, err)
		}
		f.counters.Received++
		f.counters.count(outcome)
		best = min(best, outcome)
	}
	return best, nil
}

var errChanged = &LetterError{What: "its event was kept and on time at its source, and isn't here: the two halves of the pipeline differ"}

// welcome takes one element to its windows.
func (f *Flow) welcome(p part, mark int64) (Outcome, error) {
	fate, err := f.eval.Element(p.element)
	var bad *schema.RecordError
	switch {
	case errors.As(err, &bad), err == nil && fate.Outcome != pipeline.Keep:
		return 0, errChanged
	case err != nil:
		return 0, err
	}
	in := &f.eval.Input
	in.Outputs = p.outputs
	v, err := f.engine.Add(in, mark)
	in.Outputs = 0
	if err != nil {
		return 0, err
	}
	switch v.Outcome {
	case window.Late:
		return 0, errChanged
	case window.Duplicate:
		return Duplicate, nil
	}
	return Aggregated, nil
}

// markerShare is how many markers a partition gets in the time of the shortest window: its windows close that much later
// at most.
const markerShare = 10

// markerHop is the least advance of a watermark, in ms, that is worth a marker.
func markerHop(outputs []window.Output) int64 {
	shortest := int64(0)
	for i := range outputs {
		o := &outputs[i]
		size := o.Size
		if o.Every > 0 {
			size = o.Every
		}
		if o.Gap > 0 {
			size = o.Gap
		}
		if shortest == 0 || size < shortest {
			shortest = size
		}
	}
	return max(1, shortest/markerShare)
}

// Mark sends the source's watermark to every partition of the repartition topic if it has advanced by enough since it was
// last sent, or, with all set, at all. Without it a partition that gets no records would wait for ever. A marker sent
// twice does nothing: it is a claim.
func (f *Flow) Mark(task int32, all bool) error {
	if !f.plan.Rekeyed {
		return nil
	}
	mark := f.inputs[0].wm.Value(f.inputs[0].opts)
	if mark == window.NoWatermark || mark == f.marked || !all && f.marked != window.NoWatermark && mark < f.marked+f.hop {
		return nil
	}
	l := letter{marker: true, partition: task, mark: mark}
	f.out = l.append(f.out[:0])
	for p := range f.o.Widths[len(f.o.Widths)-1] {
		if err := f.sink.Forward(p, f.out); err != nil {
			return err
		}
	}
	f.marked = mark
	return nil
}
