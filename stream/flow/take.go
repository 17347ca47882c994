package flow

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/pipeline"
	"github.com/tidemark-io/tidemark/stream/window"
)

// Take applies the record that was looked at. at is its place in the input.
func (f *Flow) Take(at Place) (Outcome, error) {
	s := &f.seen
	if !s.ready {
		return 0, errors.New("take: no record was looked at")
	}
	s.ready = false
	if f.repartition(s.input) {
		return f.receive()
	}
	if s.err != nil {
		f.counters.Consumed++
		f.counters.Invalid++
		return Invalid, f.sink.Report(&Report{Kind: ReportInvalid, Source: s.input, Place: at, Reason: reasonOf(s.err)})
	}
	a := f.arrival(at)
	outcome, err := f.apply(&a)
	if err != nil {
		return 0, fmt.Errorf("source %s, partition %d, offset %d: %w", f.plan.Sources[s.input].Topic, at.Partition, at.Offset, err)
	}
	f.observe(&a)
	f.counters.Consumed++
	f.counters.count(outcome)
	if outcome == Late {
		return Late, f.report(&a, Report{Kind: ReportLate, Watermark: a.mark})
	}
	return outcome, nil
}

// arrival is a valid event at its source.
type arrival struct {
	source int
	at     Place
	time   int64
	id     [16]byte
	hasID  bool
	mark   int64 // watermark of its partition, before it
}

func (f *Flow) arrival(at Place) arrival {
	in := &f.inputs[f.seen.input]
	a := arrival{source: f.seen.input, at: at, time: f.eval.Event.Time, mark: in.wm.Value(in.opts)}
	if a.id, a.hasID = f.eval.Identity(); !a.hasID {
		a.id = PlaceID(at) // every record is an event of its own
	}
	if f.o.batch != nil {
		a.mark = window.NoWatermark // nothing is late
		return a
	}
	f.countLateness(in.wm.Base, a.time)
	return a
}

// observe lets the event move its partition's watermark.
func (f *Flow) observe(a *arrival) {
	if f.o.batch != nil {
		return
	}
	in := &f.inputs[a.source]
	before := in.wm.Base
	in.wm.Observe(a.time, a.id, in.opts)
	switch {
	case in.wm.Base > before:
		f.top = max(f.top, in.wm.Base)
	case a.time <= before: // which a decision may have raised beyond all events
		f.top = max(f.top, a.time)
	}
}

func (f *Flow) apply(a *arrival) (Outcome, error) {
	if f.join != nil {
		return f.buffer(a)
	}
	best := Filtered
	for i := range f.eval.Elements() {
		outcome, err := f.element(a, i)
		if err != nil {
			return 0, err
		}
		best = min(best, outcome)
	}
	return best, f.post(a)
}

// element takes one element of the event down the path: rules, then windows or the repartition topic.
func (f *Flow) element(a *arrival, i int) (Outcome, error) {
	fate, err := f.eval.Element(i)
	f.countRules(fate)
	if err != nil || fate.Outcome == pipeline.Quarantined {
		return f.refuse(a, fate, err)
	}
	switch {
	case fate.Outcome == pipeline.Filtered:
		return Filtered, nil
	case f.plan.Rekeyed && f.o.batch == nil:
		return f.forward(a, i)
	}
	v, err := f.add(a.mark)
	if err != nil {
		return 0, err
	}
	if v.Outcome == window.Late {
		return Late, nil
	}
	for o, n := range v.Misses {
		if err := f.missed(a, o, int64(n)); err != nil {
			return 0, err
		}
	}
	if v.Outcome == window.Duplicate {
		return Duplicate, nil
	}
	return Aggregated, nil
}

// add gives the evaluated event to its windows.
func (f *Flow) add(mark int64) (window.Verdict, error) {
	in := &f.eval.Input
	if f.o.batch != nil {
		in.Outputs = f.o.batch.only
	}
	v, err := f.engine.Add(in, mark)
	if err != nil || f.o.batch == nil || f.o.batch.observe == nil {
		return v, err
	}
	return v, f.o.batch.observe(in, v.Outcome)
}

// refuse reports an event, or an element of one, on which an expression or a rule failed. An error that isn't the
// event's fault is returned.
func (f *Flow) refuse(a *arrival, fate pipeline.Fate, err error) (Outcome, error) {
	reason := ""
	var bad *schema.RecordError
	switch {
	case errors.As(err, &bad):
		reason = reasonOf(err)
	case err != nil:
		return 0, err
	default:
		reason = "rule:" + f.plan.RuleNames[fate.Rule]
	}
	return Invalid, f.report(a, Report{Kind: ReportInvalid, Reason: reason})
}

func (f *Flow) missed(a *arrival, output int, n int64) error {
	if n == 0 {
		return nil
	}
	f.counters.Outputs[output].Missed += n
	return f.report(a, Report{Kind: ReportMissed, Output: output, Watermark: a.mark})
}

func (f *Flow) report(a *arrival, r Report) error {
	r.Source, r.Place, r.Time, r.HasTime = a.source, a.at, a.time, true
	return f.sink.Report(&r)
}

func (f *Flow) countRules(fate pipeline.Fate) {
	if fate.Rule >= 0 && fate.Outcome != pipeline.Keep {
		f.counters.Rules[fate.Rule]++
	}
	for i := range f.counters.Rules {
		if fate.Counted&(1<<i) != 0 {
			f.counters.Rules[i]++
		}
	}
}

// countLateness feeds the histogram from which a user chooses the lateness bound.
func (f *Flow) countLateness(base, eventTime int64) {
	if base == window.NoWatermark {
		return
	}
	behind := base - eventTime
	for i, bound := range LatenessBounds {
		if behind <= bound {
			f.lateness[i]++
			return
		}
	}
	f.lateness[len(LatenessBounds)]++
}

// Lateness is the histogram over LatenessBounds of what was taken since New.
func (f *Flow) Lateness() [len(LatenessBounds) + 1]int64 { return f.lateness }

// PlaceID identifies a record of a topic without event ids: partition and offset, big-endian.
func PlaceID(at Place) (id [16]byte) {
	binary.BigEndian.PutUint32(id[4:], uint32(at.Partition))
	binary.BigEndian.PutUint64(id[8:], uint64(at.Offset))
	return id
}

// reasonMax bounds the reason in a report, in bytes.
const reasonMax = 300

// reasonOf is the reason that a report gives for an invalid record: its slug, and what was wrong.
func reasonOf(err error) string {
	var bad *schema.RecordError
	if !errors.As(err, &bad) {
		return "invalid"
	}
	text := bad.Reason
	if bad.Err != nil {
		text += ": " + bad.Err.Error()
	}
	text = strings.ToValidUTF8(text, "?")
	if len(text) > reasonMax {
		text = strings.ToValidUTF8(text[:reasonMax], "")
	}
	return text
}
