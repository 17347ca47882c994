package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// pollPause keeps Poll from asking again and again while a partition has no leader.
const pollPause = 50 * time.Millisecond

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
	for {
		if err := s.ended(); err != nil {
			return nil, err
		}
		batches, err := s.poll(ctx, max)
		if err != nil {
			return nil, err
		}
		if len(batches) > 0 {
			return batches, nil
		}
		// The client only had faults to tell that pass: it is looking for a partition's new leader.
		if err := pause(ctx, pollPause); err != nil {
			return nil, err
		}
	}
}

func (s *Session) poll(ctx context.Context, max int) ([]PartitionBatch, error) {
	polling, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.running, cancel)()
	fetches := s.gts.PollRecords(polling, max)
	if err := s.ended(); err != nil {
		return nil, err
	}
	var batches []PartitionBatch
	var faults []kgo.FetchTopicPartition
	fetches.EachPartition(func(p kgo.FetchTopicPartition) {
		if p.Err != nil {
			faults = append(faults, p)
		}
		if len(p.Records) > 0 {
			batches = append(batches, PartitionBatch{Topic: p.Topic, Partition: p.Partition, Records: p.Records})
		}
	})
	for _, p := range faults {
		if ctx.Err() != nil && errors.Is(p.Err, ctx.Err()) {
			return batches, ctx.Err() // never beside records: the client gave up waiting for any
		}
		if err := s.fetchFault(ctx, p); err != nil {
			s.over(err, true)
			return nil, s.ended()
		}
	}
	return batches, nil
}

// fetchFault decides whether what a fetch met ends the session: it returns nil for what passes.
func (s *Session) fetchFault(ctx context.Context, p kgo.FetchTopicPartition) error {
	var group *kgo.ErrGroupSession
	if errors.As(p.Err, &group) {
		return fmt.Errorf("membership of group %s: %w", s.o.Group, classify(group.Err))
	}
	err := fmt.Errorf("fetch of %s/%d: %w", p.Topic, p.Partition, classify(p.Err))
	switch {
	case errors.Is(err, ErrNoTopic):
		// A broker also says so for a moment of a topic that it does not know yet.
		return s.replaced(ctx, p.Topic, err)
	case retriable(p.Err):
		return nil
	}
	return err
}

// replaced returns err if a topic of the session is gone, or another topic of the same name has taken its place.
func (s *Session) replaced(ctx context.Context, topic string, err error) error {
	info, now := describe(ctx, s.gts.Client(), topic)
	switch {
	case errors.Is(now, ErrNoTopic):
		return err
	case now != nil: // not to be told now: the fault comes back, if it stays
		return nil
	case info.raw != s.topicIDs[topic]:
		return fmt.Errorf("%w (the topic was deleted and created again)", err)
	}
	return nil
}

// Pause stops fetching from partitions, of all of the session's topics. What was fetched of them
// already and not yet polled is dropped, and fetched again after Resume.
func (s *Session) Pause(partitions ...int32) {
	s.gts.Client().PauseFetchPartitions(s.everywhere(partitions))
}

// Resume undoes Pause.
func (s *Session) Resume(partitions ...int32) {
	s.gts.Client().ResumeFetchPartitions(s.everywhere(partitions))
}

func (s *Session) everywhere(partitions []int32) map[string][]int32 {
	all := make(map[string][]int32, len(s.o.Topics))
	for _, topic := range s.o.Topics {
		all[topic] = partitions
	}
	return all
}

// PauseOne is Pause for one topic of several.
func (s *Session) PauseOne(topic string, partitions ...int32) {
	s.gts.Client().PauseFetchPartitions(map[string][]int32{topic: partitions})
}
