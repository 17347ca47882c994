package streamtest_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidemark-io/tidemark/stream"
	"github.com/tidemark-io/tidemark/stream/streamtest/trial"
)

// member is a process of a pipeline in this one, which runs until it is stopped.
type member struct {
	tasks atomic.Int64
	stop  context.CancelFunc
	ended chan error
}

func (w *world) member(t *testing.T, id string) *member {
	ctx, cancel := cancelable(t)
	p := &member{stop: cancel, ended: make(chan error, 1)}
	o := w.Options(id)
	o.UntilEnd = false
	o.Observe = func(s stream.Status) { p.tasks.Store(int64(len(s.Tasks))) }
	go func() { _, err := stream.Run(ctx, o); p.ended <- err }()
	return p
}

// await waits for less than the session timeout of 45 seconds: what it waits for must not take one.
func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for !ok() {
		if ctx.Err() != nil {
			t.Fatalf("never: %s", what)
		}
		pause(ctx, 10*time.Millisecond)
	}
}

// A process that is told to stop while another is there hands its tasks over at once: they need not wait for the session
// timeout of 45 seconds.
func TestCleanStopHandsTasksOver(t *testing.T) {
	w := newWorld(t, fakeBroker(t), trial.Usual())
	w.Produce(small(36).Log())
	a, b := w.member(t, "a"), w.member(t, "b")
	defer b.stop()
	await(t, "both have tasks", func() bool { return a.tasks.Load() == 2 && b.tasks.Load() == 2 })
	a.stop()
	<-a.ended
	await(t, "the other has all", func() bool { return b.tasks.Load() == 4 })
	b.stop()
	<-b.ended
}

// It does so although the group is rebalancing just then, which takes its session away, and hides who else is there.
func TestCleanStopInARebalanceHandsTasksOver(t *testing.T) {
	w := newWorld(t, fakeBroker(t), trial.Usual())
	w.Produce(small(36).Log())
	b := w.member(t, "b")
	defer b.stop()
	await(t, "one has all", func() bool { return b.tasks.Load() == 4 })
	for _, after := range []time.Duration{0, 40 * time.Millisecond, 100 * time.Millisecond, 250 * time.Millisecond} {
		a := w.member(t, "a") // it makes the group rebalance
		pause(t.Context(), after)
		a.stop()
		if err := <-a.ended; !errors.Is(err, context.Canceled) {
			t.Errorf("stopped after %s: %v", after, err)
		}
		b.tasks.Store(0)
		await(t, "the other has all again, stopped after "+after.String(), func() bool { return b.tasks.Load() == 4 })
	}
	c := w.member(t, "c")
	defer c.stop()
	await(t, "two have tasks", func() bool { return c.tasks.Load() == 2 && b.tasks.Load() == 2 })
	b.stop()
	c.stop()
	<-b.ended
	<-c.ended
}
