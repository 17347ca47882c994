package kafka_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tidemark-io/tidemark/stream/kafka"
)

// A zombie, paused in the middle of a transaction while a new process with its ids took over, publishes nothing (invariants 1 and 5).
func TestZombieIsFenced(t *testing.T) {
	onEach(t, func(t *testing.T, c *cluster) {
		in, out := c.topic(t, "in", 1), c.topic(t, "out", 1)
		c.fill(t, in, 0, 0, 20)
		group := c.name(t, "group")
		zombie := c.worker(t, group, "a", in, out).open(t)
		zombie.copyTo(t, 0, 10)
		must(t, zombie.commit(context.Background()))
		zombie.copyTo(t, 0, 20)

		heir := c.worker(t, group, "a", in, out).open(t)
		err := zombie.commit(context.Background())
		if !errors.Is(err, kafka.ErrFenced) && !errors.Is(err, kafka.ErrInstanceFenced) {
			t.Errorf("the zombie's commit: %v", err)
		}
		heir.copyTo(t, 0, 20)
		must(t, heir.commit(context.Background()))
		if got := c.values(t, out, 0); !slices.Equal(got, wanted(0, 20)) {
			t.Errorf("out holds %q", got)
		}
		c.committed(t, heir, 0, 20, "cut")
	})
}

// The fence holds when NewSession returns, before the group is joined and committed offsets are asked for (invariant 5).
func TestSessionFencesFirst(t *testing.T) {
	onEach(t, func(t *testing.T, c *cluster) {
		in, out := c.topic(t, "in", 1), c.topic(t, "out", 1)
		w := c.worker(t, c.name(t, "group"), "a", in, out)
		older, err := kafka.NewTxnProducer(context.Background(), c.o, w.o.TransactionalID)
		must(t, err)
		defer older.Close()
		older.Produce(context.Background(), record(out, "lost"))
		waitFor(t, func() bool { return c.high(t, out) == 1 })
		w.o.OnAssigned = func(ctx context.Context, _ []int32) (kafka.Starts, error) { <-ctx.Done(); return nil, ctx.Err() }
		w.open(t)
		if err := older.Commit(context.Background()); !errors.Is(err, kafka.ErrFenced) {
			t.Errorf("the older producer's commit: %v; want ErrFenced", err)
		}
		if got := c.values(t, out, 0); len(got) != 0 {
			t.Errorf("out holds %q", got)
		}
	})
}

// A transaction that takes longer than its timeout is aborted by the broker: Commit says so, and nothing of it is published.
func TestTransactionTimesOut(t *testing.T) {
	onEach(t, func(t *testing.T, c *cluster) {
		in, out := c.topic(t, "in", 1), c.topic(t, "out", 1)
		c.fill(t, in, 0, 0, 10)
		w := c.worker(t, c.name(t, "group"), "a", in, out)
		w.o.TransactionTimeout = time.Second
		w.open(t).copyTo(t, 0, 10)
		waitFor(t, func() bool { return c.high(t, out) == 11 }) // ten records and the marker of their abort
		if err := w.commit(context.Background()); !errors.Is(err, kafka.ErrFenced) {
			t.Errorf("Commit: %v; want ErrFenced", err)
		}
		w.again(t).copyTo(t, 0, 10)
		must(t, w.commit(context.Background()))
		if got := c.values(t, out, 0); !slices.Equal(got, wanted(0, 10)) {
			t.Errorf("out holds %q", got)
		}
	})
}

// The older of two processes with one instance id learns it from its membership alone, without committing.
func TestInstanceIsFenced(t *testing.T) {
	onEach(t, func(t *testing.T, c *cluster) {
		in, out := c.topic(t, "in", 1), c.topic(t, "out", 1)
		group := c.name(t, "group")
		older := c.worker(t, group, "a", in, out).open(t).settle(t)
		newer := c.worker(t, group, "a", in, out)
		newer.o.TransactionalID += "-other"
		newer.open(t).settle(t)
		if err := older.step(context.Background(), 1); !errors.Is(err, kafka.ErrInstanceFenced) {
			t.Errorf("the older process: %v; want ErrInstanceFenced", err)
		}
		c.fill(t, in, 0, 0, 1)
		must(t, newer.step(context.Background(), 1))
	})
}

