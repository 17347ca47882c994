package kafka

import (
	"context"
	"fmt"
)

// ReadRange reads the partition's offsets [from, to) as a read-committed consumer, in order, and ends exactly when the position has
// reached to, even if the range ends in markers, aborted records or offsets that compaction took
// away. Control records are passed too (r.Attrs.IsControl()). While the last stable offset is below to, it waits,
// until ctx is done. An offset that retention has removed is ErrOutOfRange. An error of fn ends the
// reading and is returned as it is. The record's bytes are fn's to keep.
func ReadRange(ctx context.Context, o Options, topic string, partition int32, from, to int64, fn func(*Record) error) error {
	if from >= to {
		return nil
	}
	f, err := newFetcher(o, topic, partition, rangeBytes)
	if err != nil {
		return fmt.Errorf("read %s/%d: %w", topic, partition, err)
	}
	defer f.cl.Close()
	for position := from; position < to; {
		got, err := f.at(ctx, position)
		if err != nil {
			return err
		}
		for _, r := range got.records {
			if r.Offset >= to {
				return nil
			}
			if err := fn(r); err != nil {
				return err
			}
		}
		position = got.next
		if got.ended && got.lastStable >= to {
			return nil // nothing is left between the position and to
		}
	}
	return nil
}

// NextRecord is the offset of the first record at or after from, control records included, or to when there is none
// below to. It tells a reader that waits at from whether it has really seen everything below to: the offsets
// between may hold nothing any more. While the last stable offset is below to and nothing is found, it waits, until ctx is done.
func NextRecord(ctx context.Context, o Options, topic string, partition int32, from, to int64) (int64, error) {
	if from >= to {
		return to, nil
	}
	f, err := newFetcher(o, topic, partition, lookoutBytes)
	if err != nil {
		return 0, fmt.Errorf("read %s/%d: %w", topic, partition, err)
	}
	defer f.cl.Close()
	for position := from; position < to; {
		got, err := f.at(ctx, position)
		if err != nil {
			return 0, err
		}
		if len(got.records) > 0 {
			return min(got.records[0].Offset, to), nil
		}
		position = got.next
		if got.ended && got.lastStable >= to {
			break
		}
	}
	return to, nil
}
