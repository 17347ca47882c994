package streamtest_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidemark-io/tidemark/lake/blob"
	"github.com/tidemark-io/tidemark/state"
	"github.com/tidemark-io/tidemark/stream"
	"github.com/tidemark-io/tidemark/stream/kafka"
	"github.com/tidemark-io/tidemark/stream/streamtest/realkafka"
	"github.com/tidemark-io/tidemark/stream/streamtest/trial"
)

// TestGapFromTheLake (laws L3 and L4): a task whose state is behind what the topic still has replays from the raw lake, and
// goes on in Kafka at the exact offset. Its state and its counters are then, bit for bit, what they were at that cut,
// whatever of the topic is gone, with quarantined records, nulls and aborted transactions in it, over one input or two; and
// what comes after gives the truth.
func TestGapFromTheLake(t *testing.T) {
	for _, name := range trial.Shapes() {
		for seed := range uint64(2) {
			t.Run(fmt.Sprintf("%s/%d", name, seed), func(t *testing.T) {
				t.Parallel()
				gapFromTheLake(t, fakeBroker(t), name, seed)
			})
		}
	}
}

// The same on a real broker, whose DeleteRecords and aborted transactions are Kafka's own.
func TestGapFromTheLakeOnKafka(t *testing.T) {
	gapFromTheLake(t, []string{realkafka.Start(t).Addr()}, "cogroup", 1)
}

func gapFromTheLake(t *testing.T, brokers []string, name string, seed uint64) {
	s := newShape(t, brokers, name)
	s.Plan.Pipeline.State.Keep = 1000 // so that the repartition topic is kept: it isn't in the lake
	r := rand.New(rand.NewPCG(seed, 11))
	s.Generate(seed, 500)
	for range 10 {
		s.Sent = slices.Insert(s.Sent, r.IntN(len(s.Sent)), trial.Sent{Source: 0, Partition: r.Int32N(trial.ShapeWidth)}) // a null
	}
	old := 50 + r.IntN(len(s.Sent)/2)
	cut := old + r.IntN(len(s.Sent)-old)
	s.produceSome(r, 0, old)
	s.settle("a")
	must(t, os.CopyFS(filepath.Join(s.Dir, "old"), os.DirFS(filepath.Join(s.Dir, "state"))))
	s.produceSome(r, old, cut)
	s.settle("a")
	want := s.stateBytes("a")

	must(t, os.RemoveAll(filepath.Join(s.Dir, "lake", "checkpoints")))
	must(t, os.RemoveAll(filepath.Join(s.Dir, "state")))
	if seed%2 == 1 {
		must(t, os.Rename(filepath.Join(s.Dir, "old"), filepath.Join(s.Dir, "state")))
	}
	s.expire(r)
	reads := &counted{Bucket: s.Bucket}
	s.Bucket = reads
	s.settle("a")
	diff(t, "state", s.stateBytes("a"), want)
	if reads.n.Load() == 0 {
		t.Error("nothing was read from the lake's files")
	}

	s.produceSome(r, cut, len(s.Sent))
	sum, err := s.Run("a")
	must(t, err)
	if !sum.Balanced() {
		t.Errorf("accounting: %+v", sum.Counters)
	}
	s.Judge(len(s.Sent))
}

// counted counts what is read of the lake's files.
type counted struct {
	blob.Bucket
	n atomic.Int64
}

func (c *counted) GetRange(ctx context.Context, key string, off, n int64) ([]byte, error) {
	if strings.HasSuffix(key, ".avro") {
		c.n.Add(1)
	}
	return c.Bucket.GetRange(ctx, key, off, n)
}

// produceSome sends what was generated in transactions, some of which are aborted.
func (s *shape) produceSome(r *rand.Rand, from, to int) {
	ctx := s.TB.Context()
	s.Produce(0, 0) // makes the topics
	p, err := kafka.NewTxnProducer(ctx, s.Kafka, "source")
	must(s.TB, err)
	defer p.Close()
	send := func(from, to int) {
		for _, m := range s.Sent[from:to] {
			p.Produce(ctx, &kafka.Record{Topic: s.Plan.Sources[m.Source].Topic, Partition: m.Partition, Key: []byte("k"), Value: m.Value})
		}
	}
	for from < to {
		n := min(1+r.IntN(60), to-from)
		if r.IntN(3) == 0 {
			send(from, from+n)
			must(s.TB, p.Abort(ctx))
		}
		send(from, from+n)
		must(s.TB, p.Commit(ctx))
		from += n
	}
}

