package reconcile

import (
	"context"
	"fmt"
	"maps"
	"math"

	"github.com/tidemark-io/tidemark/lake"
	"github.com/tidemark-io/tidemark/lake/blob"
	"github.com/tidemark-io/tidemark/stream/journal"
	"github.com/tidemark-io/tidemark/stream/kafka"
)

// journalView reads the pipeline's journal: the landed part by hours as needed, the tail once.
type journalView struct {
	bucket  blob.Bucket
	index   *topicIndex
	sources map[string]bool // topics
	tail    []journal.Entry
	loaded  bool
	lost    error            // why history can't be loaded
	topics  map[int64]places // by hour, of one topic: see placesOfTopic
	history []journal.Entry  // BORN and CHANGE decisions, once loaded
}

// readTail reads the journal's records that the lake has not landed yet.
func (j *journalView) readTail(ctx context.Context, k kafka.Options, upTo []int64, limit int) error {
	for part := range upTo {
		from, to := j.index.ends[part], upTo[part]
		if from >= to {
			continue
		}
		err := kafka.ReadRange(ctx, k, j.index.name, int32(part), from, to, func(r *kafka.Record) error {
			if r.Attrs.IsControl() {
				return nil
			}
			e, err := journal.Decode(r.Value)
			if err != nil {
				return fmt.Errorf("offset %d: %w", r.Offset, err)
			}
			if len(j.tail) == limit {
				return fmt.Errorf("more than %d records are not landed yet: let `tidemark run` catch up first", limit)
			}
			j.tail = append(j.tail, e)
			return nil
		})
		if err != nil {
			return fmt.Errorf("read %s/%d [%d, %d): %w", j.index.name, part, from, to, err)
		}
	}
	return nil
}

// places are the late, missed and invalid events of times [from, to), as far as they concern the output.
func (j *journalView) places(ctx context.Context, from, to int64, output string) (places, error) {
	out := make(places)
	take := func(e *journal.Entry) {
		if !j.sources[e.Topic] || e.Kind.Decision() || e.Kind == journal.Missed && e.Output != output {
			return
		}
		at := place{e.Topic, e.Partition, e.Offset}
		if _, known := out[at]; known && e.Kind == journal.Invalid {
			return // one of its elements was; that others were late says more
		}
		out[at] = journalled{kind: e.Kind, watermark: e.Watermark, hasWatermark: e.HasWatermark}
	}
	for h := range j.index.hours {
		if h < floorHour(from) || h >= to {
			continue
		}
		if err := j.hour(ctx, h, take); err != nil {
			return nil, err
		}
	}
	for i := range j.tail {
		if e := &j.tail[i]; e.Time >= from && e.Time < to {
			take(e)
		}
	}
	return out, nil
}

// placesOfTopic adds the late and invalid events of one topic whose times are in the hour. What it reads it keeps: many units
// ask for the same.
func (j *journalView) placesOfTopic(ctx context.Context, hour int64, topic string, into places) error {
	kept, ok := j.topics[hour]
	if !ok {
		kept = make(places)
		take := func(e *journal.Entry) {
			if e.Topic == topic && !e.Kind.Decision() {
				kept[place{e.Topic, e.Partition, e.Offset}] = journalled{kind: e.Kind, watermark: e.Watermark, hasWatermark: e.HasWatermark}
			}
		}
		if err := j.hour(ctx, hour, take); err != nil {
			return err
		}
		for i := range j.tail {
			if e := &j.tail[i]; floorHour(e.Time) == hour {
				take(e)
			}
		}
		if j.topics == nil {
			j.topics = make(map[int64]places)
		}
		j.topics[hour] = kept
	}
	maps.Copy(into, kept)
	return nil
}

func (j *journalView) hour(ctx context.Context, hour int64, fn func(*journal.Entry)) error {
	for _, f := range j.index.hourFiles(hour) {
		err := lake.ReadFile(ctx, j.bucket, f.File, func(st *lake.Stored) error {
			e, err := journal.Decode(st.Payload)
			if err != nil {
				return fmt.Errorf("offset %d: %w", st.Offset, err)
			}
			fn(&e)
			return nil
		})
		if err != nil {
			return fmt.Errorf("journal file %s: %w", f.Path, err)
		}
	}
	return nil
}

// codeChanged reports whether windows that close at the watermark closes were published by other code than that of fingerprint.
// It is asked only where no certificate can tell. Each decision BORN or CHANGE puts a fingerprint in force for the windows
// that are open at its watermark, or later; of those below closes the highest holds. The first call reads the journal.
func (j *journalView) codeChanged(ctx context.Context, fingerprint string, closes int64) (bool, error) {
	if err := j.loadHistory(ctx); err != nil {
		return false, err
	}
	var inForce *journal.Entry
	for i := range j.history {
		e := &j.history[i]
		if from(e) < closes && (inForce == nil || from(e) > from(inForce) || from(e) == from(inForce) && e.Seq > inForce.Seq) {
			inForce = e
		}
	}
	return inForce != nil && inForce.Fingerprint != fingerprint, nil
}

// from is the watermark from which on windows close by a decision's fingerprint.
func from(e *journal.Entry) int64 {
	if !e.HasWatermark {
		return math.MinInt64
	}
	return e.Watermark
}

func (j *journalView) loadHistory(ctx context.Context) error {
	if j.loaded || j.lost != nil {
		return j.lost
	}
	take := func(e *journal.Entry) {
		if e.Kind == journal.Born || e.Kind == journal.Change {
			j.history = append(j.history, *e)
		}
	}
	for h := range j.index.hours {
		if err := j.hour(ctx, h, take); err != nil {
			j.lost = err
			return err
		}
	}
	for i := range j.tail {
		take(&j.tail[i])
	}
	j.loaded = true
	return nil
}
