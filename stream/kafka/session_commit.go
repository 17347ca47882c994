package kafka

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tidemark-io/tidemark/crashpoint"
)

// Commit is the cut of one partition as Kafka keeps it.
type Commit struct {
	// Topic is one of the session's; empty for the first.
	Topic     string
	Partition int32
	// Next is the offset of the next record to read.
	Next int64
	// LeaderEpoch is that of the last record read, -1 when unknown.
	LeaderEpoch int32
	// Metadata is the caller's own, at most 4 KB unless the broker is told otherwise.
	Metadata string
}

// Produce buffers r, whose Topic and Partition must be set, in the running transaction. It blocks while too
// much is buffered, until ctx is done; ctx does not bound the sending. A failure surfaces in Commit. r is the
// session's until then.
func (s *Session) Produce(ctx context.Context, r *Record) { s.out.put(ctx, s.gts.Produce, r) }

// Commit flushes what was produced, adds exactly these offsets, and ends the transaction. It returns nil only when
// the broker has confirmed, and the next transaction has begun then. After any error the caller must
// Close, build a new session, and ask the broker which offsets are committed: no error is proof that the
// transaction was not committed. Nothing produced and no offsets is nothing to commit.
func (s *Session) Commit(ctx context.Context, offsets []Commit) error {
	if err := s.ended(); err != nil {
		return err
	}
	if produced, _ := s.out.state(); len(offsets) == 0 && !produced {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.o.CommitTimeout)
	defer cancel()
	if err := s.commit(ctx, offsets); err != nil {
		err = fmt.Errorf("commit of group %s: %w", s.o.Group, err)
		s.over(err, true)
		return err
	}
	return nil
}

func (s *Session) commit(ctx context.Context, offsets []Commit) error {
	if len(offsets) == 0 {
		return errors.New("records were produced, but no offsets are given: they would be published again")
	}
	for i := range offsets {
		if of := offsets[i].Topic; of != "" && !slices.Contains(s.o.Topics, of) {
			return fmt.Errorf("an offset of topic %s, which the session doesn't read", of)
		}
	}
	if err := s.gts.Client().Flush(ctx); err != nil {
		return fmt.Errorf("flush: %w", err)
	}
	crashpoint.Hit("commit/flushed")
	// The client would commit whatever succeeded.
	produced, failed := s.out.state()
	if failed != nil {
		return failed
	}
	if !produced {
		s.settle(ctx)
	}
	fill := kgo.PreTxnCommitFnContext(ctx, func(req *kmsg.TxnOffsetCommitRequest) error {
		return s.fill(req, offsets)
	})
	committed, err := s.gts.End(fill, kgo.TryCommit)
	if err != nil {
		return fmt.Errorf("end the transaction: %w", classifyEnd(err))
	}
	if !committed {
		return s.givenUp()
	}
	s.out.reset()
	if err := s.gts.Begin(); err != nil {
		// Confirmed, and yet an error: the caller finds the new offsets at the broker (invariant 1).
		return fmt.Errorf("begin the next transaction: %w", classify(err))
	}
	return nil
}

// fill replaces what the client would have committed, which is what was polled, by the caller's offsets
// (invariant 3). It is called when nothing was polled, too.
func (s *Session) fill(req *kmsg.TxnOffsetCommitRequest, offsets []Commit) error {
	crashpoint.Hit("commit/offsets")
	if req.Generation < 0 || req.MemberID == "" {
		// The broker takes a generation of -1 for a producer without a group, and fences nothing.
		return fmt.Errorf("%w: not a member of the group", ErrFenced)
	}
	req.Topics = req.Topics[:0]
	for _, name := range s.o.Topics {
		if topic := s.fillTopic(name, offsets); len(topic.Partitions) > 0 {
			req.Topics = append(req.Topics, topic)
		}
	}
	return nil
}

// fillTopic is what the offsets say of one topic. One that names no topic is of the first.
func (s *Session) fillTopic(name string, offsets []Commit) kmsg.TxnOffsetCommitRequestTopic {
	topic := kmsg.NewTxnOffsetCommitRequestTopic()
	topic.Topic = name
	topic.TopicID = s.topicIDs[name] // from version 6 on, offsets without it fail and the transaction commits all the same
	for i := range offsets {
		if of := cmp.Or(offsets[i].Topic, s.o.Topics[0]); of != name {
			continue
		}
		p := kmsg.NewTxnOffsetCommitRequestTopicPartition()
		p.Partition = offsets[i].Partition
		p.Offset = offsets[i].Next
		p.LeaderEpoch = offsets[i].LeaderEpoch
		p.Metadata = &offsets[i].Metadata
		topic.Partitions = append(topic.Partitions, p)
	}
	return topic
}

// givenUp is the error for a client that answers "not committed" without saying why: the group
// refused the offsets or rebalanced, or the coordinator's answer to the end was one that proves nothing.
func (s *Session) givenUp() error {
	if err := s.ended(); err != nil {
		return err
	}
	return fmt.Errorf("%w, or the coordinator moved: the client gave the transaction up (%w)", ErrFenced, ErrUnknownOutcome)
}
