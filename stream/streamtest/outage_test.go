package streamtest_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/tidemark-io/tidemark/stream"
	"github.com/tidemark-io/tidemark/stream/streamtest"
	"github.com/tidemark-io/tidemark/stream/streamtest/trial"
)

var errAway = errors.New("503 slow down")

// away is a bucket that can be told to fail.
func (w *world) away(prefix string) *atomic.Bool {
	var away atomic.Bool
	fail := func(key string) error {
		if away.Load() && strings.HasPrefix(key, prefix) {
			return errAway
		}
		return nil
	}
	w.Bucket = &slow{Bucket: w.Bucket,
		list: func(_ context.Context, prefix string) error { return fail(prefix) },
		put:  func(_ context.Context, key string) error { return fail(key) },
	}
	return &away
}

// seen waits for a status of a run that goes on.
type seen struct {
	t      *testing.T
	last   atomic.Pointer[stream.Status]
	ended  chan error
	cancel context.CancelFunc
}

func (w *world) begin(o stream.Options) *seen {
	s := &seen{t: w.TB.(*testing.T), ended: make(chan error, 1)}
	o.Observe = func(st stream.Status) { s.last.Store(&st) }
	ctx, cancel := cancelable(w.TB)
	s.cancel = cancel
	go func() { _, err := stream.Run(ctx, o); s.ended <- err }()
	return s
}

func (s *seen) until(what string, ok func(*stream.Status) bool) {
	s.t.Helper()
	late := expired(s.t, 90*time.Second)
	for {
		if st := s.last.Load(); st != nil && ok(st) {
			return
		}
		select {
		case err := <-s.ended:
			s.t.Fatalf("the run ended before %s: %v", what, err)
		case <-late:
			s.t.Fatalf("never %s: %+v", what, s.last.Load())
		case <-expired(s.t, 20*time.Millisecond):
		}
	}
}

func paused(st *stream.Status, words ...string) (n int) {
	for _, task := range st.Tasks {
		all := task.State == stream.Paused
		for _, word := range words {
			all = all && strings.Contains(task.Err, word)
		}
		if all {
			n++
		}
	}
	return n
}

// A bucket that is away for longer than any retry pauses the tasks when the landing budget is used up, and ends nothing
// (law L3): memory stays bounded, and when it is back they go on by themselves, with nothing lost or doubled.
func TestOutageIsWaitedFor(t *testing.T) {
	w := newWorld(t, fakeBroker(t), trial.Usual())
	w.Set.Landing = 1 // the least: 1 MiB
	log := small(61).Log()
	for i := range 100 {
		customer := []string{"c1", "c2", "c3", "c5"}[i%4]
		log = append(log, streamtest.Message{Key: customer, Value: streamtest.BigOrder(customer, 40_000)})
	}
	w.Produce(log)
	files := w.away("raw/orders/dt=") // nothing is landed before the outage
	files.Store(true)
	away := w.away("")
	o := w.Options("a")
	o.RetryFor = time.Second
	var most atomic.Int64
	s := w.begin(o)
	defer s.cancel()
	s.until("there are tasks", func(st *stream.Status) bool { return len(st.Tasks) == 4 })
	away.Store(true)
	files.Store(false)
	w.Produce(log)
	s.until("paused", func(st *stream.Status) bool {
		most.Store(max(most.Load(), st.LandingBytes))
		return paused(st, "lander behind", "landing budget", "503 slow down") >= 2
	})
	since := s.last.Load().At
	s.until("a while", func(st *stream.Status) bool { return st.At.Sub(since) > 3*time.Second })
	if st := s.last.Load(); st.Rebuilds > 0 || st.BucketFailing == "" || st.BucketSince.After(since) {
		t.Errorf("%d rebuilds, bucket %q since %s", st.Rebuilds, st.BucketFailing, st.BucketSince)
	}
	if most.Load() > 2<<20 {
		t.Errorf("%d bytes wait to be landed, of a budget of 1 MiB", most.Load())
	}
	away.Store(false)
	if err := <-s.ended; err != nil {
		t.Fatal(err)
	}
	w.Stream()
	w.Judge(append(log, log...))
}

// A session that can't be built because the bucket is away is built again until it is there.
func TestOutageAtAnAssignment(t *testing.T) {
	w := newWorld(t, fakeBroker(t), trial.Usual())
	log := small(62).Log()
	w.Produce(log)
	away := w.away("checkpoints")
	o := w.Options("a")
	o.RetryFor = 100 * time.Millisecond
	w.Stream()
	w.LoseDisk()
	away.Store(true)
	s := w.begin(o)
	defer s.cancel()
	s.until("tried again", func(st *stream.Status) bool { return st.Rebuilds >= 4 && strings.Contains(st.LastError, "503") })
	away.Store(false)
	if err := <-s.ended; err != nil {
		t.Fatal(err)
	}
	w.Judge(log)
}

// A task whose oldest record that isn't landed has used up its share of the topic's retention reads and commits no more
// until it is: otherwise retention would delete what the lake must hold (law L3).
func TestPausesNearRetention(t *testing.T) {
	w := newWorld(t, fakeBroker(t), trial.Usual())
	share := 0.1
	w.Plan.Pipeline.Lake.PauseAt = &share
	log := small(63).Log()
	w.Produce(log[:100])
	w.admin(func(ctx context.Context, adm *kadm.Client) error {
		keeps := "20000"
		_, err := adm.AlterTopicConfigs(ctx, []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "retention.ms", Value: &keeps}}, "orders")
		return err
	})
	away := w.away("raw/orders/dt=")
	away.Store(true)
	o := w.Options("a")
	o.UntilEnd = false
	w.Plan.Pipeline.Lake.Roll.Every = 100 * time.Millisecond
	s := w.begin(o)
	defer s.cancel()
	s.until("paused", func(st *stream.Status) bool { return paused(st, "lake.pause_at", "503 slow down") >= 2 })
	for _, task := range s.last.Load().Tasks {
		if in := task.Inputs[0]; task.State == stream.Paused && (in.Retention != 20*time.Second || in.Headroom > 18*time.Second || in.Headroom < 0) {
			t.Errorf("task %d: headroom %s of %s", task.Task, in.Headroom, in.Retention)
		}
	}
	before := s.last.Load()
	w.Produce(log[100:])
	since := s.last.Load().At
	s.until("a while", func(st *stream.Status) bool { return st.At.Sub(since) > time.Second })
	for i, task := range s.last.Load().Tasks {
		if was := before.Tasks[i]; was.State == stream.Paused && task.Committed != was.Committed {
			t.Errorf("task %d committed %d while paused, %d before", task.Task, task.Committed, was.Committed)
		}
	}
	away.Store(false)
	s.until("all consumed", func(st *stream.Status) bool { return total(st) == int64(len(log)) && paused(st) == 0 })
	s.cancel()
	<-s.ended
	w.Stream()
	w.Judge(log)
}

func total(st *stream.Status) (n int64) {
	for _, task := range st.Tasks {
		n += task.Counters.Consumed
	}
	return n
}
