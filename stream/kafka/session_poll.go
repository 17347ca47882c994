package kafka

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"
)

// PartitionBatch is a run of records of one partition, in offset order, control records included.
type PartitionBatch struct {
	Topic     string
	Partition int32
	Records   []*Record
}

// Poll waits until there is at least one record, and returns at most max of them, or the
// context's error: then nothing is lost, and Poll may be called again. Any other error means: Close, and
// build a new session.
func (s *Session) Poll(ctx context.Context, max int) ([]PartitionBatch, error) {
	if err := s.ended(); err != nil {
		return nil, err
	}
	polling, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.running, cancel)()
	fetches := s.gts.PollRecords(polling, max)
	if err := s.ended(); err != nil {
		return nil, err
	}
	var batches []PartitionBatch
	var fault error
	fetches.EachPartition(func(p kgo.FetchTopicPartition) {
		if p.Err != nil && fault == nil {
			fault = s.fetchFault(ctx, p)
		}
		if len(p.Records) > 0 {
			batches = append(batches, PartitionBatch{Topic: p.Topic, Partition: p.Partition, Records: p.Records})
		}
	})
	if fault == nil {
		return batches, nil
	}
	if ctx.Err() != nil && errors.Is(fault, ctx.Err()) && len(batches) == 0 {
		return nil, ctx.Err()
	}
	s.over(fault, true)
	return nil, s.ended()
}

func (s *Session) fetchFault(ctx context.Context, p kgo.FetchTopicPartition) error {
	if ctx.Err() != nil && errors.Is(p.Err, ctx.Err()) {
		return p.Err
	}
	var group *kgo.ErrGroupSession
	if errors.As(p.Err, &group) {
		return fmt.Errorf("membership of group %s: %w", s.o.Group, classify(group.Err))
	}
	return fmt.Errorf("fetch of %s/%d: %w", p.Topic, p.Partition, classify(p.Err))
}

// Pause stops fetching from partitions of the session's topic. What was fetched of them
// already and not yet polled is dropped, and fetched again after Resume.
func (s *Session) Pause(partitions ...int32) {
	s.gts.Client().PauseFetchPartitions(map[string][]int32{s.o.Topic: partitions})
}

// Resume undoes Pause.
func (s *Session) Resume(partitions ...int32) {
	s.gts.Client().ResumeFetchPartitions(map[string][]int32{s.o.Topic: partitions})
}
