package kafka

import (
	"context"
	"time"
)

// SessionOptions describe a membership of a group together with its transactional producer.
type SessionOptions struct {
	Options
	// Group is the consumer group: the pipeline's name.
	Group string
	// InstanceID is the static member id (group.instance.id), stable over restarts of a process.
	InstanceID string
	// TransactionalID is stable over restarts of a process: a new session fences the old one.
	TransactionalID string
	// Topic is the one source topic.
	Topic string
	// TransactionTimeout bounds how long a dead process holds up read-committed readers. Default 10 s.
	TransactionTimeout time.Duration
	// SessionTimeout is how long the broker waits for a dead member before it gives its
	// partitions to others. Default 45 s.
	SessionTimeout time.Duration
	// FetchBytesMax bounds the bytes of one fetch. Default 4 MiB.
	FetchBytesMax int32
	// OnAssigned is called with newly assigned partitions before anything is fetched from them, and
	// gives the offset at which each one starts. It may block while state is restored. An error, or
	// a partition without a start, fails the session: Poll returns it.
	OnAssigned func(ctx context.Context, partitions []int32) (starts map[int32]int64, err error)
	// OnRevoked is called with partitions that were taken away or lost. Nothing can be
	// committed for them any more. It runs inside the client: it must not call the session.
	OnRevoked func(partitions []int32)
}

// PartitionBatch is a run of records of one partition, in offset order, control records included.
type PartitionBatch struct {
	Topic     string
	Partition int32
	Records   []*Record
}

// Commit is the cut of one partition as Kafka keeps it.
type Commit struct {
	Partition int32
	// Next is the offset of the next record to read.
	Next int64
	// LeaderEpoch is that of the last record read, -1 when unknown.
	LeaderEpoch int32
	// Metadata is the caller's own, at most 4 KB unless the broker is told otherwise.
	Metadata string
}

// Session is one process's membership of a pipeline's group and its transactional producer.
// Poll, Commit and Close are called from one goroutine; Produce and Rebalanced from any.
type Session struct{}

// NewSession joins the group and fences an older producer of the same transactional id.
func NewSession(ctx context.Context, o SessionOptions) (*Session, error) { panic("not yet") }

// Poll waits until there is at least one record, and returns at most max of them, or the
// context's error. Any other error means: Close, and build a new session.
func (s *Session) Poll(ctx context.Context, max int) ([]PartitionBatch, error) { panic("not yet") }

// Produce buffers r, whose Topic and Partition must be set, in the running transaction. A failure surfaces in Commit.
func (s *Session) Produce(ctx context.Context, r *Record) { panic("not yet") }

// Commit flushes what was produced, adds exactly these offsets, and ends the transaction. It returns nil only when
// the broker has confirmed. After any error the caller must Close and build a new session.
func (s *Session) Commit(ctx context.Context, offsets []Commit) error { panic("not yet") }

// Pause stops fetching from partitions of the session's topic; what was fetched of them already is dropped.
func (s *Session) Pause(partitions ...int32) { panic("not yet") }

// Resume undoes Pause.
func (s *Session) Resume(partitions ...int32) { panic("not yet") }

// Rebalanced delivers a signal after partitions were assigned, revoked or lost. Signals coalesce.
func (s *Session) Rebalanced() <-chan struct{} { panic("not yet") }

// Close ends the session without leaving the group: a static member's partitions wait for its
// successor. An open transaction is left to be fenced by that successor or to time out.
func (s *Session) Close() { panic("not yet") }
