package sim

import (
	"context"
	"fmt"
	"time"

	"github.com/tidemark-io/tidemark/lake"
	"github.com/tidemark-io/tidemark/reconcile"
	"github.com/tidemark-io/tidemark/stream/journal"
	"github.com/tidemark-io/tidemark/stream/kafka"
)

// judge holds what is there after the last run against the oracle.
func (l *life) judge() error {
	if len(l.faults) > 0 {
		return nil
	}
	time.Sleep(time.Minute) // transactions of the dead time out
	streamed, err := l.published()
	if err != nil {
		return err
	}
	l.once(streamed)
	l.closed = closedBy(streamed)
	if err := l.journal(); err != nil {
		return err
	}
	if err := l.lake(); err != nil {
		return err
	}
	if err := l.stable(); err != nil {
		return err
	}
	if err := l.correctStruck(); err != nil {
		return err
	}
	r, err := reconcile.New(reconcile.Options{Plan: l.subject.plan, Kafka: l.direct(), Bucket: l.bucket, Now: time.Now, Run: "sim"})
	if err != nil {
		return err
	}
	ctx := context.Background()
	first, err := r.Apply(ctx, reconcile.ApplyOptions{})
	if err != nil {
		l.fail("reconcile: %v", err)
		return nil
	}
	if first.Waiting > 0 && !l.subject.distant {
		l.fail("%d reconcile units wait after a run to the end", first.Waiting)
	}
	corrected, err := l.published()
	if err != nil {
		return err
	}
	l.tally["published"] += len(corrected)
	l.tally["corrected"] += int(first.Published)
	if err := l.compare(corrected); err != nil {
		return err
	}
	again, err := r.Apply(ctx, reconcile.ApplyOptions{})
	if err != nil {
		l.fail("second reconcile: %v", err)
		return nil
	}
	if again.Published != 0 || again.Certified != 0 {
		l.fail("a second reconcile published %d and certified %d", again.Published, again.Certified)
	}
	audit, err := r.Audit(ctx)
	if err != nil {
		l.fail("audit: %v", err)
		return nil
	}
	if !audit.OK() || len(audit.Behind) > 0 {
		l.fail("audit: %s %+v", audit.Statement, audit.Difference)
	}
	return l.stable()
}

// line is a published record and its output.
type line struct {
	output int
	published
}

// glimpse is what a reader sees while all this goes on: it must stay as it is.
func (l *life) glimpse() error {
	l.mood.hold(true)
	defer l.mood.hold(false)
	for i := range l.subject.plan.Outputs {
		name := l.subject.plan.Outputs[i].Name
		if l.cluster.TopicInfo(name) == nil {
			continue // nobody has come so far as to make it
		}
		err := l.each(name, func(r *kafka.Record) error {
			at, value := place(r), string(r.Key)+string(r.Value)
			if was, ok := l.seen[at]; ok && was != value {
				l.fail("%s was another record before", at)
			}
			l.seen[at] = value
			return nil
		})
		if err != nil {
			return err
		}
	}
	l.tally["glimpses"]++
	return nil
}

func place(r *kafka.Record) string { return fmt.Sprintf("%s/%d@%d", r.Topic, r.Partition, r.Offset) }

