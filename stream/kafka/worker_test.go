package kafka_test

import (
	"context"
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/tidemark-io/tidemark/stream/kafka"
)

// worker is the smallest thing that consumes, publishes and commits as a task does: it copies records from
// its source to the same partition of out, and rebuilds its position from the broker in OnAssigned.
type worker struct {
	c       *cluster
	o       kafka.SessionOptions
	out     string
	session *kafka.Session

	mu       sync.Mutex
	next     map[int32]int64
	revoked  []int32
	assigned int
}

func (c *cluster) worker(t *testing.T, group, id, source, out string) *worker {
	w := &worker{c: c, out: out}
	w.o = kafka.SessionOptions{
		Options: c.o, Group: group, InstanceID: id, TransactionalID: group + "-" + id, Topics: []string{source},
		OnAssigned: w.onAssigned, Owned: new(kafka.Owned),
		OnRevoked: func(partitions []int32) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.revoked = append(w.revoked, partitions...)
		},
	}
	return w
}

func (w *worker) onAssigned(ctx context.Context, partitions []int32) (kafka.Starts, error) {
	committed, err := w.c.admin.Committed(ctx, w.o.Group, w.o.Topics[0])
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.next = make(map[int32]int64)
	for _, p := range partitions {
		w.next[p] = committed[p].Next // 0 when there is none
	}
	w.assigned++
	return kafka.Starts{w.o.Topics[0]: maps.Clone(w.next)}, nil
}

// open starts a session, closed at the latest with the test.
func (w *worker) open(t *testing.T) *worker {
	t.Helper()
	s, err := kafka.NewSession(context.Background(), w.o)
	must(t, err)
	t.Cleanup(s.Close)
	w.session = s
	return w
}

// step polls once, waiting for records, and copies them.
func (w *worker) step(ctx context.Context, max int) error {
	batches, err := w.session.Poll(ctx, max)
	if err != nil {
		return err
	}
	for _, b := range batches {
		for _, r := range b.Records {
			if !r.Attrs.IsControl() {
				w.session.Produce(ctx, &kafka.Record{Topic: w.out, Partition: b.Partition, Value: r.Value})
			}
			w.move(b.Partition, r.Offset+1)
		}
	}
	return nil
}

func (w *worker) move(partition int32, next int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.next[partition] = next
}

// at is the worker's position, -1 without an assignment.
func (w *worker) at(partition int32) int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	if next, ok := w.next[partition]; ok {
		return next
	}
	return -1
}

// again closes the session, as a crash would, and opens another.
func (w *worker) again(t *testing.T) *worker {
	t.Helper()
	w.session.Close()
	w.mu.Lock()
	w.next, w.assigned = nil, 0
	w.mu.Unlock()
	return w.open(t)
}

// assignments of the current session.
func (w *worker) assignments() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.assigned
}

// lost says whether partitions were taken from any session so far.
func (w *worker) lost() []int32 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.revoked)
}

// cut is what a commit of everything polled so far holds.
func (w *worker) cut() []kafka.Commit {
	w.mu.Lock()
	defer w.mu.Unlock()
	var cut []kafka.Commit
	for _, p := range slices.Sorted(maps.Keys(w.next)) {
		cut = append(cut, kafka.Commit{Partition: p, Next: w.next[p], LeaderEpoch: -1, Metadata: "cut"})
	}
	return cut
}

func (w *worker) commit(ctx context.Context) error { return w.session.Commit(ctx, w.cut()) }

// copyTo steps until the partition's position has reached next.
func (w *worker) copyTo(t *testing.T, partition int32, next int64) {
	t.Helper()
	for {
		if w.at(partition) >= next {
			return
		}
		must(t, w.step(context.Background(), 10))
	}
}

// settle waits until the session has its assignment.
func (w *worker) settle(t *testing.T) *worker {
	t.Helper()
	for {
		if w.assignments() > 0 {
			return w
		}
		<-w.session.Rebalanced()
	}
}
