package damage_test

import (
	"errors"
	"fmt"

	"github.com/tidemark-io/tidemark/lake"
	"github.com/tidemark-io/tidemark/stream/curated"
	"github.com/tidemark-io/tidemark/stream/kafka"
	"github.com/tidemark-io/tidemark/stream/streamtest"
)

// faults collects what is wrong, the first few of it.
type faults []error

func (f *faults) add(format string, args ...any) {
	if len(*f) < 8 {
		*f = append(*f, fmt.Errorf(format, args...))
	}
}

func (f *faults) check(err error, what string) bool {
	if err != nil {
		f.add("%s: %w", what, err)
	}
	return err == nil
}

func (f faults) err() error { return errors.Join(f...) }

// finish runs everything to the end and returns what is wrong afterwards: nothing must be. It is used on a world whose faults
// are over.
func (w *world) finish() error {
	var f faults
	w.produce(len(w.log))
	sum, err := w.toEnd()
	if !f.check(err, "stream") {
		return f.err()
	}
	if !sum.Balanced() || sum.Counters.Consumed != int64(len(w.log)) {
		f.add("%d records were produced: %+v", len(w.log), sum.Counters)
	}
	if _, err := w.apply(); !f.check(err, "reconcile") {
		return f.err()
	}
	w.results(&f)
	again, err := w.apply()
	if f.check(err, "second reconcile") && (again.Published != 0 || again.Certified != 0 || again.Waiting != 0) {
		f.add("a second reconcile published %d, certified %d, and %d units wait", again.Published, again.Certified, again.Waiting)
	}
	w.audit(&f)
	w.lakes(&f)
	w.stable(&f)
	return f.err()
}

func (w *world) audit(f *faults) {
	a, err := w.reconciler().Audit(w.t.Context())
	if !f.check(err, "audit") {
		return
	}
	if a.Difference != nil {
		f.add("audit: %+v", *a.Difference)
	} else if !a.OK() || len(a.Behind) > 0 {
		f.add("audit is not content: %s, %d units behind", a.Statement, len(a.Behind))
	}
}

// results holds what is published against a batch over all records (L1), and no revision may be there twice.
func (w *world) results(f *faults) {
	truth, err := w.truth()
	if !f.check(err, "truth") {
		return
	}
	for i, want := range truth {
		name := w.plan.Outputs[i].Name
		got, err := w.published(i, f)
		if !f.check(err, "read "+name) {
			return
		}
		for key, hash := range want {
			if have, ok := got[key]; !ok {
				f.add("%s: window %x is missing", name, key)
			} else if have != hash {
				f.add("%s: window %x has another value", name, key)
			}
		}
		for key := range got {
			if _, ok := want[key]; !ok {
				f.add("%s: window %x is one too many", name, key)
			}
		}
	}
}

// truth is what a batch over all records gives, by Kafka key.
func (w *world) truth() ([]map[string][32]byte, error) {
	d, err := streamtest.NewDriver(w.plan, width)
	if err != nil {
		return nil, err
	}
	for _, m := range w.log {
		d.Append(m.source, m.partition, m.value)
	}
	all := make([]map[string][32]byte, len(w.plan.Outputs))
	for i, codec := range w.plan.Codecs {
		rows, err := d.Batch(i)
		if err != nil {
			return nil, err
		}
		all[i] = map[string][32]byte{}
		for _, r := range rows {
			row := curated.Row{Key: r.Key, Start: r.Start, End: r.End, Values: r.Values, Status: curated.Closed}
			all[i][string(codec.AppendKey(nil, &row))] = codec.RowHash(&row)
		}
	}
	return all, nil
}

// published folds an output's topic: the newest revision of each key, without what was retracted. Revisions rise, and what the
// stream closes it closes once.
func (w *world) published(output int, f *faults) (map[string][32]byte, error) {
	name, codec := w.plan.Outputs[output].Name, w.plan.Codecs[output]
	inForce, revisions, closed := map[string][32]byte{}, map[string]int64{}, map[string]int{}
	err := w.each(name, func(r *kafka.Record) error {
		var row curated.Row
		if err := codec.Decode(r.Key, r.Value, &row); err != nil {
			return err
		}
		key := string(r.Key)
		if was, ok := revisions[key]; ok && row.Revision <= was {
			f.add("%s: revision %d of %x (%s) follows revision %d", name, row.Revision, key, row.Status, was)
		}
		if row.Status == curated.Closed {
			if closed[key]++; closed[key] > 1 {
				f.add("%s: window %x was closed %d times", name, key, closed[key])
			}
		}
		revisions[key], inForce[key] = row.Revision, codec.RowHash(&row)
		if row.Status == curated.Retracted {
			delete(inForce, key)
		}
		return nil
	})
	return inForce, err
}

// each reads every committed record of a topic.
func (w *world) each(topic string, fn func(*kafka.Record) error) error {
	admin, err := kafka.NewAdmin(w.kafka)
	if err != nil {
		return err
	}
	defer admin.Close()
	ends, err := admin.Offsets(w.t.Context(), topic)
	if err != nil {
		return err
	}
	for p := range int32(len(ends)) {
		err := kafka.ReadRange(w.t.Context(), w.kafka, topic, p, ends[p].Start, ends[p].High, func(r *kafka.Record) error {
			if r.Attrs.IsControl() {
				return nil
			}
			return fn(r)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// lakes insists that every record of every source lies in the lake exactly once (L3), and that nothing in it is damaged.
func (w *world) lakes(f *faults) {
	for i := range w.plan.Sources {
		want := int64(0)
		for _, m := range w.log {
			if m.source == i {
				want++
			}
		}
		sum := w.lakeOf(w.plan.Sources[i].Topic, f)
		if sum.Records != want && !w.overlaps {
			f.add("the lake of %s holds %d records, %d were produced", w.plan.Sources[i].Topic, sum.Records, want)
		}
	}
	for _, topic := range w.written() {
		w.lakeOf(topic, f)
	}
}

func (w *world) lakeOf(topic string, f *faults) lake.Summary {
	sum, err := lake.Check(w.t.Context(), w.bucket, topic, func(found lake.Fault) {
		if !found.Kind.Harmless() && !(w.overlaps && found.Kind == lake.FaultOverlap) {
			f.add("lake of %s: %s", topic, found)
		}
	})
	f.check(err, "check the lake of "+topic)
	return sum
}

// written are the topics that the stream lands beside its sources.
func (w *world) written() []string {
	names := []string{w.plan.Pipeline.JournalTopic()}
	for i := range w.plan.Outputs {
		names = append(names, w.plan.Outputs[i].Name)
	}
	return names
}

// stable insists that no transaction is left open anywhere.
func (w *world) stable(f *faults) {
	admin, err := kafka.NewAdmin(w.kafka)
	if !f.check(err, "admin") {
		return
	}
	defer admin.Close()
	for _, topic := range w.written() {
		ends, err := admin.Offsets(w.t.Context(), topic)
		if !f.check(err, "offsets of "+topic) {
			return
		}
		for p, e := range ends {
			if e.LastStable != e.High {
				f.add("%s/%d: last stable offset %d, high watermark %d", topic, p, e.LastStable, e.High)
			}
		}
	}
}
