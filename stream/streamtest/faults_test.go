package streamtest_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tidemark-io/tidemark/lake/blob"
	"github.com/tidemark-io/tidemark/reconcile"
	"github.com/tidemark-io/tidemark/stream"
	"github.com/tidemark-io/tidemark/stream/journal"
	"github.com/tidemark-io/tidemark/stream/streamtest"
	"github.com/tidemark-io/tidemark/stream/streamtest/trial"
)

// failing starts a broker whose EndTxn answers PRODUCER_FENCED while fail > 0 (one each).
func failing(t *testing.T, fail *atomic.Int64) []string {
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.GroupMinSessionTimeout(100*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	c.ControlKey(int16(kmsg.EndTxn), func(req kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		if fail.Load() <= 0 {
			return nil, nil, false
		}
		fail.Add(-1)
		resp := req.ResponseKind().(*kmsg.EndTxnResponse)
		resp.ErrorCode = kerr.ProducerFenced.Code
		return resp, nil, true
	})
	return c.ListenAddrs()
}

// A rebuilt session gives back what its landers had charged to the budget.
func TestRebuiltSessionsGiveMemoryBack(t *testing.T) {
	var fail atomic.Int64
	w := newWorld(t, failing(t, &fail), trial.Usual())
	w.Set.Landing = 1
	batch := func() (log []streamtest.Message) {
		for i := range 16 {
			customer := []string{"c1", "c2", "c3", "c5"}[i%4]
			log = append(log, streamtest.Message{Key: customer, Value: streamtest.BigOrder(customer, 20_000)})
		}
		return log
	}
	w.Produce(batch())
	var consumed, landing, rebuilds atomic.Int64
	o := w.Options("a")
	o.UntilEnd = false
	o.Observe = func(s stream.Status) {
		n := int64(0)
		for _, task := range s.Tasks {
			n += task.Counters.Consumed
		}
		consumed.Store(n)
		landing.Store(s.LandingBytes)
		rebuilds.Store(s.Rebuilds)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { _, err := stream.Run(ctx, o); done <- err }()
	total := int64(16)
	await := func(what string, d time.Duration, ok func() bool) bool {
		c, stop := context.WithTimeout(t.Context(), d)
		defer stop()
		for !ok() {
			if c.Err() != nil {
				t.Errorf("never: %s (consumed %d of %d, landing bytes %d, rebuilds %d)", what, consumed.Load(), total, landing.Load(), rebuilds.Load())
				return false
			}
			pause(c, 10*time.Millisecond)
		}
		return true
	}
	for round := int64(1); round <= 6; round++ {
		if !await("consumed", 20*time.Second, func() bool { return consumed.Load() >= total }) {
			break
		}
		t.Logf("round %d: consumed %d, landing bytes %d, rebuilds %d", round, consumed.Load(), landing.Load(), rebuilds.Load())
		fail.Store(1)
		w.Produce(batch())
		total += 16
		if !await("rebuilt", 20*time.Second, func() bool { return rebuilds.Load() >= round }) {
			break
		}
	}
	cancel()
	select {
	case err := <-done:
		t.Logf("ended: %v", err)
	case <-expired(t, 40*time.Second):
		t.Error("Run does not even end when its context does")
	}
}

// A partition that gets a record every 300 ms is never silent.
func TestTrickleIsNotSilence(t *testing.T) {
	w := newWorld(t, fakeBroker(t), trial.Usual())
	w.Set.Partitions = 1
	w.Plan.Pipeline.Source.Watermark.CloseWhenIdle = 2 * time.Second
	log := streamtest.Profile{Seed: 31, Events: 400, Customers: 2}.Log()
	w.Produce(log[:1])
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	o := w.Options("a")
	o.UntilEnd = false
	var late int64
	o.Observe = func(s stream.Status) {
		late = 0
		for _, task := range s.Tasks {
			late += task.Counters.Late
		}
	}
	go func() { _, err := stream.Run(ctx, o); done <- err }()
	for i := 1; i < 27; i++ {
		pause(ctx, 300*time.Millisecond)
		w.Produce(log[i : i+1])
	}
	cancel()
	<-done
	for _, e := range w.decisions(journal.Idle) {
		t.Errorf("idle decision although a record came every 300 ms: partition %d at offset %d, %q", e.Partition, e.Offset, e.Reason)
	}
	t.Logf("late: %d", late)
}

// RetryFor bounds retries without a commit in between.
func TestRetriesEnd(t *testing.T) {
	var fail atomic.Int64
	fail.Store(1 << 40)
	w := newWorld(t, failing(t, &fail), trial.Usual())
	w.Produce(small(5).Log())
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	o := w.Options("a")
	o.RetryFor = 2 * time.Second
	var rebuilds int64
	o.Observe = func(s stream.Status) { rebuilds = s.Rebuilds }
	_, err := stream.Run(ctx, o)
	if ctx.Err() != nil {
		t.Errorf("RetryFor is 2 s, after 20 s and %d rebuilds without one commit it still tried: %v", rebuilds, err)
	}
	t.Log(err)
}

type slow struct {
	blob.Bucket
	list func(ctx context.Context, prefix string) error
	put  func(ctx context.Context, key string) error
}

func (s *slow) List(ctx context.Context, prefix string, fn func(blob.Object) error) error {
	if s.list != nil {
		if err := s.list(ctx, prefix); err != nil {
			return err
		}
	}
	return s.Bucket.List(ctx, prefix, fn)
}

func (s *slow) PutIfAbsent(ctx context.Context, key string, pieces ...[]byte) error {
	if s.put != nil {
		if err := s.put(ctx, key); err != nil {
			return err
		}
	}
	return s.Bucket.PutIfAbsent(ctx, key, pieces...)
}

// One task that stops at its admission must not end the process while the others are being restored.
func TestOneStoppedTaskLeavesTheOthers(t *testing.T) {
	w := newWorld(t, fakeBroker(t), trial.Usual())
	log := streamtest.Profile{Seed: 51, Events: 400, Customers: 8}.Log()
	w.Produce(log[:200])
	w.Stream()
	w.admin(func(ctx context.Context, adm *kadm.Client) error {
		var at kadm.Offsets
		at.AddOffset("orders", 0, 1, -1)
		return adm.CommitAllOffsets(ctx, "orders", at)
	})
	w.Produce(log[200:])
	w.Bucket = &slow{Bucket: w.Bucket, list: func(ctx context.Context, prefix string) error {
		if strings.HasPrefix(prefix, "checkpoints/") && !strings.HasPrefix(prefix, "checkpoints/orders/0") {
			pause(ctx, 2*time.Second)
		}
		return ctx.Err()
	}}
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
	defer cancel()
	o := w.Options("a")
	o.UntilEnd = false
	running := 0
	o.Observe = func(s stream.Status) {
		n := 0
		for _, task := range s.Tasks {
			if task.State != stream.Stopped {
				n++
			}
		}
		if running = max(running, n); running == 3 {
			cancel()
		}
	}
	_, err := stream.Run(ctx, o)
	t.Logf("most running %d, err %v", running, err)
	var stopped *stream.StoppedError
	if errors.As(err, &stopped) {
		t.Errorf("the process ended, three sound tasks never ran (most running: %d): %v", running, err)
	}
}

// Told to stop while a task waits for room to land in, the run must not commit a cut at which windows that its watermark has
// passed are open: a replay would close them with their results suppressed.
func TestStopWhileWaitingForRoom(t *testing.T) {
	w := newWorld(t, fakeBroker(t), trial.Usual())
	w.Set.Landing = 1
	var log []streamtest.Message
	for i, m := range (streamtest.Profile{Seed: 71, Events: 3000, Customers: 1}).Log() {
		log = append(log, m)
		if i%10 == 0 {
			log = append(log, streamtest.Message{Key: m.Key, Value: streamtest.BigOrder(m.Key, 20_000)})
		}
	}
	w.Produce(log)
	sound := w.Bucket
	var blocked atomic.Int64
	ctx, cancel := context.WithCancel(t.Context())
	w.Bucket = &slow{Bucket: sound, put: func(c context.Context, key string) error {
		if strings.HasPrefix(key, "raw/orders/dt=") && ctx.Err() == nil {
			blocked.Add(1)
			<-c.Done()
			return c.Err()
		}
		return nil
	}}
	o := w.Options("a")
	o.UntilEnd = false
	o.PollRecordsMax = 100000
	done := make(chan error, 1)
	go func() { _, err := stream.Run(ctx, o); done <- err }()
	for blocked.Load() == 0 {
		pause(t.Context(), 20*time.Millisecond)
	}
	pause(t.Context(), time.Second)
	cancel()
	<-done
	w.Bucket = sound
	w.LoseDisk()
	if err := os.RemoveAll(filepath.Join(w.Dir, "lake", "checkpoints")); err != nil {
		t.Fatal(err)
	}
	w.Stream()
	got := w.Published()

	clean := newWorld(t, fakeBroker(t), trial.Usual())
	clean.Produce(log)
	clean.Stream()
	lost := 0
	for win := range clean.Published() {
		if len(got[win]) == 0 {
			lost++
		}
	}
	if lost > 0 {
		t.Errorf("%d of %d windows were never published by the stream", lost, len(clean.Published()))
	}
}

// Retention passes the committed offset of one partition: its task stops with a clear error, the others go on.
func TestRetentionPassesOneTask(t *testing.T) {
	w := newWorld(t, fakeBroker(t), trial.Usual())
	log := streamtest.Profile{Seed: 51, Events: 800, Customers: 8}.Log()
	w.Produce(log[:200])
	w.Stream()
	w.Produce(log[200:])
	w.admin(func(ctx context.Context, adm *kadm.Client) error {
		ends, err := adm.ListEndOffsets(ctx, "orders")
		if err != nil {
			return err
		}
		var to kadm.Offsets
		for p, e := range ends["orders"] {
			if e.Offset > 100 {
				to.AddOffset("orders", p, e.Offset-5, -1)
				t.Logf("partition %d: deleted up to %d of %d", p, e.Offset-5, e.Offset)
				break
			}
		}
		_, err = adm.DeleteRecords(ctx, to)
		return err
	})
	ctx, cancel := context.WithTimeout(t.Context(), 12*time.Second)
	defer cancel()
	o := w.Options("a")
	o.RetryFor = 4 * time.Second
	var consumed, rebuilds int64
	o.Observe = func(s stream.Status) {
		consumed, rebuilds = 0, s.Rebuilds
		for _, task := range s.Tasks {
			consumed += task.Counters.Consumed
		}
	}
	_, err := stream.Run(ctx, o)
	var stopped *stream.StoppedError
	if !errors.As(err, &stopped) {
		t.Errorf("no task stopped with a reason; consumed %d of 800 after %d rebuilds, still trying: %v; %v", consumed, rebuilds, ctx.Err() != nil, err)
	}
}

// A lake that begins behind the task's birth can never hold every record: nothing may be certified of it.
func TestLakeThatBeginsTooLateStops(t *testing.T) {
	w := newWorld(t, fakeBroker(t), trial.Usual())
	log := streamtest.Profile{Seed: 51, Events: 800, Customers: 8}.Log()
	w.Produce(log[:400])
	w.Stream()
	if _, err := w.Reconciler().Apply(t.Context(), reconcile.ApplyOptions{All: true}); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(w.Dir, "lake", "raw", "orders")); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(w.Dir, "lake", "reconcile")); err != nil {
		t.Fatal(err)
	}
	w.admin(func(ctx context.Context, adm *kadm.Client) error {
		ends, err := adm.ListEndOffsets(ctx, "orders")
		if err != nil {
			return err
		}
		var to kadm.Offsets
		for p, e := range ends["orders"] {
			to.AddOffset("orders", p, e.Offset/2, -1)
		}
		_, err = adm.DeleteRecords(ctx, to)
		return err
	})
	w.Bucket = nil // it knows which directories it has made
	w.Load()
	w.stopsWith("the lake begins at offset", "is it the right bucket?")
	report, err := w.Reconciler().Apply(t.Context(), reconcile.ApplyOptions{All: true})
	if err == nil && (report.Retracted > 0 || report.Certified > 0) {
		t.Errorf("%d right results were retracted, %d units certified", report.Retracted, report.Certified)
	}
}

func expired(t *testing.T, d time.Duration) <-chan struct{} {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx.Done()
}
