package reconcile

import (
	"context"
	"errors"
	"fmt"

	"github.com/tidemark-io/tidemark/lake/blob"
	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/pipeline"
)

// Audit recomputes every certified unit from the raw files that its certificate names and compares the result with what is
// published and with the certificate. A difference is in the report and is no error; the first one ends the comparison, in the
// order of outputs, hours, keys and fields. A unit of which a lake file is damaged is named, and the others are compared.
func (r *Reconciler) Audit(ctx context.Context) (a *AuditReport, err error) {
	err = r.connected("audit", func() error {
		a, err = r.audit(ctx)
		return err
	})
	return a, err
}

func (r *Reconciler) audit(ctx context.Context) (*AuditReport, error) {
	mark := r.mark()
	v, err := r.look(ctx)
	if err != nil {
		return nil, err
	}
	if err := r.readTails(ctx, v, -1); err != nil {
		return nil, err
	}
	a := &AuditReport{
		APIVersion: APIVersion, Kind: "AuditReport", Pipeline: r.plan.Pipeline.Name, Fingerprint: r.plan.Fingerprint,
		NotProven: notProven(),
	}
	if err := foreign(v.tasks, r.plan); err != nil {
		return nil, err
	}
	beyond, err := r.notLanded(ctx, v)
	if err != nil {
		return nil, err
	}
	a.NotProven = append(a.NotProven, beyond...)
	for i, why := range r.plan.Unreconciled {
		if why != "" {
			a.NotProven = append(a.NotProven, fmt.Sprintf("anything of output %s, which nothing reconciles: %s", r.certs.outputs[i], why))
		}
	}
	a.GivenUp = r.allGone(v)
	tree := &merkle{}
	keys := r.units(v)
	for i, k := range keys {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := r.auditUnit(ctx, v, k, a, tree); err != nil {
			return nil, err
		}
		r.opt.Progress(Progress{Phase: "audit", Done: i + 1, Total: len(keys), Output: r.certs.outputs[k.output], Partition: k.partition()})
		if a.Difference != nil {
			break
		}
	}
	if n := len(a.Damaged); n > 0 && a.Difference == nil {
		u := &a.Damaged[0]
		a.Difference = &Difference{Output: u.Output, Partition: u.Partition, Kind: "input", Detail: u.Damage}
	}
	root := tree.root()
	a.Root = sha(root[:])
	a.Statement = a.statement()
	a.Cost = r.since(mark)
	return a, nil
}

// foreign refuses to audit by a pipeline file whose results no task computes: it would find nothing and call that equal.
func foreign(tasks []taskState, p *pipeline.Plan) error {
	other := ""
	for i := range tasks {
		if tasks[i].found && tasks[i].fingerprint == p.Fingerprint {
			return nil
		}
		if tasks[i].found {
			other = tasks[i].fingerprint
		}
	}
	if other == "" {
		return nil
	}
	return fmt.Errorf("pipeline %s runs results %s, this file defines %s: audit with the file that it runs with", p.Pipeline.Name, other, p.Fingerprint)
}

// notLanded names what the source holds beyond the cut of the audit.
func (r *Reconciler) notLanded(ctx context.Context, v *view) ([]string, error) {
	var out []string
	for _, src := range v.sources {
		ends, err := r.admin.Offsets(ctx, src.name)
		if err != nil {
			return nil, fmt.Errorf("offsets of %s: %w", src.name, err)
		}
		for p, landed := range src.ends {
			if high := ends[int32(p)].High; high > landed {
				out = append(out, fmt.Sprintf("anything of %s/%d from offset %d on: the topic ends at %d, and that much is not landed yet", src.name, p, landed, high))
			}
		}
	}
	return out, nil
}

func (a *AuditReport) statement() string {
	switch {
	case a.Difference != nil && len(a.Damaged) > 0 && a.Difference.Detail == a.Damaged[0].Damage:
		return "files in the lake are damaged: the units that need them can't be compared, and are named; the others are equal"
	case a.Difference != nil:
		return "stream + corrections differ from the batch over the certified inputs"
	case a.Units == 0:
		return "nothing is certified yet"
	case len(a.Uncertified)+len(a.Behind) > 0:
		return "stream + corrections = batch over the certified inputs; units that are not certified, or have newer input, are named"
	case len(a.GivenUp) > 0:
		return "stream + corrections = batch over what the lake has; records that were given up are named"
	}
	return "stream + corrections = batch truth"
}

