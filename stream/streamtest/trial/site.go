package trial

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tidemark-io/tidemark/lake"
	"github.com/tidemark-io/tidemark/lake/blob"
	"github.com/tidemark-io/tidemark/reconcile"
	"github.com/tidemark-io/tidemark/stream/kafka"
	"github.com/tidemark-io/tidemark/stream/pipeline"
)

// Site is one broker, one bucket, and one pipeline file in a directory of its own.
type Site struct {
	TB     testing.TB
	Dir    string // where the pipeline file lies, and beside it the bucket (lake) and the state
	File   string // name of the pipeline file in Dir
	Kafka  kafka.Options
	Bucket blob.Bucket
	Plan   *pipeline.Plan

	watcher *Watcher
	feed    *kafka.Producer // kept, if KeepProducer was called
	fed     bool            // the topics are there
}

// KeepProducer makes Produce use one producer for good, and look for the topics once: for those that produce a little, often.
func (s *Site) KeepProducer() {
	s.TB.Helper()
	var err error
	s.feed, err = kafka.NewProducer(s.Kafka)
	s.must(err)
	s.TB.Cleanup(s.feed.Close)
}

// newSite writes the files, of which file is the pipeline's, and loads it.
func newSite(tb testing.TB, brokers []string, file string, texts map[string]string) *Site {
	tb.Helper()
	s := &Site{TB: tb, Dir: tb.TempDir(), File: file, Kafka: kafka.Options{Brokers: brokers}}
	for name, text := range texts {
		s.Write(name, text)
	}
	s.reload()
	return s
}

// Write puts a file into the directory. A changed pipeline file takes effect with Load.
func (s *Site) Write(name, text string) {
	s.TB.Helper()
	s.must(os.WriteFile(filepath.Join(s.Dir, name), []byte(text), 0o644))
}

// Rewrite replaces texts of the pipeline file, in pairs, and loads it again: what has changed must not decide results.
func (s *Site) Rewrite(pairs ...string) {
	s.TB.Helper()
	text, err := os.ReadFile(filepath.Join(s.Dir, s.File))
	s.must(err)
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(string(text), pairs[i]) {
			s.TB.Fatalf("%s has no %q", s.File, pairs[i])
		}
		text = []byte(strings.ReplaceAll(string(text), pairs[i], pairs[i+1]))
	}
	s.Write(s.File, string(text))
	s.reload()
}

func (s *Site) reload() {
	s.TB.Helper()
	p, err := pipeline.Load(filepath.Join(s.Dir, s.File), os.LookupEnv)
	s.must(err)
	s.Plan, err = p.Compile()
	s.must(err)
	if s.Bucket == nil {
		s.Bucket, err = blob.Open(s.TB.Context(), p.Lake.Bucket, p.Dir)
		s.must(err)
	}
}

func (s *Site) must(err error) {
	s.TB.Helper()
	if err != nil {
		s.TB.Fatal(err)
	}
}

// makeTopics makes the sources' topics, which keep what they hold for ever.
func (s *Site) makeTopics(partitions int32) {
	s.TB.Helper()
	if s.feed != nil && s.fed {
		return
	}
	s.fed = true
	admin := s.admin()
	defer admin.Close()
	for i := range s.Plan.Sources {
		s.must(admin.EnsureTopic(s.TB.Context(), kafka.TopicSpec{
			Name: s.Plan.Sources[i].Topic, Partitions: partitions, Configs: map[string]string{"retention.ms": "-1"},
		}))
	}
}

func (s *Site) admin() *kafka.Admin {
	s.TB.Helper()
	admin, err := kafka.NewAdmin(s.Kafka)
	s.must(err)
	return admin
}

// produce sends records in their order and waits until the broker has all.
func (s *Site) produce(records []*kafka.Record) {
	s.TB.Helper()
	p := s.feed
	if p == nil {
		var err error
		p, err = kafka.NewProducer(s.Kafka)
		s.must(err)
		defer p.Close()
	}
	for _, r := range records {
		s.must(p.Produce(s.TB.Context(), r))
	}
	s.must(p.Flush(s.TB.Context()))
}

// trickle calls send for n records, evenly over a time.
func (s *Site) trickle(n int, over time.Duration, send func(from, to int)) {
	const portions = 100
	step := max(n/portions, 1)
	for i := 0; i < n; i += step {
		send(i, min(i+step, n))
		s.pause(over / portions)
	}
}

func (s *Site) pause(d time.Duration) {
	ctx, cancel := context.WithTimeout(s.TB.Context(), d)
	defer cancel()
	<-ctx.Done()
}

// Each reads every data record of a topic, partition by partition, as the engine's own reader does: what is committed.
func (s *Site) Each(topic string, fn func(*kafka.Record)) {
	s.TB.Helper()
	admin := s.admin()
	defer admin.Close()
	ends, err := admin.Offsets(s.TB.Context(), topic)
	s.must(err)
	for p := range int32(len(ends)) {
		s.must(kafka.ReadRange(s.TB.Context(), s.Kafka, topic, p, ends[p].Start, ends[p].High, func(r *kafka.Record) error {
			if !r.Attrs.IsControl() {
				fn(r)
			}
			return nil
		}))
	}
}

// CheckLake insists that every record of a topic lies in the lake exactly once.
func (s *Site) CheckLake(topic string, want int64) {
	s.TB.Helper()
	sum, err := lake.Check(s.TB.Context(), s.Bucket, topic, func(f lake.Fault) {
		if !f.Kind.Harmless() {
			s.TB.Errorf("lake of %s: %+v", topic, f)
		}
	})
	s.must(err)
	if got := sum.Records; got != want {
		s.TB.Errorf("lake of %s holds %d records (%d quarantined), %d were produced", topic, got, sum.Quarantined, want)
	}
}

// Reconciler is the slow lane, in this process.
func (s *Site) Reconciler() *reconcile.Reconciler {
	s.TB.Helper()
	r, err := reconcile.New(reconcile.Options{Plan: s.Plan, Kafka: s.Kafka, Bucket: s.Bucket, Now: time.Now, Run: "test"})
	s.must(err)
	return r
}
