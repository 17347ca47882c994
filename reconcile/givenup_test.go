package reconcile

import (
	"testing"
	"time"

	"github.com/tidemark-io/tidemark/lake"
	"github.com/tidemark-io/tidemark/stream/pipeline"
	"github.com/tidemark-io/tidemark/stream/window"
)

// lossyView has a source of two partitions, of which each has lost something.
func lossyView(at int64) (*Reconciler, *view) {
	src := pipeline.SourcePlan{Topic: "orders", Spec: &pipeline.Source{}}
	src.Spec.Watermark.MaxFuture = 2 * time.Hour
	r := &Reconciler{plan: &pipeline.Plan{Sources: []pipeline.SourcePlan{src}, Outputs: []window.Output{{Name: "x", Size: hourMs, Every: hourMs}}}}
	x := newTopicIndex("orders", 2)
	x.ends = []int64{500, 500}
	for _, h := range []lake.Hole{{Partition: 1, First: 300, End: 310}, {Partition: 0, First: 40, End: 50}, {Partition: 1, First: 100, End: 200}} {
		h.GivenUp = lake.GivenUp{Pipeline: "orders", Order: 1, Decision: 2, At: at, Reason: "r"}
		x.takeHole(h)
	}
	return r, &view{sources: []*topicIndex{x}}
}

// A certificate names every loss below its cut, whatever the unit's age; not those of which all records would be further ahead of
// the clock than the source believes (invariant 8).
func TestGivenUpOfAUnit(t *testing.T) {
	at := msOf("14:30")
	r, v := lossyView(at)
	firsts := func(hour int64, cuts func(string) []int64) (out []int64) {
		for _, g := range r.goneOf(v, spanOf(&r.plan.Outputs[0], hour), cuts) {
			if g.Topic != "orders" || g.Pipeline != "orders" || g.Reason != "r" {
				t.Errorf("%+v", g)
			}
			out = append(out, g.First)
		}
		return out
	}
	cut := func(offsets ...int64) func(string) []int64 { return func(string) []int64 { return offsets } }
	for _, c := range []struct {
		hour int64
		cuts func(string) []int64
		want int
	}{
		{msOf("14:00"), nil, 3}, {msOf("14:00") - 1000*24*hourMs, nil, 3}, {msOf("16:00"), nil, 3}, {msOf("17:00"), nil, 0},
		{msOf("14:00"), cut(40, 100), 0}, {msOf("14:00"), cut(41, 100), 1}, {msOf("14:00"), cut(50, 200), 2}, {msOf("14:00"), cut(500), 1}, {msOf("14:00"), cut(), 0},
	} {
		if got := firsts(c.hour, c.cuts); len(got) != c.want {
			t.Errorf("unit %s: %v, want %d", timeText(c.hour), got, c.want)
		}
	}
	if got := firsts(msOf("14:00"), nil); got[0] != 40 || got[1] != 100 || got[2] != 300 {
		t.Errorf("not by partition and offset: %v", got)
	}
}

// An audit refuses a certificate that keeps a loss to itself, or invents one.
func TestGivenUpIsAudited(t *testing.T) {
	r, v := lossyView(msOf("14:30"))
	unit := func(named []CertGivenUp) *unitState {
		cert := &Certificate{Cut: CertCut{Topic: "orders", Offsets: []string{"500", "250"}}, GivenUp: named}
		return &unitState{span: spanOf(&r.plan.Outputs[0], msOf("14:00")), last: &lastCertificate{number: 1, cert: cert}}
	}
	right := r.goneOf(v, unit(nil).span, unit(nil).last.cert.cutOf)
	if len(right) != 2 {
		t.Fatalf("%+v", right)
	}
	a := &AuditReport{GivenUp: r.allGone(v)}
	if d := r.auditGone(v, unit(right), a); d != nil || a.GivenUp[0].Units != 1 || a.GivenUp[1].Units != 1 || a.GivenUp[2].Units != 0 {
		t.Errorf("%+v, %+v", d, a.GivenUp)
	}
	other := append([]CertGivenUp(nil), right...)
	other[1].End++
	for _, named := range [][]CertGivenUp{nil, right[:1], other, append(right[:2:2], right[0])} {
		if d := r.auditGone(v, unit(named), &AuditReport{}); d == nil || d.Kind != "certificate" {
			t.Errorf("%+v: %+v", named, d)
		}
	}
}
