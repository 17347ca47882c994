package reconcile

import (
	"cmp"
	"slices"
	"time"

	"github.com/tidemark-io/tidemark/lake"
	"github.com/tidemark-io/tidemark/stream/flow"
)

// CertGivenUp is a range of a source of which the records are lost: retention had taken them before they were landed, and an
// operator accepted it.
type CertGivenUp struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	First     int64  `json:"first"`
	End       int64  `json:"end"` // exclusive
	Pipeline  string `json:"pipeline"`
	Reason    string `json:"reason"`
}

// GivenUp is such a range in a report.
type GivenUp struct {
	CertGivenUp
	Order int64     `json:"order"` // of the pipeline's task of that partition
	At    time.Time `json:"at"`    // when it was carried out
	Units int       `json:"units"` // that may have had records of it
}

// goneNotProven is what a certificate leaves open, besides, if it names such ranges.
const goneNotProven = "that no record of the ranges in given_up belonged to these windows: nobody knows what they held"

// takeHole keeps holes by partition and offset, in whatever order partitions are read on.
func (x *topicIndex) takeHole(h lake.Hole) {
	at, _ := slices.BinarySearchFunc(x.holes, h, func(a, b lake.Hole) int {
		return cmp.Or(cmp.Compare(a.Partition, b.Partition), cmp.Compare(a.First, b.First))
	})
	x.holes = slices.Insert(x.holes, at, h)
}

// goneOf are the ranges that were given up below the cuts (nil: as far as the view's lake logs reach) and may have held records of
// a unit. What they held nobody knows, and a late event may be of any time: so each may have, unless all that the unit reads of
// the source lies further ahead of the clock, when the range was given up, than the source's max_future allows.
func (r *Reconciler) goneOf(v *view, s span, cuts func(topic string) []int64) []CertGivenUp {
	if s.empty {
		return nil
	}
	var out []CertGivenUp
	for i, src := range v.sources {
		from, _ := flow.Reads(r.plan, i, s.hour, s.end)
		ahead := r.plan.Sources[i].Spec.Watermark.MaxFuture.Milliseconds()
		cut := src.ends
		if cuts != nil {
			cut = cuts(src.name)
		}
		for _, h := range src.holes {
			if int(h.Partition) < len(cut) && h.First < cut[h.Partition] && from <= h.GivenUp.At+ahead {
				out = append(out, goneIn(src.name, &h))
			}
		}
	}
	return out
}

func goneIn(topic string, h *lake.Hole) CertGivenUp {
	return CertGivenUp{Topic: topic, Partition: h.Partition, First: h.First, End: h.End, Pipeline: h.GivenUp.Pipeline, Reason: h.GivenUp.Reason}
}

// allGone are all ranges that were given up, of no unit yet.
func (r *Reconciler) allGone(v *view) []GivenUp {
	var out []GivenUp
	for _, src := range v.sources {
		for i := range src.holes {
			out = append(out, reported(src.name, &src.holes[i]))
		}
	}
	return out
}

func reported(topic string, h *lake.Hole) GivenUp {
	return GivenUp{CertGivenUp: goneIn(topic, h), Order: h.GivenUp.Order, At: timeOf(h.GivenUp.At)}
}

// auditGone holds what a certificate says to be given up against the lake logs below its cut.
func (r *Reconciler) auditGone(v *view, u *unitState, a *AuditReport) *Difference {
	cert := u.last.cert
	if want := r.goneOf(v, u.span, cert.cutOf); !slices.Equal(want, cert.GivenUp) {
		return claim("certificate %d names %d ranges that were given up, by the lake logs they are %d: %+v, not %+v", u.last.number, len(cert.GivenUp), len(want), want, cert.GivenUp)
	}
	a.GivenUp = addUnit(a.GivenUp, nil, cert.GivenUp)
	return nil
}

// addUnit counts a unit at each range that may have held records of it. all are the ranges there are.
func addUnit(into, all []GivenUp, unit []CertGivenUp) []GivenUp {
	for _, c := range unit {
		same := func(g GivenUp) bool { return g.CertGivenUp == c }
		at := slices.IndexFunc(into, same)
		if at < 0 {
			if at = slices.IndexFunc(all, same); at < 0 {
				continue
			}
			into, at = append(into, all[at]), len(into)
		}
		into[at].Units++
	}
	return into
}