// When a process joins, the session of the one that was there ends: its transaction can't be committed. Rebuilt
// sessions share the partitions, and each record is published once (invariant 2).
func TestRebalanceEndsTheSession(t *testing.T) {
	onEach(t, func(t *testing.T, c *cluster) {
		ctx := context.Background()
		in, out := c.topic(t, "in", 2), c.topic(t, "out", 2)
		c.fill(t, in, 0, 0, 20)
		c.fill(t, in, 1, 0, 20)
		group := c.name(t, "group")
		a := c.worker(t, group, "a", in, out).open(t)
		a.copyTo(t, 0, 20)
		a.copyTo(t, 1, 20)

		b := c.worker(t, group, "b", in, out).open(t)
		waitFor(t, func() bool { return len(a.lost()) > 0 })
		if err := a.commit(ctx); !errors.Is(err, kafka.ErrFenced) {
			t.Errorf("commit after a rebalance: %v; want ErrFenced", err)
		}
		if err := a.step(ctx, 1); !errors.Is(err, kafka.ErrFenced) {
			t.Errorf("poll after a rebalance: %v; want ErrFenced", err)
		}
		if got := slices.Sorted(slices.Values(a.lost())); !slices.Equal(got, []int32{0, 1}) {
			t.Errorf("revoked %v", got)
		}
		a.again(t)
		shareOut(t, c, a, b)
		for p := range int32(2) {
			if got := c.values(t, out, p); !slices.Equal(got, wanted(0, 20)) {
				t.Errorf("partition %d holds %q", p, got)
			}
		}
	})
}

// A rebalance that comes while state is being restored ends the restore, and the session, as a rebalance: not as a
// context of the caller's that ended.
func TestRebalanceWhileAssigning(t *testing.T) {
	onEach(t, func(t *testing.T, c *cluster) {
		ctx := context.Background()
		in, out := c.topic(t, "in", 2), c.topic(t, "out", 2)
		a := c.worker(t, c.name(t, "group"), "a", in, out)
		restoring := make(chan struct{}, 1)
		a.o.OnAssigned = func(ctx context.Context, _ []int32) (kafka.Starts, error) {
			restoring <- struct{}{}
			<-ctx.Done()
			return nil, fmt.Errorf("restore: %w", ctx.Err())
		}
		a.open(t)
		<-restoring
		c.worker(t, c.name(t, "group"), "b", in, out).open(t)
		if err := a.step(ctx, 1); !errors.Is(err, kafka.ErrFenced) || errors.Is(err, context.Canceled) {
			t.Errorf("Poll: %v; want ErrFenced, and no context", err)
		}
	})
}

// shareOut runs both workers, rebuilding sessions as a process would, until both partitions are copied.
func shareOut(t *testing.T, c *cluster, workers ...*worker) {
	t.Helper()
	done := func() bool {
		committed, err := c.admin.Committed(context.Background(), workers[0].o.Group, workers[0].o.Topics[0])
		must(t, err)
		return committed[0].Next == 20 && committed[1].Next == 20
	}
	for rebuilt := 0; !done(); {
		for _, w := range workers {
			ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
			err := w.step(ctx, 100)
			cancel()
			if errors.Is(err, context.DeadlineExceeded) {
				continue
			}
			if err == nil {
				err = w.commit(context.Background())
			}
			if err == nil {
				continue
			}
			if !errors.Is(err, kafka.ErrFenced) {
				t.Fatal(err)
			}
			if rebuilt++; rebuilt > 20 {
				t.Fatal("the group does not come to rest")
			}
			w.again(t)
		}
	}
	owners, err := c.admin.GroupOwners(context.Background(), workers[0].o.Group)
	must(t, err)
	if len(owners) != 2 || owners[0] == owners[1] {
		t.Errorf("owners of the partitions: %v", owners)
	}
}

