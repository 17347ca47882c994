package reconcile

import (
	"context"
	"errors"
	"fmt"
	"sort"

	"github.com/tidemark-io/tidemark/lake"
	"github.com/tidemark-io/tidemark/lake/blob"
)

// topicIndex is what the lake log of one topic names, by hour: read by walking on from where it was read to.
type topicIndex struct {
	name   string
	topic  *lake.Topic // nil while the topic was never declared in the lake
	n      int32       // partitions of the Kafka topic
	seen   []int       // entries of each partition that are in hours
	starts []int64     // start of the log of each partition; 0 where it has not begun
	ends   []int64     // end of the log of each partition as of the last refresh; 0 where it has not begun
	hours  map[int64][]landedFile
	holes  []lake.Hole // ranges of its log that were given up, by partition and offset
	past   *past       // once asked for
}

// landedFile is a raw file and when its log entry was put.
type landedFile struct {
	lake.File
	landedAt int64 // ms, wall clock
}

func newTopicIndex(name string, partitions int32) *topicIndex {
	return &topicIndex{
		name: name, n: partitions, seen: make([]int, partitions),
		starts: make([]int64, partitions), ends: make([]int64, partitions),
		hours: make(map[int64][]landedFile),
	}
}

// refresh reads the log on to its end. A topic that nobody has landed yet has no files.
func (x *topicIndex) refresh(ctx context.Context, b blob.Bucket) error {
	if x.topic == nil {
		t, err := lake.LookTopic(ctx, b, x.name)
		if errors.Is(err, blob.ErrNotFound) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("lake of topic %s: %w", x.name, err)
		}
		x.topic = t
	}
	for p := int32(0); p < x.n; p++ {
		log := x.topic.Log(p)
		if err := log.Refresh(ctx); err != nil {
			return fmt.Errorf("lake log of %s/%d: %w", x.name, p, err)
		}
		if err := x.take(p, log.Entries()); err != nil {
			return err
		}
		if log.Begun() {
			x.starts[p] = log.Start()
		}
		x.ends[p] = log.End()
	}
	return nil
}

func (x *topicIndex) take(p int32, entries []lake.Entry) error {
	for ; x.seen[p] < len(entries); x.seen[p]++ {
		e := &entries[x.seen[p]]
		if e.GivenUp != nil {
			x.takeHole(lake.Hole{Partition: p, First: e.First, End: e.End, GivenUp: *e.GivenUp})
		}
		for _, f := range e.Files {
			if f.Quarantine {
				continue
			}
			h, err := lake.ParseHour(f.Hour)
			if err != nil {
				return fmt.Errorf("lake log of %s/%d: file %s: %w", x.name, p, f.Path, err)
			}
			x.hours[h] = append(x.hours[h], landedFile{File: f, landedAt: e.LandedAt})
			x.past = nil
		}
	}
	return nil
}

// files are the files of the hours that times [from, to) touch, in the order (partition, first offset): one order for
// every run.
func (x *topicIndex) files(from, to int64) []landedFile {
	var out []landedFile
	if (to-from)/hourMs > int64(len(x.hours)) { // a long stretch: what there is, is less
		for h, files := range x.hours {
			if h >= floorHour(from) && h < to {
				out = append(out, files...)
			}
		}
	} else {
		hoursOf(from, to, func(h int64) { out = append(out, x.hours[h]...) })
	}
	sortFiles(out)
	return out
}

// hourFiles are the files of one hour, in the same order.
func (x *topicIndex) hourFiles(hour int64) []landedFile {
	out := append([]landedFile(nil), x.hours[hour]...)
	sortFiles(out)
	return out
}

func sortFiles(files []landedFile) {
	sort.Slice(files, func(i, j int) bool {
		a, b := &files[i], &files[j]
		if a.Partition != b.Partition {
			return a.Partition < b.Partition
		}
		if a.First != b.First {
			return a.First < b.First
		}
		return a.Path < b.Path
	})
}
