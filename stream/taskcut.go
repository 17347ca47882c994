package stream

import (
	"fmt"
	"strings"

	"github.com/tidemark-io/tidemark/state"
	"github.com/tidemark-io/tidemark/stream/flow"
)

// cut describes what the state reflects now: everything durable names it (law L4).
func (t *task) cut() (*state.Cut, error) {
	// Windows beyond the clock's limit are not worth closing for: they come from bad timestamps.
	bound := t.flow.Bound(t.now() + t.maxFuture())
	cut := &state.Cut{
		Version: state.CutVersion, Pipeline: t.plan.Pipeline.Name, Task: t.id, Fingerprint: t.plan.Fingerprint,
		Journal: t.decisions, Life: t.life, Counters: t.counters(), Bound: bound,
	}
	for _, in := range t.inputs {
		mark, err := t.flow.EncodeMark(in.number)
		if err != nil {
			return nil, fmt.Errorf("task %d: encode watermark: %w", t.id, err)
		}
		cut.Sources = append(cut.Sources, state.Source{
			Topic: in.topic, TopicID: in.topicID, Partition: t.id, Partitions: in.wide,
			Born: in.bornAt, Next: in.next, LeaderEpoch: in.leaderEpoch,
			Watermark: mark, Reached: t.flow.Reached(in.number), LastRecordAt: in.seenAt(t.now()),
		})
		cut.LastRecordAt = max(cut.LastRecordAt, in.lastRecordAt)
	}
	return cut, nil
}

// apply writes the state and its cut in one batch. After a commit it is the last step; in a replay the cut is
// behind Kafka, which is always allowed.
func (t *task) apply() error {
	cut, err := t.cut()
	if err != nil {
		return err
	}
	if err := t.store.Apply(cut, func(b state.Batch) error { return t.flow.Write(b) }); err != nil {
		return fmt.Errorf("task %d: apply state at %s: %w", t.id, t.position(), err)
	}
	if !t.replaying {
		for _, in := range t.inputs {
			in.committed = in.next
		}
	}
	t.dirty, t.out.behind = false, t.out.behind && t.replaying
	return nil
}

// position is the task's, for messages.
func (t *task) position() string {
	var b strings.Builder
	for i, in := range t.inputs {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s/%d@%d", in.topic, t.id, in.next)
	}
	return b.String()
}

// seenAt is when the input's last record came, as far as cuts tell: the first one that has it.
func (in *input) seenAt(now int64) int64 {
	if in.consumed > in.consumedAt {
		in.lastRecordAt, in.consumedAt = now, in.consumed
	}
	return in.lastRecordAt
}

// resume sets the task to what a cut says.
func (t *task) resume(cut *state.Cut) error {
	for i, src := range cut.Sources {
		in := t.inputs[i]
		in.next, in.leaderEpoch, in.lastRecordAt = src.Next, src.LeaderEpoch, src.LastRecordAt
		if err := t.flow.Restore(i, src.Watermark); err != nil {
			return fmt.Errorf("task %d: watermark of the state: %w", t.id, err)
		}
	}
	t.decisions = cut.Journal
	return t.flow.Resume(countersOf(&cut.Counters), cut.Bound)
}

// maxFuture is how far beyond the clock an event may be and be believed: the largest of the sources'.
func (t *task) maxFuture() int64 {
	most := int64(0)
	for i := range t.plan.Sources {
		most = max(most, t.plan.Sources[i].Watermark.MaxFuture)
	}
	return most
}

// counters are the flow's, as the cut keeps them.
func (t *task) counters() state.Counters {
	c := t.flow.Counters()
	out := state.Counters{
		Consumed: c.Consumed, Received: c.Received, Aggregated: c.Aggregated, Duplicate: c.Duplicate, Late: c.Late,
		Filtered: c.Filtered, Invalid: c.Invalid, Forwarded: c.Forwarded,
		Pairs: c.Pairs, PairsFiltered: c.PairsFiltered, PairsInvalid: c.PairsInvalid,
	}
	for i, n := range c.Rules {
		out.Rules = append(out.Rules, state.RuleCounter{Name: t.plan.RuleNames[i], Fired: n})
	}
	open := t.flow.Engine().OpenWindows()
	for i, o := range c.Outputs {
		out.Outputs = append(out.Outputs, state.OutputCounters{Name: t.plan.Outputs[i].Name, Closed: o.Closed, Missed: o.Missed, Open: int64(open[i])})
	}
	return out
}

// countersOf is the way back. How many updates were given out is no part of a cut.
func countersOf(c *state.Counters) flow.Counters {
	out := flow.Counters{
		Consumed: c.Consumed, Received: c.Received, Aggregated: c.Aggregated, Duplicate: c.Duplicate, Late: c.Late,
		Filtered: c.Filtered, Invalid: c.Invalid, Forwarded: c.Forwarded,
		Pairs: c.Pairs, PairsFiltered: c.PairsFiltered, PairsInvalid: c.PairsInvalid,
	}
	for _, r := range c.Rules {
		out.Rules = append(out.Rules, r.Fired)
	}
	for _, o := range c.Outputs {
		out.Outputs = append(out.Outputs, flow.OutputCounters{Closed: o.Closed, Missed: o.Missed})
	}
	return out
}
