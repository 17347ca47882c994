package reconcile

import (
	"context"
	"strconv"

	"github.com/tidemark-io/tidemark/schema/expr"
	"github.com/tidemark-io/tidemark/stream/curated"
	"github.com/tidemark-io/tidemark/stream/window"
)

// certify puts the unit's next certificate. If someone else's has the number, this unit is looked at again.
func (r *Reconciler) certify(ctx context.Context, a *application, v *view, f *readyUnit) error {
	cert := r.certificate(a, v, f)
	taken, err := r.certs.put(ctx, f.key, cert)
	if err != nil {
		return err
	}
	if taken {
		a.moved = append(a.moved, movedUnit{key: f.key, why: "another worker certified it"})
		return nil
	}
	rep := a.report
	rep.Certified++
	rep.GivenUp = addUnit(rep.GivenUp, r.allGone(v), cert.GivenUp)
	rep.Windows.add(f.diff.windows)
	rep.Conflict += f.batch.acc.conflicts
	f.batch = nil
	return nil
}

func (r *Reconciler) certificate(a *application, v *view, f *readyUnit) *Certificate {
	out := v.outputs[f.key.output]
	c := &Certificate{
		APIVersion: APIVersion, Kind: "Certificate", Format: CertificateFormat,
		Pipeline: r.plan.Pipeline.Name, Fingerprint: r.plan.Fingerprint, Binary: r.opt.Binary,
		Output: out.index.name, Partition: f.key.partition(), Number: 1,
		Cut: f.cut[0], Cuts: f.cut[1:],
		Input:      CertInput{Digest: f.digest, Files: []CertFile{}},
		GivenUp:    f.gone,
		Accounting: f.batch.accounting(),
		Result:     CertResult{Windows: int64(len(f.batch.rows)), RowsHash: sha(f.batch.hash[:]), HashOf: hashOf},
		Compared: CertCompared{
			Topic: out.index.name, TopicID: out.info.ID, Cut: f.from, PublishedTo: decimals(out.upTo),
			Equal: f.diff.windows.Equal, Corrected: f.diff.windows.differ(), InOrder: true,
		},
		Corrections: []CertCorrection{},
		Expressions: expr.Dialect, Aggregates: aggregatesOf(r.plan.Outputs[f.key.output].Aggs),
		Cost:     CertCost{CPUSeconds: f.cost.CPUSeconds, BytesRead: f.cost.BytesRead},
		Approved: a.approval, Run: r.opt.Run, CreatedAt: r.opt.Now().UTC(), Statement: statement, NotProven: notProven(),
	}
	if len(f.gone) > 0 {
		c.NotProven = append(c.NotProven, goneNotProven)
	}
	if f.last != nil {
		c.Number, c.Previous = f.last.number+1, &f.last.hash
	}
	if f.past.files > 0 {
		c.Input.History = &CertHistory{Topic: r.plan.Sources[r.table()].Topic, Digest: f.past.digest, Files: f.past.files, Bytes: f.past.bytes}
	}
	for i := range f.files {
		x := &f.files[i]
		c.Input.Files = append(c.Input.Files, CertFile{Path: x.Path, SHA256: x.SHA256, Records: x.Records, Bytes: x.Bytes})
	}
	for i := range f.diff.corrections {
		if i == correctionsMax {
			break
		}
		c.Corrections = append(c.Corrections, r.certCorrection(out.codec, &f.diff.corrections[i]))
	}
	return c
}

// aggregatesOf says how each aggregate of an output is computed: by the name and version of what it accumulates.
func aggregatesOf(aggs []window.Agg) map[string]string {
	out := make(map[string]string, len(aggs))
	for _, a := range aggs {
		if a.Custom != nil {
			out[a.Name] = a.Custom.Cell()
			continue
		}
		out[a.Name] = a.Func.String() + "/1"
	}
	return out
}

func (r *Reconciler) certCorrection(codec *curated.Codec, c *correction) CertCorrection {
	group, start, end := c.window()
	x := CertCorrection{
		Key: codec.FormatKey(group), WindowStart: timeOf(start), WindowEnd: timeOf(end), Kind: c.kind,
		FromRevision: c.from(), ToRevision: c.revision, Cause: c.cause.String(), Causes: make(map[string]int64),
	}
	countCauses(x.Causes, c)
	if c.before.exists() {
		h := sha(c.before.hash[:])
		x.Before = &h
	}
	if c.after != nil {
		h := sha(c.after.hash[:])
		x.After = &h
	}
	for _, at := range c.evidence {
		x.Evidence = append(x.Evidence, at.String())
	}
	return x
}

// accounting says what became of the records that a batch was computed from.
func (b *batch) accounting() CertAccounting {
	acc := &b.acc
	return CertAccounting{
		Consumed: acc.consumed, Aggregated: acc.aggregated, Duplicate: acc.duplicate, Filtered: acc.filtered, Invalid: acc.invalid,
		Outside: acc.outside, Conflicts: acc.conflicts,
	}
}

// cutOf is how far the lake of each source reaches.
func cutOf(v *view) []CertCut {
	var cuts []CertCut
	for i, src := range v.sources {
		cuts = append(cuts, CertCut{Topic: src.name, TopicID: v.infos[i].ID, Offsets: decimals(src.ends)})
	}
	return cuts
}

func decimals(offsets []int64) []string {
	out := make([]string, len(offsets))
	for i, o := range offsets {
		out[i] = strconv.FormatInt(o, 10)
	}
	return out
}
