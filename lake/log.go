package lake

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/tidemark-io/tidemark/lake/blob"
)

// Log is what is known of a partition's log. It is safe for concurrent use,
// and only grows.
type Log struct {
	bucket    blob.Bucket
	topic     string
	partition int32

	// refreshing is held while the bucket is read, so that entries are fetched
	// once; mu only while the fields below are touched. Order: refreshing, mu.
	refreshing sync.Mutex
	mu         sync.RWMutex
	begun      bool
	start, end int64
	entries    []Entry
}

// Refresh reads on from the known end. It walks by get, from the start marker
// and then from each entry's end: a listing may be stale, and would have to
// name every object ever written. A *CorruptError names an entry that is not
// what was written; what was known before stays known.
func (l *Log) Refresh(ctx context.Context) error {
	l.refreshing.Lock()
	defer l.refreshing.Unlock()
	if !l.Begun() {
		start, ok, err := findStart(ctx, l.bucket, l.topic, l.partition)
		if err != nil || !ok {
			return err
		}
		l.mu.Lock()
		l.begun, l.start, l.end = true, start, start
		l.mu.Unlock()
	}
	_, err := walkLog(ctx, l.bucket, l.topic, l.partition, l.End(), func(e Entry) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.entries = append(l.entries, e)
		l.end = e.End
	})
	return err
}

// Begun reports whether the log has a start marker.
func (l *Log) Begun() bool {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.begun
}

// Start is the first offset that the log covers; 0 until it has begun.
func (l *Log) Start() int64 {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.start
}

// End is the offset behind the last known entry: every record below it (and
// not below Start) is in the lake.
func (l *Log) End() int64 {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.end
}

// Entries returns the known entries in order; the caller must not change them.
func (l *Log) Entries() []Entry {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return slices.Clip(l.entries)
}

// findStart reads the start marker; ok is false when there is none yet.
func findStart(ctx context.Context, b blob.Bucket, topic string, partition int32) (first int64, ok bool, err error) {
	data, err := b.Get(ctx, startKey(topic, partition))
	if errors.Is(err, blob.ErrNotFound) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("read the start of the lake log of %s/%d: %w", topic, partition, err)
	}
	first, err = readStart(topic, partition, data)
	return first, err == nil, err
}

// walkLog visits the entries from the offset on and returns the log's end.
func walkLog(ctx context.Context, b blob.Bucket, topic string, partition int32, from int64, fn func(Entry)) (int64, error) {
	for {
		data, err := b.Get(ctx, entryKey(topic, partition, from))
		if errors.Is(err, blob.ErrNotFound) {
			return from, nil
		}
		if err != nil {
			return from, fmt.Errorf("read the lake log of %s/%d at offset %d: %w", topic, partition, from, err)
		}
		e, err := readEntry(topic, partition, from, data)
		if err != nil {
			return from, err
		}
		fn(e)
		from = e.End
	}
}
