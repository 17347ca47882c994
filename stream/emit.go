package stream

import (
	"bytes"
	"fmt"

	"github.com/tidemark-io/tidemark/stream/curated"
	"github.com/tidemark-io/tidemark/stream/flow"
	"github.com/tidemark-io/tidemark/stream/journal"
	"github.com/tidemark-io/tidemark/stream/kafka"
	"github.com/tidemark-io/tidemark/stream/window"
)

// LatenessBounds are the upper bounds, in milliseconds, of the lateness histogram: how far behind its
// partition's newest event time an event was. One more bucket holds what is beyond the last.
var LatenessBounds = flow.LatenessBounds

// nowMillis is the clock in milliseconds since the epoch.
type nowMillis func() int64

var _ flow.Sink = (*task)(nil)

// Result turns a window into a curated record. Its revision is a function of the state: the number of distinct events,
// plus one for closing, so a replay can never publish a lower one.
func (t *task) Result(res *window.Result) error {
	if t.replaying || !res.Open && t.out.closing.again() {
		return nil
	}
	row := curated.Row{
		Key: res.Key, Start: res.Start, End: res.End, Values: res.Values,
		Revision: res.Events + 1, Status: curated.Closed, Cause: curated.CauseClose,
		Events: res.Events, Duplicates: res.Duplicates,
		Pipeline: t.plan.Pipeline.Name, PublishedAt: t.now(),
	}
	if res.Open {
		row.Revision, row.Status, row.Cause = res.Events, curated.Open, curated.CauseUpdate
	}
	codec := t.plan.Codecs[res.Output]
	return t.put(&kafka.Record{
		Topic:     t.plan.Outputs[res.Output].Name,
		Partition: curated.Partition(res.Key, t.curatedWide[res.Output]),
		Key:       codec.AppendKey(nil, &row), Value: codec.AppendValue(nil, &row),
	})
}

// Forward sends a record to the repartition topic, in the transaction that commits what it came from.
func (t *task) Forward(partition int32, value []byte) error {
	if t.replaying {
		return nil
	}
	return t.put(&kafka.Record{Topic: t.repartition, Partition: partition, Value: bytes.Clone(value)})
}

// kinds are the journal's words for what a flow reports.
var kinds = [...]journal.Kind{flow.ReportLate: journal.Late, flow.ReportMissed: journal.Missed, flow.ReportInvalid: journal.Invalid}

// Report journals the fate of one event: its place, for whoever asks why it isn't in a window.
func (t *task) Report(r *flow.Report) error {
	e := journal.Entry{
		Kind: kinds[r.Kind], Time: journal.NoTime, Reason: r.Reason,
		Topic: t.plan.Sources[r.Source].Topic, Partition: r.Place.Partition, Offset: r.Place.Offset,
	}
	if r.HasTime {
		e.Time = r.Time
	}
	switch r.Kind {
	case flow.ReportMissed:
		e.Output = t.plan.Outputs[r.Output].Name
		e.Watermark, e.HasWatermark = r.Watermark, true
	case flow.ReportLate:
		e.Watermark, e.HasWatermark = r.Watermark, true
	}
	return t.journal(&e)
}

func (t *task) journal(e *journal.Entry) error {
	if t.replaying {
		return nil
	}
	e.Task = t.id
	return t.put(&kafka.Record{Topic: t.plan.Pipeline.JournalTopic(), Partition: t.id, Value: journal.Append(nil, e)})
}

func place(r *kafka.Record) string {
	return fmt.Sprintf("%s/%d@%d", r.Topic, r.Partition, r.Offset)
}
