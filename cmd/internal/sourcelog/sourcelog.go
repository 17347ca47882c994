package sourcelog

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/tidemark-io/tidemark/lake"
	"github.com/tidemark-io/tidemark/lake/blob"
	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/kafka"
	"github.com/tidemark-io/tidemark/stream/pipeline"
)

// Record is a record of a source. It is valid during the call that it is passed to.
type Record struct {
	Partition int32
	Offset    int64
	Timestamp int64 // when it was sent, in ms; -1 if that isn't known
	Value     []byte
}

// Log is what can be read again of one source.
type Log struct {
	partitions []int32
	read       func(ctx context.Context, partition int32, fn func(*Record) error) error
}

// Partitions are those that hold records, in order.
func (l *Log) Partitions() []int32 { return l.partitions }

// Read calls fn with every record of a partition, in the order of the log. An error of fn ends it and is returned.
func (l *Log) Read(ctx context.Context, partition int32, fn func(*Record) error) error {
	return l.read(ctx, partition, fn)
}

// FromTopic reads a source from its topic, up to the end that it has now.
func FromTopic(ctx context.Context, o kafka.Options, source *pipeline.SourcePlan) (*Log, error) {
	admin, err := kafka.NewAdmin(o)
	if err != nil {
		return nil, err
	}
	defer admin.Close()
	ends, err := admin.Offsets(ctx, source.Topic)
	if err != nil {
		return nil, fmt.Errorf("offsets of topic %s: %w", source.Topic, err)
	}
	l := &Log{partitions: slices.Sorted(maps.Keys(ends))}
	l.read = func(ctx context.Context, p int32, fn func(*Record) error) error {
		return kafka.ReadRange(ctx, o, source.Topic, p, ends[p].Start, ends[p].LastStable, func(r *kafka.Record) error {
			if r.Attrs.IsControl() {
				return nil
			}
			return fn(&Record{Partition: p, Offset: r.Offset, Timestamp: r.Timestamp.UnixMilli(), Value: r.Value})
		})
	}
	return l, nil
}

// ErrEmpty says that the lake holds nothing of a source.
var ErrEmpty = errors.New("the lake holds nothing of it yet")

// FromLake reads a source from the raw lake.
func FromLake(ctx context.Context, b blob.Bucket, source *pipeline.SourcePlan) (*Log, error) {
	topic, err := lake.LookTopic(ctx, b, source.Topic)
	if errors.Is(err, blob.ErrNotFound) {
		return nil, fmt.Errorf("topic %s: %w", source.Topic, ErrEmpty)
	}
	if err != nil {
		return nil, fmt.Errorf("lake of topic %s: %w", source.Topic, err)
	}
	partitions, err := topic.Partitions(ctx)
	if err != nil {
		return nil, fmt.Errorf("lake of topic %s: %w", source.Topic, err)
	}
	wrapper, err := source.Source.Wrapper()
	if err != nil {
		return nil, fmt.Errorf("schema of topic %s: %w", source.Topic, err)
	}
	r := &lakeReader{bucket: b, topic: topic, wrapper: wrapper}
	return &Log{partitions: partitions, read: r.read}, nil
}

type lakeReader struct {
	bucket  blob.Bucket
	topic   *lake.Topic
	wrapper *schema.Wrapper
}

// entryBytesMax bounds what one entry of the lake's log may take in memory.
const entryBytesMax = 4 << 30

func (r *lakeReader) read(ctx context.Context, partition int32, fn func(*Record) error) error {
	log := r.topic.Log(partition)
	if err := log.Refresh(ctx); err != nil {
		return fmt.Errorf("lake log of partition %d: %w", partition, err)
	}
	for _, e := range log.Entries() {
		if err := r.entry(ctx, &e, fn); err != nil {
			return err
		}
	}
	return nil
}

// entry reads an entry's files and passes their records on by offset.
func (r *lakeReader) entry(ctx context.Context, e *lake.Entry, fn func(*Record) error) error {
	var records []Record
	var bytes int64
	for _, f := range e.Files {
		if bytes += f.Bytes; bytes > entryBytesMax {
			return fmt.Errorf("the lake's log entry of partition %d, offset %d, has more than %d bytes: set lake.roll.bytes_max lower, or read the topic", e.Partition, e.First, int64(entryBytesMax))
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		err := lake.ReadFile(ctx, r.bucket, f, func(s *lake.Stored) error {
			value := slices.Clone(s.Payload)
			if !f.Quarantine {
				var err error
				if value, err = r.wrapper.Append([]byte{}, s.SchemaID, s.Payload); err != nil {
					return fmt.Errorf("%s, offset %d: %w", f.Path, s.Offset, err)
				}
			}
			records = append(records, Record{s.Partition, s.Offset, s.Timestamp, value})
			return nil
		})
		if err != nil {
			return err
		}
	}
	slices.SortFunc(records, func(a, b Record) int { return int(min(max(a.Offset-b.Offset, -1), 1)) })
	for i := range records {
		if err := fn(&records[i]); err != nil {
			return err
		}
	}
	return nil
}

// FromMemory is a log of records that are in memory: of each partition, in the order of the log.
func FromMemory(records map[int32][]Record) *Log {
	l := &Log{partitions: slices.Sorted(maps.Keys(records))}
	l.read = func(ctx context.Context, partition int32, fn func(*Record) error) error {
		for i := range records[partition] {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := fn(&records[partition][i]); err != nil {
				return err
			}
		}
		return nil
	}
	return l
}
