package streamtest_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tidemark-io/tidemark/state"
	"github.com/tidemark-io/tidemark/stream"
	"github.com/tidemark-io/tidemark/stream/journal"
	"github.com/tidemark-io/tidemark/stream/kafka"
	"github.com/tidemark-io/tidemark/stream/streamtest"
	"github.com/tidemark-io/tidemark/stream/streamtest/trial"
)

// TestSameCutSameState proves what recovery rests on: runs over one log that differ in batches, commits, checkpoints,
// landing, placement of tasks, lost commits and lost disks end with the same state, the same counters, the same
// journal and the same keys and aggregates, each published once.
func TestSameCutSameState(t *testing.T) {
	p := streamtest.Profile{Seed: 77, Events: 1500, Customers: 15, Late: 0.1, Duplicates: 0.08, Conflicts: 0.03, Invalid: 0.02, FarFuture: 1, Gaps: 1}
	log := p.Log()
	want := runVariant(t, log, variant{name: "plain", set: trial.Usual()})
	variants := []variant{
		{name: "one record a poll", set: trial.Settings{PollMax: 7, Commit: time.Millisecond, Checkpoint: 5 * time.Millisecond, Roll: "1m", Partitions: 4}},
		{name: "one commit", set: trial.Settings{PollMax: 100_000, Commit: 2 * time.Second, Checkpoint: time.Hour, Roll: "1s", Partitions: 4}},
		{name: "two processes", set: trial.Usual(), processes: 2},
		{name: "commits fail", set: trial.Settings{PollMax: 50, Commit: time.Millisecond, Checkpoint: 20 * time.Millisecond, Roll: "1m", Partitions: 4}, failEnd: 0.2},
		{name: "stopped and started", set: trial.Settings{PollMax: 40, Commit: time.Millisecond, Checkpoint: 10 * time.Millisecond, Roll: "1m", Partitions: 4}, restarts: 5},
		{name: "disk lost at each start", set: trial.Settings{PollMax: 40, Commit: time.Millisecond, Checkpoint: 10 * time.Millisecond, Roll: "1m", Partitions: 4}, restarts: 5, loseDisk: true},
		{name: "disk corrupt at each start", set: trial.Settings{PollMax: 40, Commit: time.Millisecond, Checkpoint: 10 * time.Millisecond, Roll: "1m", Partitions: 4}, restarts: 3, corrupt: true},
	}
	for i, v := range variants {
		t.Run(strings.ReplaceAll(v.name, " ", "-"), func(t *testing.T) {
			v.seed = uint64(i)
			got := runVariant(t, log, v)
			got.mustEqual(t, want)
		})
	}
}

type variant struct {
	name      string
	seed      uint64
	set       trial.Settings
	processes int
	failEnd   float64 // share of transactions whose end the broker refuses or answers too late
	restarts  int
	loseDisk  bool
	corrupt   bool
}

// result is everything that must not depend on how a run went.
type result struct {
	state     map[string]string // by task and key, the cut left out
	counters  string
	journal   map[string]int
	published map[string]string
}