func (r *Reconciler) auditUnit(ctx context.Context, v *view, k unitKey, a *AuditReport, tree *merkle) error {
	u, err := r.unit(ctx, v, k, false)
	if err != nil {
		return err
	}
	if u.last == nil || u.last.fingerprint != r.plan.Fingerprint {
		a.Uncertified = append(a.Uncertified, r.describe(u))
		return nil
	}
	behind := !u.last.covers(r.plan.Fingerprint, u.digest)
	if behind {
		a.Behind = append(a.Behind, r.describe(u))
	}
	d, err := r.auditCertified(ctx, v, u, behind, a, tree)
	if damage := damageOf(err); damage != "" {
		a.Damaged = append(a.Damaged, r.setAside(u, damage))
		return nil
	}
	if err != nil || d == nil {
		return err
	}
	d.Output, d.Partition = r.certs.outputs[k.output], k.partition()
	a.Difference = d
	return nil
}

// auditCertified holds a unit against its last certificate.
func (r *Reconciler) auditCertified(ctx context.Context, v *view, u *unitState, behind bool, a *AuditReport, tree *merkle) (*Difference, error) {
	if d, err := r.auditChain(ctx, u.key, u.last); err != nil || d != nil {
		return d, err
	}
	files, d := r.certifiedFiles(v, u)
	if d != nil {
		return d, nil
	}
	b, err := r.auditBatch(ctx, v, u, files)
	if err != nil {
		return nil, err
	}
	before, err := v.outputs[u.key.output].fold(ctx, r.bucket, u.span)
	if err != nil {
		return nil, err
	}
	a.Units++
	a.Windows += int64(len(b.rows))
	a.Conflicts += b.acc.conflicts
	if len(b.rows) > 0 {
		tree.add(r.certs.outputs[u.key.output], u.key.hour, b.hash)
	}
	if d, err = r.auditPublished(ctx, v, u, before, b, behind, a); err != nil || d != nil {
		return d, err
	}
	if d = auditClaims(u.last, b); d == nil {
		d = r.auditGone(v, u, a)
	}
	if d != nil {
		return d, nil
	}
	return r.auditCompared(ctx, v, u)
}

// auditChain checks that the unit's certificates follow each other from number 1.
func (r *Reconciler) auditChain(ctx context.Context, k unitKey, last *lastCertificate) (*Difference, error) {
	var before *lastCertificate
	for n := int64(1); n <= last.number; n++ {
		got := last
		if n < last.number {
			var err error
			got, err = r.certs.load(ctx, k, n)
			if errors.Is(err, blob.ErrNotFound) {
				return &Difference{Kind: "chain", Detail: fmt.Sprintf("certificate %d is gone, number %d exists", n, last.number)}, nil
			}
			if err != nil {
				return nil, err
			}
		}
		want := "null"
		if before != nil {
			want = before.hash
		}
		have := "null"
		if got.cert.Previous != nil {
			have = *got.cert.Previous
		}
		if have != want {
			return &Difference{Kind: "chain", Detail: fmt.Sprintf("certificate %d follows %s, certificate %d is %s", n, have, n-1, want)}, nil
		}
		before = got
	}
	return nil, nil
}

