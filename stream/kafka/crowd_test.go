package kafka_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tidemark-io/tidemark/stream/kafka"
)

// Several processes that share a group, die at random, come back and leave, publish each record exactly once between them.
func TestExactlyOnceInACrowd(t *testing.T) {
	const records, partitions = 300, 5
	onEach(t, func(t *testing.T, c *cluster) {
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		in, out := c.topic(t, "in", partitions), c.topic(t, "out", partitions)
		for p := range int32(partitions) {
			c.fill(t, in, p, 0, records)
		}
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		var crowd sync.WaitGroup
		for i, id := range []string{"a", "b", "c"} {
			m := &member{
				c: c, worker: c.worker(t, c.name(t, "group"), id, in, out),
				rng: rand.New(rand.NewPCG(seed, uint64(i))),
			}
			crowd.Go(func() {
				if err := m.live(ctx); err != nil {
					t.Errorf("%s: %v", id, err)
					cancel()
				}
			})
		}
		for done := 0; done < partitions && ctx.Err() == nil; {
			time.Sleep(50 * time.Millisecond)
			committed, err := c.admin.Committed(ctx, c.name(t, "group"), in)
			must(t, err)
			done = 0
			for _, at := range committed {
				if at.Next == records {
					done++
				}
			}
		}
		cancel()
		crowd.Wait()
		for p := range int32(partitions) {
			if got := c.values(t, out, p); !slices.Equal(got, wanted(0, records)) {
				t.Errorf("partition %d holds %d records, want each of %d once, in order", p, len(got), records)
			}
		}
	})
}

// member is a process of the crowd.
type member struct {
	c      *cluster
	worker *worker
	rng    *rand.Rand
}

// live builds a session, works, and builds another when that one ends, until ctx is done.
func (m *member) live(ctx context.Context) error {
	for {
		err := m.session(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil && !errors.Is(err, kafka.ErrFenced) {
			return err
		}
		if m.rng.IntN(8) == 0 {
			if err := m.c.admin.LeaveGroup(ctx, m.worker.o.Group, m.worker.o.InstanceID); err != nil && ctx.Err() == nil {
				return err
			}
		}
	}
}

// session works until the session ends by itself, or dies: then with a transaction open, mostly.
func (m *member) session(ctx context.Context) error {
	w := m.worker
	w.mu.Lock()
	w.next = nil
	w.mu.Unlock()
	s, err := kafka.NewSession(ctx, w.o)
	if err != nil {
		return err
	}
	defer s.Close()
	w.session = s
	for {
		poll, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		err := w.step(poll, 1+m.rng.IntN(20))
		cancel()
		if errors.Is(err, context.DeadlineExceeded) {
			continue
		}
		if err != nil {
			return err
		}
		if m.rng.IntN(25) == 0 {
			return nil
		}
		if err := w.commit(ctx); err != nil {
			return err
		}
	}
}
