package kafka

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// SessionOptions describe a membership of a group together with its transactional producer.
type SessionOptions struct {
	Options
	// Group is the consumer group: the pipeline's name.
	Group string
	// InstanceID is the static member id (group.instance.id), stable over restarts of a process.
	InstanceID string
	// Owned is what the sessions of a process share, one after the other, so that tasks stay where their state is. Default: one of
	// its own.
	Owned *Owned
	// TransactionalID is stable over restarts of a process: a new session fences the old one.
	TransactionalID string
	// Topics are what is read. Several are co-partitioned: they have equally many partitions, and those of one number
	// belong to one member.
	Topics []string
	// TransactionTimeout bounds how long a dead process holds up read-committed readers. Default 10 s.
	TransactionTimeout time.Duration
	// CommitTimeout bounds one Commit, flush included. Default 30 s.
	CommitTimeout time.Duration
	// SessionTimeout is how long the broker waits for a dead member before it gives its
	// partitions to others. Default 45 s.
	SessionTimeout time.Duration
	// FetchBytesMax bounds the bytes of one fetch of one broker (a single batch may be larger). Default 4 MiB.
	FetchBytesMax int32
	// OutboxBytes bounds what was produced and is not yet acknowledged. Default 32 MiB.
	OutboxBytes int64
	// OnAssigned is called with the assigned partitions before anything is fetched from them, and
	// gives the offset at which each one starts, in every topic. It may block while state is restored, and must
	// return when ctx is done. An error, or a partition without a start, fails the session: Poll returns it.
	OnAssigned func(ctx context.Context, partitions []int32) (Starts, error)
	// OnRevoked, when not nil, is called with partitions that were taken away or lost. Nothing can be
	// committed for them any more. It runs inside the client: it must not call the session. It is not
	// called because of Close.
	OnRevoked func(partitions []int32)
}

// concurrentFetches bounds the fetches that are under way or wait to be polled: with FetchBytesMax, what they hold.
const concurrentFetches = 2

// Starts are offsets by topic and partition.
type Starts map[string]map[int32]int64

// EnsureDefaults fills what is not set.
func (o *SessionOptions) EnsureDefaults() {
	o.Options.EnsureDefaults()
	if o.Owned == nil {
		o.Owned = new(Owned)
	}
	if o.TransactionTimeout == 0 {
		o.TransactionTimeout = 10 * time.Second
	}
	if o.CommitTimeout == 0 {
		o.CommitTimeout = 30 * time.Second
	}
	if o.SessionTimeout == 0 {
		o.SessionTimeout = 45 * time.Second
	}
	if o.FetchBytesMax == 0 {
		o.FetchBytesMax = 4 << 20
	}
	if o.OutboxBytes == 0 {
		o.OutboxBytes = outboxBytes
	}
}

// Validate reports all faults at once.
func (o *SessionOptions) Validate() error {
	var faults []error
	for _, need := range []struct{ name, value string }{
		{"Group", o.Group}, {"InstanceID", o.InstanceID}, {"TransactionalID", o.TransactionalID}, {"Topics", strings.Join(o.Topics, ",")},
	} {
		if need.value == "" {
			faults = append(faults, fmt.Errorf("%s is not set", need.name))
		}
	}
	if o.OnAssigned == nil {
		faults = append(faults, errors.New("OnAssigned is not set: it says where each partition starts"))
	}
	return errors.Join(append(faults, o.Options.Validate())...)
}

// Session is one process's membership of a pipeline's group and its transactional producer.
// Poll, Commit, Pause and Close are called from one goroutine; Produce and Rebalanced from any.
type Session struct {
	o          SessionOptions
	gts        *kgo.GroupTransactSession
	out        *outbox
	topicIDs   map[string][16]byte
	life       context.Context    // of the client and of buffered records; ends with Close
	endLife    context.CancelFunc //
	running    context.Context    // ends when the session is over, to wake Poll
	endRunning context.CancelFunc
	rebalanced chan struct{}
	closing    sync.Once

	mu       sync.Mutex // held for a few instructions only; the client's own locks may be held around it
	closed   bool
	why      error // why the session is over
	firm     bool  // why is an answer of Kafka's, not our inference from a callback
	assigned []int32
}