// certifiedFiles are the files of the last certificate, as the lake log still names them.
func (r *Reconciler) certifiedFiles(v *view, u *unitState) ([]unitFile, *Difference) {
	byPath := make(map[string]unitFile, len(u.files))
	for _, f := range u.files {
		byPath[f.Path] = f
	}
	var files []unitFile
	for _, c := range u.last.cert.Input.Files {
		f, ok := byPath[c.Path]
		if !ok || f.SHA256 != c.SHA256 {
			return nil, &Difference{Kind: "input", Detail: fmt.Sprintf(
				"certificate %d names %s with SHA-256 %s; the lake log does not", u.last.number, c.Path, c.SHA256)}
		}
		files = append(files, f)
	}
	var past history
	var before []unitFile
	if said := u.last.cert.Input.History; said != nil {
		cut := u.last.cert.cutOf(said.Topic)
		if cut == nil {
			return nil, claim("certificate %d has a history of topic %s and no cut of it", u.last.number, said.Topic)
		}
		if past = u.past; past.digest != said.Digest { // it has grown since
			past = r.historyAt(v, u.span, cut)
		}
		before = r.past(v, u.span, cut)
		if past.digest != said.Digest || past.files != said.Files || past.bytes != said.Bytes {
			return nil, &Difference{Kind: "input", Detail: fmt.Sprintf("certificate %d names %d files of %s from before, which hash to %s; by the lake log they are %d, which hash to %s",
				u.last.number, said.Files, said.Topic, said.Digest, past.files, past.digest)}
		}
	}
	if got := inputOf(files, past); got != u.last.digest {
		return nil, claim("certificate %d says that its input hashes to %s, the files that it names hash to %s", u.last.number, u.last.digest, got)
	}
	return append(before, files...), nil
}

// auditBatch recomputes.
func (r *Reconciler) auditBatch(ctx context.Context, v *view, u *unitState, files []unitFile) (*batch, error) {
	return r.runBatch(ctx, v, &recomputer{bucket: r.bucket, plan: r.plan, limit: r.opt.Limits.UnitRecords, unit: u.key, span: u.span}, files)
}

// auditPublished compares with what is published. Of a unit with newer input that may already be that input's result, if a worker stopped
// between publishing and certifying: then the unit is only behind.
func (r *Reconciler) auditPublished(ctx context.Context, v *view, u *unitState, before []publishedRow, b *batch, behind bool, a *AuditReport) (*Difference, error) {
	d, equal, err := r.firstDifference(u, before, b)
	if err != nil {
		return nil, err
	}
	if d != nil && behind {
		newer, err := r.auditBatch(ctx, v, u, r.inputs(v, u))
		if err != nil {
			return nil, err
		}
		again, _, err := r.firstDifference(u, before, newer)
		if err != nil || again == nil {
			return nil, err
		}
	}
	a.Equal += equal
	return d, nil
}

// firstDifference is the first window, and its first field, in which the two sides part.
func (r *Reconciler) firstDifference(u *unitState, before []publishedRow, b *batch) (first *Difference, equal int64, err error) {
	codec := r.plan.Codecs[u.key.output]
	err = merge(before, b.rows, func(p pair) error {
		kind := p.kind()
		if kind == "" {
			equal++
			return nil
		}
		if first != nil {
			return nil
		}
		c := correction{pair: p}
		group, start, _ := c.window()
		at := timeOf(start)
		first = &Difference{Key: codec.FormatKey(group), WindowStart: &at}
		r.firstField(u.key.output, p, first)
		return nil
	})
	return first, equal, err
}

func (r *Reconciler) firstField(output int, p pair, d *Difference) {
	if p.before != nil && p.before.odds != nil {
		d.Kind, d.Detail = "revision", p.before.oddsText()
		return
	}
	switch p.kind() {
	case kindAdded:
		d.Kind, d.Detail = "missing", "the window is in the batch and is not published"
		d.Batch = intNumber(p.after.row.Events)
		d.Field = "_input.events"
		return
	case kindRemoved:
		d.Kind, d.Detail = "extra", "the window is published and is not in the batch: "+p.before.at.String()
		d.Streamed = intNumber(p.before.row.Events)
		d.Field = "_input.events"
		return
	}
	d.Kind, d.Detail = "value", "published at "+p.before.at.String()
	if p.before.provisional() {
		d.Detail = "published as OPEN, and the window is closed: " + p.before.at.String()
	}
	for i, agg := range r.plan.Outputs[output].Aggs {
		b, a := beforeValue(p, i), afterValue(p, i)
		if !sameValue(b.v, a.v) {
			d.Field, d.Streamed, d.Batch = agg.Name, resultOf(r.plan, output, i, b.v), resultOf(r.plan, output, i, a.v)
			return
		}
	}
}

func sameValue(a, b schema.Value) bool {
	return a.Kind == b.Kind && a.Num == b.Num && string(a.Bytes) == string(b.Bytes)
}