func runVariant(t *testing.T, log []streamtest.Message, v variant) result {
	t.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.GroupMinSessionTimeout(100*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	w := newWorld(t, c.ListenAddrs(), v.set)
	w.Produce(log)
	if v.failEnd > 0 {
		failEnds(c, v)
	}
	for i := range v.restarts {
		stopEarly(t, w, v, i)
	}
	runAll(t, w, max(v.processes, 1))
	return collect(t, w)
}

// failEnds makes the broker refuse the end of some transactions, as it does when a producer has been fenced: the
// transaction is neither committed nor aborted, and only a new producer clears it away.
func failEnds(c *kfake.Cluster, v variant) {
	r := rand.New(rand.NewPCG(v.seed, 1))
	left := 8
	c.ControlKey(int16(kmsg.EndTxn), func(req kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		if left == 0 || r.Float64() >= v.failEnd {
			return nil, nil, false
		}
		left--
		resp := req.ResponseKind().(*kmsg.EndTxnResponse)
		resp.ErrorCode = kerr.InvalidProducerEpoch.Code
		return resp, nil, true
	})
}

// stopEarly runs the pipeline and stops it somewhere in the middle, cleanly or not.
func stopEarly(t *testing.T, w *world, v variant, i int) {
	t.Helper()
	ctx, cancel := cancelable(t)
	o := w.Options("p0")
	stopAt := int64(40 + 200*i)
	o.Observe = func(s stream.Status) {
		var done int64
		for _, task := range s.Tasks {
			done += task.Counters.Consumed
		}
		if done >= stopAt {
			cancel()
		}
	}
	if _, err := stream.Run(ctx, o); err != nil && ctx.Err() == nil {
		t.Fatal(err)
	}
	if v.loseDisk {
		w.LoseDisk()
	}
	if v.corrupt {
		w.CorruptDisk()
	}
}

func runAll(t *testing.T, w *world, processes int) {
	t.Helper()
	errs := make(chan error, processes)
	for i := range processes {
		go func() {
			ctx, cancel := cancelable(t)
			defer cancel()
			sum, err := stream.Run(ctx, w.Options(fmt.Sprintf("p%d", i)))
			if err == nil && i == 0 {
				w.Summary = sum
			}
			errs <- err
		}()
	}
	for range processes {
		if err := <-errs; err != nil {
			t.Fatalf("stream: %v", err)
		}
	}
}

// collect reads what is durable: the newest checkpoint of each task, the journal and the curated topics.
func collect(t *testing.T, w *world) result {
	t.Helper()
	ctx := t.Context()
	res := result{state: map[string]string{}, journal: map[string]int{}, published: map[string]string{}, counters: fmt.Sprintf("%+v", w.Summary.Counters)}
	sh, err := state.NewShared(state.SharedOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for id := range w.Set.Partitions {
		prefix := fmt.Sprintf("checkpoints/orders/%d", id)
		names, err := state.Manifests(ctx, w.Bucket, prefix)
		if err != nil || len(names) == 0 {
			t.Fatalf("checkpoints of task %d: %v, %v", id, names, err)
		}
		m, err := state.LoadManifest(ctx, w.Bucket, names[0].Key)
		if err != nil {
			t.Fatal(err)
		}
		dir := filepath.Join(t.TempDir(), "restored")
		if err := state.Restore(ctx, w.Bucket, prefix, m, dir, sh); err != nil {
			t.Fatal(err)
		}
		store, err := state.Open(dir, sh)
		if err != nil {
			t.Fatal(err)
		}
		err = store.Scan([]byte{0x10}, []byte{0xff}, func(k, v []byte) error {
			res.state[fmt.Sprintf("%d/%x", id, k)] = fmt.Sprintf("%x", v)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		cut := m.Cut
		res.state[fmt.Sprintf("%d/cut", id)] = fmt.Sprintf("%d %d %s %d %+v", cut.Sources[0].Next, cut.Sources[0].Reached, cut.Sources[0].Watermark, cut.Bound, cut.Counters)
		if err := store.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := sh.Close(); err != nil {
		t.Fatal(err)
	}
	w.Each(w.Plan.Pipeline.JournalTopic(), func(r *kafka.Record) {
		e, err := journal.Decode(r.Value)
		if err != nil {
			t.Fatal(err)
		}
		e.TopicID = "" // each run has a broker of its own
		res.journal[fmt.Sprintf("%+v", e)]++
	})
	for win, history := range w.Published() {
		if len(history) != 1 {
			t.Errorf("%+v was published %d times", win, len(history))
		}
		res.published[fmt.Sprintf("%+v", win)] = fmt.Sprintf("%v %s", history[0].Values, history[0].Status)
	}
	return res
}

func (got result) mustEqual(t *testing.T, want result) {
	t.Helper()
	if got.counters != want.counters {
		t.Errorf("counters\n got %s\nwant %s", got.counters, want.counters)
	}
	diff(t, "state", got.state, want.state)
	diff(t, "published", got.published, want.published)
	if !maps.Equal(got.journal, want.journal) {
		for e, n := range got.journal {
			if want.journal[e] != n {
				t.Errorf("journal: %d times instead of %d: %s", n, want.journal[e], e)
			}
		}
		t.Errorf("journals differ: %d and %d entries", len(got.journal), len(want.journal))
	}
}

func diff(t *testing.T, what string, got, want map[string]string) {
	t.Helper()
	shown := 0
	for k, v := range want {
		if got[k] != v && shown < 5 {
			shown++
			t.Errorf("%s %s\n got %s\nwant %s", what, k, got[k], v)
		}
	}
	for k := range got {
		if _, ok := want[k]; !ok && shown < 5 {
			shown++
			t.Errorf("%s %s is there and should not be", what, k)
		}
	}
}
