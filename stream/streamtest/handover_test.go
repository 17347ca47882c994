package streamtest_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidemark-io/tidemark/stream"
	"github.com/tidemark-io/tidemark/stream/streamtest/trial"
)

// A process that is told to stop while another is there hands its tasks over at once: they need not wait for the session
// timeout of 45 seconds.
func TestCleanStopHandsTasksOver(t *testing.T) {
	w := newWorld(t, fakeBroker(t), trial.Usual())
	w.Produce(small(36).Log())
	type process struct {
		tasks atomic.Int64
		stop  context.CancelFunc
		ended chan error
	}
	start := func(id string) *process {
		ctx, cancel := cancelable(t)
		p := &process{stop: cancel, ended: make(chan error, 1)}
		o := w.Options(id)
		o.UntilEnd = false
		o.Observe = func(s stream.Status) { p.tasks.Store(int64(len(s.Tasks))) }
		go func() { _, err := stream.Run(ctx, o); p.ended <- err }()
		return p
	}
	await := func(what string, ok func() bool) {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		for !ok() {
			if ctx.Err() != nil {
				t.Fatalf("never: %s", what)
			}
			pause(ctx, 10*time.Millisecond)
		}
	}
	a, b := start("a"), start("b")
	defer b.stop()
	await("both have tasks", func() bool { return a.tasks.Load() == 2 && b.tasks.Load() == 2 })
	a.stop()
	<-a.ended
	await("the other has all", func() bool { return b.tasks.Load() == 4 })
	b.stop()
	<-b.ended
}
