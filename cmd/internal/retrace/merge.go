package retrace

import (
	"context"
	"iter"

	"github.com/tidemark-io/tidemark/cmd/internal/sourcelog"
)

// Cut says where reading ends, per source and partition: before that offset. What isn't named is read to its end.
type Cut map[int]map[int32]int64

// Read reads the logs of all sources, one for each. Where inputs meet, their records are merged by when they were sent.
func (tr *Trace) Read(ctx context.Context, logs []*sourcelog.Log, cut Cut) error {
	if len(logs) > 1 || tr.plan.Rekeyed {
		return tr.merge(ctx, logs, cut)
	}
	for _, p := range logs[0].Partitions() {
		for r, err := range records(ctx, logs[0], p, bound(cut, 0, p)) {
			if err != nil {
				return err
			}
			if err := tr.Take(0, r); err != nil {
				return err
			}
		}
	}
	return nil
}

func bound(cut Cut, source int, partition int32) int64 {
	if end, ok := cut[source][partition]; ok {
		return end
	}
	return 1<<63 - 1
}

// errEnough ends a reading at the cut.
type enough struct{}

func (enough) Error() string { return "the cut is reached" }

// records are those of a partition, below an offset.
func records(ctx context.Context, log *sourcelog.Log, partition int32, below int64) iter.Seq2[*sourcelog.Record, error] {
	return func(yield func(*sourcelog.Record, error) bool) {
		err := log.Read(ctx, partition, func(r *sourcelog.Record) error {
			if r.Offset >= below || !yield(r, nil) {
				return enough{}
			}
			return nil
		})
		if err != nil && err != (enough{}) {
			yield(nil, err)
		}
	}
}

// head is the next record of one partition.
type head struct {
	source int
	record *sourcelog.Record
	next   func() (*sourcelog.Record, error, bool)
}

// merge takes the records of all partitions by the time at which they were sent.
func (tr *Trace) merge(ctx context.Context, logs []*sourcelog.Log, cut Cut) error {
	var heads []*head
	for source, log := range logs {
		for _, p := range log.Partitions() {
			next, stop := iter.Pull2(records(ctx, log, p, bound(cut, source, p)))
			defer stop()
			h := &head{source: source, next: next}
			if err := h.advance(); err != nil {
				return err
			}
			heads = append(heads, h)
		}
	}
	for {
		var first *head
		for _, h := range heads {
			if h.record != nil && (first == nil || h.record.Timestamp < first.record.Timestamp) {
				first = h
			}
		}
		if first == nil {
			return nil
		}
		if err := tr.Take(first.source, first.record); err != nil {
			return err
		}
		if err := first.advance(); err != nil {
			return err
		}
	}
}

func (h *head) advance() error {
	r, err, ok := h.next()
	if !ok {
		h.record = nil
		return nil
	}
	h.record = r
	return err
}

// Partitions is how many partitions the sources have, as far as their logs tell.
func Partitions(logs []*sourcelog.Log) int32 {
	n := int32(1)
	for _, log := range logs {
		for _, p := range log.Partitions() {
			n = max(n, p+1)
		}
	}
	return n
}
