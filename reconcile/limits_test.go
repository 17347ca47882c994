package reconcile

import (
	"strings"
	"testing"

	"github.com/tidemark-io/tidemark/lake/blob"
	"github.com/tidemark-io/tidemark/stream/kafka"
)

// What can't be done says what, where and what to do, and does nothing.
func TestRefusals(t *testing.T) {
	g := prepared(t)
	before := g.revisions()
	check := func(name, want string, change func(*Options), err error) {
		t.Helper()
		if err == nil {
			_, err = g.reconciler(change).Apply(g.ctx, ApplyOptions{})
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
	check("too many records", "raw records, the limit is 2: raise Limits.UnitRecords", func(o *Options) { o.Limits.UnitRecords = 2 }, nil)
	check("too long a tail", "more than 1 records are not landed yet", func(o *Options) { o.Limits.TailRecords = 1 }, nil)
	check("no broker", "source topic orders", func(o *Options) { o.Kafka = kafka.Options{Brokers: []string{"127.0.0.1:1"}} }, nil)
	check("another number of partitions", "their number must never change", func(o *Options) {
		p := *o.Plan
		pp := *p.Pipeline
		pp.Outputs = append(pp.Outputs[:0:0], pp.Outputs...)
		pp.Outputs[0].Topic.Partitions = 5
		p.Pipeline = &pp
		o.Plan = &p
	}, nil)
	_, err := New(Options{Limits: Limits{Passes: -1}})
	check("nothing given", "the plan is missing\nthe bucket is missing\nthe clock is missing", nil, err)
	if after := g.revisions(); len(after) != len(before) {
		t.Errorf("something was published: %v", after)
	}
	if err := g.bucket.List(g.ctx, "reconcile/shop/sales/", func(o blob.Object) error { t.Errorf("%s exists", o.Key); return nil }); err != nil {
		t.Error(err)
	}
}

// A source topic that was deleted and made anew has other records at the same offsets: never reconciled with the old lake.
func TestRecreatedTopic(t *testing.T) {
	g := prepared(t)
	old := g.bucket
	other := newRig(t, setting{}) // the same topics on another cluster: other ids
	other.bucket = old
	_, err := other.reconciler().Plan(other.ctx, PlanOptions{})
	if err == nil || !strings.Contains(err.Error(), "deleted and created again") {
		t.Fatal(err)
	}
}

// Progress counts up to its total in every phase.
func TestProgress(t *testing.T) {
	g := prepared(t)
	last := map[string]Progress{}
	follow := func(o *Options) {
		o.Progress = func(p Progress) {
			if p.Done != last[p.Phase].Done+1 || p.Done > p.Total {
				t.Errorf("%+v after %+v", p, last[p.Phase])
			}
			last[p.Phase] = p
		}
	}
	g.apply(follow)
	if _, err := g.reconciler(follow).Audit(g.ctx); err != nil {
		t.Fatal(err)
	}
	for _, phase := range []string{"plan", "apply", "audit"} {
		if p := last[phase]; p.Done == 0 || p.Done != p.Total {
			t.Errorf("%s ended at %+v", phase, p)
		}
	}
}
