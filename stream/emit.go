package stream

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/curated"
	"github.com/tidemark-io/tidemark/stream/journal"
	"github.com/tidemark-io/tidemark/stream/kafka"
	"github.com/tidemark-io/tidemark/stream/window"
)

// LatenessBounds are the upper bounds, in milliseconds, of the lateness histogram: how far behind its
// partition's newest event time an event was. One more bucket holds what is beyond the last.
var LatenessBounds = [...]int64{0, 60_000, 600_000, 1_800_000, 3_600_000, 7_200_000, 21_600_000, 86_400_000}

// nowMillis is the clock in milliseconds since the epoch.
type nowMillis func() int64

// emit turns a closed window into a curated record. Its revision is a function of the state: the number of
// distinct events, plus one for closing, so a replay can never publish a lower one.
func (t *task) emit(res *window.Result) error {
	t.counters.Outputs[res.Output].Closed++
	t.bound = max(t.bound, res.End+t.plan.Outputs[res.Output].Lateness)
	if t.replaying {
		return nil
	}
	codec := t.plan.Codecs[res.Output]
	row := curated.Row{
		Key: res.Key, Start: res.Start, End: res.End, Values: res.Values,
		Revision: res.Events + 1, Status: curated.Closed, Cause: curated.CauseClose,
		Events: res.Events, Duplicates: res.Duplicates,
		Pipeline: t.plan.Pipeline.Name, PublishedAt: t.now(),
	}
	t.out = append(t.out, &kafka.Record{
		Topic:     t.plan.Outputs[res.Output].Name,
		Partition: curated.Partition(res.Key, t.curatedWide[res.Output]),
		Key:       codec.AppendKey(nil, &row), Value: codec.AppendValue(nil, &row),
	})
	t.dirty = true
	return nil
}

// report journals the fate of one event: its place, for whoever asks why it isn't in a window.
func (t *task) report(r *kafka.Record, e *journal.Entry) error {
	e.Topic, e.Partition, e.Offset = r.Topic, r.Partition, r.Offset
	return t.journal(e)
}

func (t *task) journal(e *journal.Entry) error {
	if t.replaying {
		return nil
	}
	e.Task = t.id
	t.out = append(t.out, &kafka.Record{
		Topic: t.plan.Pipeline.JournalTopic(), Partition: t.id, Value: journal.Append(nil, e),
	})
	t.dirty = true
	return nil
}

// countLateness feeds the histogram from which a user chooses the lateness bound.
func (t *task) countLateness(eventTime int64) {
	if t.wm.Base == window.NoWatermark {
		return
	}
	behind := t.wm.Base - eventTime
	for i, bound := range LatenessBounds {
		if behind <= bound {
			t.lateness[i]++
			return
		}
	}
	t.lateness[len(LatenessBounds)]++
}

func place(r *kafka.Record) string {
	return fmt.Sprintf("%s/%d@%d", r.Topic, r.Partition, r.Offset)
}

// placeID identifies a record of a topic without event ids: partition and offset, big-endian.
func placeID(r *kafka.Record) (id [16]byte) {
	binary.BigEndian.PutUint32(id[4:], uint32(r.Partition))
	binary.BigEndian.PutUint64(id[8:], uint64(r.Offset))
	return id
}

// reasonMax bounds what the journal says of one invalid record.
const reasonMax = 200

// reasonOf is the slug of what is wrong with a record, and then the whole of it.
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