// published reads every curated topic, read committed. No revision of a window may be there twice, and none may fall: who upserts by key
// holds the last record.
func (l *life) published() ([]line, error) {
	var all []line
	for i := range l.subject.plan.Outputs {
		seen, newest := map[string]string{}, map[string]int64{}
		err := l.each(l.subject.plan.Outputs[i].Name, func(r *kafka.Record) error {
			p, err := l.subject.read(i, r)
			if err != nil {
				return err
			}
			all = append(all, line{i, p})
			if was, ok := l.seen[place(r)]; ok && was != string(r.Key)+string(r.Value) {
				l.fail("%s was another record when it was first seen", place(r))
			}
			delete(l.seen, place(r))
			if p.revision < newest[p.window] {
				l.fail("%s: revision %d of %s follows revision %d", place(r), p.revision, p.window, newest[p.window])
			}
			newest[p.window] = p.revision
			if p.open {
				return nil
			}
			key := fmt.Sprintf("%s, revision %d", p.window, p.revision)
			if values, twice := seen[key]; twice {
				l.fail("%s was published twice: %s and %s", key, values, p.values)
			}
			seen[key] = p.values
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	for at := range l.seen {
		l.fail("%s was seen once and is gone", at)
	}
	return all, nil
}

// once insists that the stream closed every window once, since revisions count events and two closes could have two, and that it
// published all that it counts as closed: what is missing, a reconcile would mend.
func (l *life) once(lines []line) {
	closed, published := map[string]int{}, make([]int64, len(l.subject.plan.Outputs))
	for _, p := range lines {
		if !p.open {
			closed[fmt.Sprintf("%d %s", p.output, p.window)]++
			published[p.output]++
		}
	}
	for i, n := range published {
		if counted := l.sum.Counters.Outputs[i].Closed; counted != n {
			l.fail("%s: %d windows were counted as closed, %d were published", l.subject.plan.Outputs[i].Name, counted, n)
		}
	}
	for window, n := range closed {
		if n > 1 {
			l.fail("the stream closed %s %d times", window, n)
		}
	}
}

// journal insists that every decision has a number of its own, and that every event that is not in its windows is named once.
func (l *life) journal() error {
	seqs, fates, kinds := map[string]bool{}, map[string]bool{}, map[journal.Kind]int64{}
	err := l.each(l.subject.plan.Pipeline.JournalTopic(), func(r *kafka.Record) error {
		e, err := journal.Decode(r.Value)
		if err != nil {
			return err
		}
		kinds[e.Kind]++
		text, of := fmt.Sprintf("%s/%d@%d kind %d %s", e.Topic, e.Partition, e.Offset, e.Kind, e.Output), fates
		if e.Kind.Decision() {
			text, of = fmt.Sprintf("decision %d of task %d", e.Seq, r.Partition), seqs
		}
		if of[text] {
			l.fail("the journal has it twice: %s", text)
		}
		of[text] = true
		return nil
	})
	for kind, n := range map[journal.Kind]int64{journal.Late: l.sum.Counters.Late, journal.Invalid: l.sum.Counters.Invalid} {
		if kinds[kind] != n {
			l.fail("the journal names %d events of kind %d, %d were counted", kinds[kind], kind, n)
		}
	}
	l.tally["decisions"] += len(seqs)
	return err
}

// compare holds the last record of every window against the truth, both ways.
func (l *life) compare(lines []line) error {
	truth, err := l.subject.truth()
	if err != nil {
		return err
	}
	for i, want := range truth {
		name := l.subject.plan.Outputs[i].Name
		inForce := map[string]published{}
		for _, p := range lines {
			if p.output == i {
				inForce[p.window] = p.published
			}
		}
		for window, values := range want {
			p, ok := inForce[window]
			switch {
			case !ok:
				l.fail("%s: %s was never published", name, window)
			case p.retracted || p.values != values:
				l.fail("%s: %s\n got %s (retracted: %v)\nwant %s", name, window, p.values, p.retracted, values)
			}
		}
		for window, p := range inForce {
			if _, ok := want[window]; !ok && !p.retracted {
				l.fail("%s: %s is published and not true", name, window)
			}
		}
	}
	return nil
}

// lake insists that every record lies in the lake exactly once.
func (l *life) lake() error {
	for i := range l.subject.plan.Sources {
		topic, want := l.subject.plan.Sources[i].Topic, int64(0)
		for _, m := range l.subject.messages {
			if m.source == i {
				want++
			}
		}
		sum, err := lake.Check(context.Background(), l.bucket, topic, func(f lake.Fault) {
			if !f.Kind.Harmless() {
				l.fail("lake of %s: %+v", topic, f)
			}
		})
		if err != nil {
			return err
		}
		if sum.Records != want {
			l.fail("the lake of %s holds %d records, %d were sent", topic, sum.Records, want)
		}
	}
	return nil
}

// stable insists that no transaction is open.
func (l *life) stable() error {
	for _, topic := range l.topics() {
		info := l.cluster.PartitionInfos(topic)
		for _, p := range info {
			if p.LastStableOffset != p.HighWatermark {
				l.fail("%s/%d: a transaction is open at %d, the log ends at %d", topic, p.Partition, p.LastStableOffset, p.HighWatermark)
			}
		}
	}
	return nil
}

func (l *life) topics() []string {
	p := l.subject.plan
	topics := []string{p.Pipeline.JournalTopic()}
	for i := range p.Outputs {
		topics = append(topics, p.Outputs[i].Name)
	}
	if p.Rekeyed {
		topics = append(topics, p.Pipeline.RepartitionTopic())
	}
	return topics
}

// each reads every data record of a topic, as a read-committed consumer does.
func (l *life) each(topic string, fn func(*kafka.Record) error) error {
	for _, p := range l.cluster.PartitionInfos(topic) {
		err := kafka.ReadRange(context.Background(), l.direct(), topic, p.Partition, p.LogStartOffset, p.LastStableOffset, func(r *kafka.Record) error {
			if r.Attrs.IsControl() {
				return nil
			}
			return fn(r)
		})
		if err != nil {
			return fmt.Errorf("read %s/%d: %w", topic, p.Partition, err)
		}
	}
	return nil
}
