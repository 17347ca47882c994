package reconcile

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"sort"

	"github.com/tidemark-io/tidemark/lake"
	"github.com/tidemark-io/tidemark/lake/blob"
	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/curated"
	"github.com/tidemark-io/tidemark/stream/kafka"
	"github.com/tidemark-io/tidemark/stream/window"
)

// tailRecord is a curated record that the lake has not landed yet.
type tailRecord struct {
	at         place
	start      int64 // of the window
	key, value []byte
}

// published is one output's curated topic: what the lake has landed of it and, when read only, the tail beyond.
type published struct {
	output int
	def    *window.Output
	codec  *curated.Codec
	index  *topicIndex
	info   *kafka.TopicInfo
	// upTo is the high watermark of each partition up to which the fold looks.
	upTo []int64
	tail map[int64][]tailRecord
}

// readTail reads what lies between the landed ends and upTo, by the hour of the window's start.
func (p *published) readTail(ctx context.Context, k kafka.Options, limit int) error {
	p.tail = make(map[int64][]tailRecord)
	held := 0
	for part := range p.upTo {
		from, to := p.index.ends[part], p.upTo[part]
		if from >= to {
			continue
		}
		err := kafka.ReadRange(ctx, k, p.index.name, int32(part), from, to, func(r *kafka.Record) error {
			if r.Attrs.IsControl() {
				return nil
			}
			var row curated.Row
			if err := p.codec.Decode(r.Key, r.Value, &row); err != nil {
				return nil // the lander will put it into quarantine: no row of ours
			}
			if held++; held > limit {
				return fmt.Errorf("more than %d records are not landed yet: let `tidemark run` catch up first", limit)
			}
			h := floorHour(row.Start)
			p.tail[h] = append(p.tail[h], tailRecord{
				at: place{p.index.name, r.Partition, r.Offset}, start: row.Start, key: bytes.Clone(r.Key), value: bytes.Clone(r.Value),
			})
			return nil
		})
		if err != nil {
			return fmt.Errorf("read %s/%d [%d, %d): %w", p.index.name, part, from, to, err)
		}
	}
	return nil
}

// units calls fn with the hour of every unit that has published rows.
func (p *published) units(fn func(hour int64)) {
	if !p.def.Session() {
		for h := range p.index.hours {
			fn(h)
		}
		for h := range p.tail {
			fn(h)
		}
		return
	}
	for _, files := range p.index.hours {
		low, high := within(files, math.MaxInt64, math.MinInt64)
		unitsTouched(p.def, low, high, fn)
	}
	for _, records := range p.tail {
		for i := range records {
			unitsTouched(p.def, records[i].start, records[i].start, fn)
		}
	}
}

// each calls fn with every published row of the unit's windows, revisions included; those of one window partition by
// partition in the order of their offsets. The row is valid during the call.
func (p *published) each(ctx context.Context, b blob.Bucket, s span, fn func(at place, key []byte, r *curated.Row) error) error {
	var err error
	s.rowHours(p.def, func(hour int64) {
		if err == nil {
			err = p.hour(ctx, b, hour, func(at place, key []byte, r *curated.Row) error {
				if !s.owns(p.def, r.Start) {
					return nil
				}
				return fn(at, key, r)
			})
		}
	})
	return err
}

// hour calls fn with every published row of the windows that start in the hour.
func (p *published) hour(ctx context.Context, b blob.Bucket, hour int64, fn func(at place, key []byte, r *curated.Row) error) error {
	var row curated.Row
	one := func(at place, key, value []byte) error {
		if err := p.codec.Decode(key, value, &row); err != nil {
			return fmt.Errorf("%s: %w", at, err)
		}
		return fn(at, key, &row)
	}
	for _, f := range p.index.hourFiles(hour) {
		err := lake.ReadFile(ctx, b, f.File, func(st *lake.Stored) error {
			return one(place{p.index.name, st.Partition, st.Offset}, st.Key, st.Payload)
		})
		if err != nil {
			return fmt.Errorf("published rows in %s: %w", f.Path, err)
		}
	}
	for _, t := range p.tail[hour] {
		if t.at.offset < p.index.ends[t.at.partition] {
			continue // landed since, and seen above
		}
		if err := one(t.at, t.key, t.value); err != nil {
			return fmt.Errorf("published rows in the tail: %w", err)
		}
	}
	return nil
}

// fold gives what a consumer holds of every window of the unit, sorted by key.
func (p *published) fold(ctx context.Context, b blob.Bucket, s span) ([]publishedRow, error) {
	held := make(map[string]*publishedRow)
	err := p.each(ctx, b, s, func(at place, key []byte, r *curated.Row) error {
		have := held[string(key)]
		if have == nil {
			have = &publishedRow{key: string(key)}
			held[have.key] = have
		}
		have.take(p.codec, at, r)
		return nil
	})
	if err != nil {
		return nil, err
	}
	rows := make([]publishedRow, 0, len(held))
	for _, r := range held {
		r.hash = p.codec.RowHash(&r.row)
		rows = append(rows, *r)
	}
	sort.Slice(rows, func(i, j int) bool { return rows[i].key < rows[j].key })
	return rows, nil
}

func cloneRow(r *curated.Row) curated.Row {
	c := *r
	c.Key = bytes.Clone(r.Key)
	c.Group = []schema.Value(nil)
	c.Values = cloneValues(r.Values)
	return c
}