// A static member that dies and comes back gets its partitions without a rebalance, however long its session
// timeout: the other member's session goes on (0.02 s instead of 45 s).
func TestStaticMemberTakesOver(t *testing.T) {
	onEach(t, func(t *testing.T, c *cluster) {
		ctx := context.Background()
		in, out := c.topic(t, "in", 2), c.topic(t, "out", 2)
		group := c.name(t, "group")
		a, b := c.worker(t, group, "a", in, out), c.worker(t, group, "b", in, out)
		pair(t, c, a, b)
		owners, err := c.admin.GroupOwners(ctx, group)
		must(t, err)
		for range 3 {
			began := time.Now()
			a.again(t).settle(t)
			t.Logf("%s after the session was closed, its successor had its partitions", time.Since(began))
			c.fill(t, in, 0, 0, 1)
			c.fill(t, in, 1, 0, 1)
			must(t, b.step(ctx, 1))
			must(t, b.commit(ctx))
			must(t, a.step(ctx, 1))
			must(t, a.commit(ctx))
		}
		if after, err := c.admin.GroupOwners(ctx, group); err != nil || len(after) != 2 || after[0] != owners[0] {
			t.Errorf("owners were %v, now %v (%v)", owners, after, err)
		}
	})
}

// pair opens two workers of one group, and rebuilds sessions as a process would until the group is at rest: the broker calls it
// stable, and both sessions read what the broker says is theirs.
func pair(t *testing.T, c *cluster, a, b *worker) {
	t.Helper()
	a.open(t)
	b.open(t)
	waitFor(t, func() bool {
		for _, w := range []*worker{a, b} {
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
			err := w.step(ctx, 1)
			cancel()
			if errors.Is(err, kafka.ErrFenced) {
				w.session.Close()
				w.open(t)
			} else if !errors.Is(err, context.DeadlineExceeded) {
				t.Fatal(err)
			}
		}
		owners, err := c.admin.GroupOwners(context.Background(), a.o.Group)
		must(t, err)
		return len(owners) == 2 && owns(a, owners) && owns(b, owners)
	})
}

func owns(w *worker, owners map[int32]string) bool {
	assigned := w.session.Assigned()
	return len(assigned) == 1 && owners[assigned[0]] == w.o.InstanceID
}

// Leaving is for a process that ends for good: its partitions go to the others at once.
func TestLeaveGroup(t *testing.T) {
	onEach(t, func(t *testing.T, c *cluster) {
		ctx := context.Background()
		in, out := c.topic(t, "in", 2), c.topic(t, "out", 2)
		group := c.name(t, "group")
		a, b := c.worker(t, group, "a", in, out), c.worker(t, group, "b", in, out)
		pair(t, c, a, b)
		a.session.Close()
		if owners, err := c.admin.GroupOwners(ctx, group); err != nil || len(owners) != 2 {
			t.Errorf("closing left the group (invariant 6): %v (%v)", owners, err)
		}
		must(t, c.admin.LeaveGroup(ctx, group, "a"))
		must(t, c.admin.LeaveGroup(ctx, group, "a"))
		must(t, c.admin.LeaveGroup(ctx, c.name(t, "no such group"), "a"))
		if err := b.step(ctx, 1); !errors.Is(err, kafka.ErrFenced) {
			t.Errorf("the other member's session: %v; want ErrFenced", err)
		}
		b.again(t).settle(t)
		if got := b.session.Assigned(); !slices.Equal(got, []int32{0, 1}) {
			t.Errorf("assigned %v", got)
		}
	})
}