// NewSession fences an older producer of the same transactional id, then joins the group. It
// returns once the fence holds; joining goes on behind it, and OnAssigned tells of its end.
func NewSession(ctx context.Context, o SessionOptions) (*Session, error) {
	o.EnsureDefaults()
	if err := o.Validate(); err != nil {
		return nil, fmt.Errorf("session: %w", err)
	}
	s := &Session{o: o, rebalanced: make(chan struct{}, 1)}
	s.life, s.endLife = context.WithCancel(context.Background())
	s.out = newOutbox(s.life, s.o.OutboxBytes)
	s.running, s.endRunning = context.WithCancel(context.Background())
	opts, err := s.options()
	if err != nil {
		return nil, fmt.Errorf("session: %w", err)
	}
	if s.gts, err = kgo.NewGroupTransactSession(opts...); err != nil {
		return nil, fmt.Errorf("session: %w", err)
	}
	if err := s.open(ctx); err != nil {
		s.Close()
		return nil, fmt.Errorf("session of group %s: %w", o.Group, err)
	}
	return s, nil
}

// open does things in the order that invariant 5 needs: fence first, join (and read committed offsets) after.
func (s *Session) open(ctx context.Context) error {
	cl := s.gts.Client()
	s.topicIDs = make(map[string][16]byte, len(s.o.Topics))
	for _, topic := range s.o.Topics {
		info, err := describe(ctx, cl, topic)
		if err != nil {
			return err
		}
		s.topicIDs[topic] = info.raw
	}
	if err := takeOver(ctx, cl, s.o.TransactionalID); err != nil {
		return err
	}
	if err := s.gts.Begin(); err != nil {
		return fmt.Errorf("begin a transaction: %w", classify(err))
	}
	cl.AddConsumeTopics(s.o.Topics...)
	return nil
}

func (s *Session) options() ([]kgo.Opt, error) {
	opts, err := s.o.client()
	if err != nil {
		return nil, err
	}
	opts = append(opts, producing()...)
	return append(opts,
		kgo.WithContext(s.life),
		kgo.WithHooks(groupHook{s}),
		kgo.TransactionalID(s.o.TransactionalID),
		kgo.TransactionTimeout(s.o.TransactionTimeout),
		kgo.ConsumerGroup(s.o.Group),
		kgo.InstanceID(s.o.InstanceID),
		kgo.Balancers(newSticky(s.o.Owned)),
		kgo.SessionTimeout(s.o.SessionTimeout),
		kgo.HeartbeatInterval(min(time.Second, s.o.SessionTimeout/3)),
		kgo.DisableAutoCommit(),
		kgo.AdjustFetchOffsetsFn(s.onAssigned),
		kgo.OnPartitionsRevoked(s.onRevoked),
		kgo.OnPartitionsLost(s.onLost),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.KeepControlRecords(),
		kgo.KeepRetryableFetchErrors(), // else a topic that is gone is silence for a quarter of a minute or more
		kgo.ConsumeResetOffset(kgo.NoResetOffset()),
		kgo.FetchMaxBytes(s.o.FetchBytesMax),
		kgo.FetchMaxPartitionBytes(min(s.o.FetchBytesMax, 1<<20)),
		kgo.FetchMaxWait(500*time.Millisecond),
		kgo.MaxConcurrentFetches(concurrentFetches),
		kgo.BrokerMaxReadBytes(max(2*s.o.FetchBytesMax, batchBytesMax)),
	), nil
}

// Rebalanced delivers a signal after partitions were assigned, revoked or lost. Signals coalesce.
func (s *Session) Rebalanced() <-chan struct{} { return s.rebalanced }

// Close ends the session without leaving the group: a static member's partitions wait for its
// successor. An open transaction is left to be fenced by that successor or to time out.
func (s *Session) Close() {
	s.closing.Do(func() {
		s.mu.Lock()
		s.closed = true
		s.mu.Unlock()
		s.over(errors.New("the session is closed"), true)
		// The client's own Close would first wait for a join that is under way, up to the rebalance
		// timeout. Ending its context first ends every request, and with them the join.
		s.endLife()
		s.gts.Close()
	})
}
