package trial

import (
	"context"
	"fmt"
	"time"

	"github.com/tidemark-io/tidemark/reconcile"
	"github.com/tidemark-io/tidemark/state"
	"github.com/tidemark-io/tidemark/stream/kafka"
	"github.com/tidemark-io/tidemark/stream/streamtest"
)

// Judge holds what there is against what is promised, after a run to the end of log: stream + corrections = oracle, and all
// that Site.judge checks. Nothing else may run meanwhile.
func (w *World) Judge(log []streamtest.Message) {
	w.TB.Helper()
	w.judge(map[string]int64{"orders": int64(len(log))}, func() { w.Compare(w.Oracle(log), w.Published()) })
}

// Judge is World.Judge after a run to the end of the first n records of Sent. The truth is a batch's.
func (s *Shape) Judge(n int) {
	s.TB.Helper()
	produced := map[string]int64{}
	for i := range s.Plan.Sources {
		produced[s.Plan.Sources[i].Topic] = 0
	}
	for _, m := range s.Sent[:n] {
		produced[s.Plan.Sources[m.Source].Topic]++
	}
	s.judge(produced, func() {
		for i, want := range s.Truth(n) {
			got, _ := s.Folded(i)
			s.Equal(s.Plan.Outputs[i].Name, want, got)
		}
	})
}

// judge is what both have in common: the lake has every record of the sources, every checkpoint balances, a reconcile
// makes the results true, a second one has nothing to do, an audit agrees, no revision came twice, the results and the
// journal are landed, no transaction is open, and what a watcher saw is there.
func (s *Site) judge(produced map[string]int64, compare func()) {
	s.TB.Helper()
	total := int64(0)
	for topic, n := range produced {
		s.CheckLake(topic, n)
		total += n
	}
	s.conserved(total)
	s.reconciled(compare)
	for i := range s.Plan.Outputs {
		s.Folded(i)
	}
	s.landed()
	s.nothingOpen(produced)
	if s.watcher != nil {
		s.watcher.Check()
	}
}

// reconciled applies twice and audits.
func (s *Site) reconciled(compare func()) {
	s.TB.Helper()
	ctx := s.TB.Context()
	first, err := s.Reconciler().Apply(ctx, reconcile.ApplyOptions{})
	if err != nil {
		s.TB.Fatalf("reconcile: %v", err)
	}
	if first.Waiting > 0 {
		s.TB.Errorf("%d units wait: %+v", first.Waiting, first.Plan.Units[0])
	}
	compare()
	again, err := s.Reconciler().Apply(ctx, reconcile.ApplyOptions{})
	if err != nil {
		s.TB.Fatalf("second reconcile: %v", err)
	}
	if again.Published != 0 || again.Certified != 0 {
		s.TB.Errorf("a second reconcile published %d and certified %d", again.Published, again.Certified)
	}
	audit, err := s.Reconciler().Audit(ctx)
	if err != nil {
		s.TB.Fatalf("audit: %v", err)
	}
	if !audit.OK() || len(audit.Behind) > 0 {
		s.TB.Errorf("audit: %s %+v", audit.Statement, audit)
	}
}

// conserved insists that every record has exactly one fate in every checkpoint of every task, and that the newest have
// consumed all.
func (s *Site) conserved(total int64) {
	s.TB.Helper()
	ctx := s.TB.Context()
	admin := s.admin()
	defer admin.Close()
	ends, err := admin.Offsets(ctx, s.Plan.Sources[0].Topic)
	s.must(err)
	consumed := int64(0)
	for id := range int32(len(ends)) {
		names, err := state.Manifests(ctx, s.Bucket, fmt.Sprintf("checkpoints/%s/%d", s.Plan.Pipeline.Name, id))
		s.must(err)
		if len(names) == 0 {
			s.TB.Errorf("task %d has no checkpoint", id)
		}
		for i, name := range names { // newest first
			m, err := state.LoadManifest(ctx, s.Bucket, name.Key)
			s.must(err)
			c := &m.Cut.Counters
			if fates := c.Aggregated + c.Duplicate + c.Late + c.Filtered + c.Invalid + c.Forwarded; fates != c.Consumed+c.Received {
				s.TB.Errorf("%s: %d records have %d fates: %+v", name.Key, c.Consumed+c.Received, fates, c)
			}
			if i == 0 {
				consumed += c.Consumed
			}
		}
	}
	if consumed != total {
		s.TB.Errorf("the tasks have consumed %d records, %d were produced", consumed, total)
	}
}

// landed insists that the results and the journal lie in the lake as completely as in their topics.
func (s *Site) landed() {
	s.TB.Helper()
	topics := []string{s.Plan.Pipeline.JournalTopic()}
	for i := range s.Plan.Outputs {
		topics = append(topics, s.Plan.Outputs[i].Name)
	}
	for _, topic := range topics {
		n := int64(0)
		s.Each(topic, func(*kafka.Record) { n++ })
		s.CheckLake(topic, n)
	}
}

// openMax is how long a transaction that a dead process has left may stay open: the transaction timeout, and the
// broker's interval of looking for such.
const openMax = 30 * time.Second

// nothingOpen insists that no transaction holds back the readers of any topic of the pipeline.
func (s *Site) nothingOpen(produced map[string]int64) {
	s.TB.Helper()
	topics := []string{s.Plan.Pipeline.JournalTopic()}
	for topic := range produced {
		topics = append(topics, topic)
	}
	for i := range s.Plan.Outputs {
		topics = append(topics, s.Plan.Outputs[i].Name)
	}
	if s.Plan.Rekeyed {
		topics = append(topics, s.Plan.Pipeline.RepartitionTopic())
	}
	admin := s.admin()
	defer admin.Close()
	ctx, cancel := context.WithTimeout(s.TB.Context(), openMax)
	defer cancel()
	for _, topic := range topics {
		for open := true; open; {
			ends, err := admin.Offsets(s.TB.Context(), topic)
			s.must(err)
			open = false
			for p, e := range ends {
				if open = open || e.LastStable < e.High; open && ctx.Err() != nil {
					s.TB.Errorf("%s/%d: a transaction is open at %d, the topic ends at %d", topic, p, e.LastStable, e.High)
					return
				}
			}
			if open {
				s.pause(100 * time.Millisecond)
			}
		}
	}
}