// settle runs the pipeline until everything that its topics hold is committed, and stops it.
func (s *shape) settle(id string) {
	s.TB.Helper()
	ctx, cancel := context.WithTimeout(s.TB.Context(), 30*time.Second)
	defer cancel()
	ends := map[string]map[int32]kafka.Ends{}
	admin, err := kafka.NewAdmin(s.Kafka)
	must(s.TB, err)
	defer admin.Close()
	look := func(topic string) {
		var err error
		ends[topic], err = admin.Offsets(s.TB.Context(), topic)
		must(s.TB, err)
	}
	for i := range s.Plan.Sources {
		look(s.Plan.Sources[i].Topic)
	}
	var last stream.Status
	_, err = stream.Run(ctx, stream.Options{
		Plan: s.Plan, Kafka: s.Kafka, Bucket: s.Bucket, ID: id, Now: time.Now, PollRecordsMax: 100, RetryFor: 30 * time.Second,
		Observe: func(st stream.Status) {
			last = st
			done := arrived(&st) == trial.ShapeWidth
			through := func(internal bool) {
				for _, task := range st.Tasks {
					for _, in := range task.Inputs {
						done = done && (in.Internal != internal || in.Committed >= ends[in.Topic][task.Task].High)
					}
				}
			}
			if through(false); done && s.Plan.Rekeyed {
				look(s.Plan.Pipeline.RepartitionTopic()) // now all that there will be has been forwarded
				through(true)
			}
			for _, task := range st.Tasks {
				if task.Err != "" {
					s.TB.Errorf("task %d: %s", task.Task, task.Err)
					done = true
				}
			}
			if done {
				cancel()
			}
		},
	})
	if !errors.Is(err, context.Canceled) || s.TB.Failed() {
		s.TB.Fatalf("settle: %v; last seen %+v", err, last.Tasks)
	}
}

// stateBytes is every key of every task's state, and its cut without what dates it.
func (s *shape) stateBytes(id string) map[string]string {
	s.TB.Helper()
	out := map[string]string{}
	shared, err := state.NewShared(state.SharedOptions{})
	must(s.TB, err)
	defer shared.Close()
	for task := range trial.ShapeWidth {
		store, err := state.Open(filepath.Join(s.Dir, "state", "shape", id, strconv.Itoa(task)), shared)
		must(s.TB, err)
		must(s.TB, store.Scan([]byte{0x10}, []byte{0xff}, func(k, v []byte) error {
			out[fmt.Sprintf("%d/%x", task, k)] = fmt.Sprintf("%x", v)
			return nil
		}))
		cut, err := store.Cut()
		must(s.TB, err)
		cut.LastRecordAt = 0
		for i := range cut.Sources {
			cut.Sources[i].LastRecordAt, cut.Sources[i].LeaderEpoch = 0, 0
			if i == len(s.Plan.Sources) {
				cut.Sources[i].Next = 0 // a process that finds nothing to read sends its watermark on, once more
			}
		}
		out[fmt.Sprintf("%d/cut", task)] = fmt.Sprintf("%+v", *cut)
		must(s.TB, store.Close())
	}
	return out
}

// expire deletes the beginning of every partition of every source, up to any offset.
func (s *shape) expire(r *rand.Rand) {
	s.TB.Helper()
	ctx := s.TB.Context()
	admin, err := kafka.NewAdmin(s.Kafka)
	must(s.TB, err)
	defer admin.Close()
	for i := range s.Plan.Sources {
		topic := s.Plan.Sources[i].Topic
		ends, err := admin.Offsets(ctx, topic)
		must(s.TB, err)
		for p := range int32(trial.ShapeWidth) {
			below := ends[p].High
			if r.IntN(3) > 0 {
				below = r.Int64N(below + 1)
			}
			must(s.TB, admin.DeleteRecords(ctx, topic, p, below))
		}
	}
}
