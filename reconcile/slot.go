package reconcile

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/tidemark-io/tidemark/crashpoint"
	"github.com/tidemark-io/tidemark/stream/curated"
	"github.com/tidemark-io/tidemark/stream/kafka"
)

// readyUnit is a unit that was compared behind the fence.
type readyUnit struct {
	*dueUnit
	last *lastCertificate // as read right after fencing
	diff *diff
	cut  []CertCut // of the sources
	gone []CertGivenUp
	from []string // high watermarks of the curated topic, compared up to
	mark costMark
	cost Cost
}

// applySlot fences the slot and takes its units, chunk by chunk, from comparison to certificate. It returns how many
// units are left when it fails.
//
// The order is what makes any number of workers safe. Behind the fence nobody else can publish for these units. The
// certificates' numbers are read first: who looked earlier loses put-if-absent to who looked later, so a certificate over older
// input never follows one over newer. Then the raw logs, so that a value that another worker published from newer input is not
// corrected back. Then the high watermark, and all below it, decided and landed, is folded.
func (r *Reconciler) applySlot(ctx context.Context, a *application, l *landers, slot int, units []*dueUnit) (left int, err error) {
	left = len(units)
	id := fmt.Sprintf("%s-reconcile-%d", r.plan.Pipeline.Name, slot)
	producer, err := kafka.NewTxnProducer(ctx, r.opt.Kafka, id)
	if err != nil {
		return left, fmt.Errorf("fence %s: %w", id, err)
	}
	defer producer.Close()
	crashpoint.Hit("reconcile/fenced")
	if err := r.opt.Hooks.Step(StepFenced); err != nil {
		return left, err
	}
	last := make([]*lastCertificate, len(units))
	for i, u := range units {
		if last[i], err = r.certs.last(ctx, u.key, u.last); err != nil {
			return left, err
		}
	}
	for _, src := range l.view.sources {
		if err := src.refresh(ctx, r.bucket); err != nil {
			return left, err
		}
	}
	for _, output := range outputsOf(units) {
		if err := l.land(ctx, output); err != nil {
			return left, err
		}
	}
	crashpoint.Hit("reconcile/landed")
	if err := r.opt.Hooks.Step(StepLanded); err != nil {
		return left, err
	}
	for len(units) > 0 {
		n := min(len(units), r.opt.Limits.ChunkUnits)
		if err := r.applyChunk(ctx, a, l, producer, units[:n], last[:n]); err != nil {
			return left, err
		}
		units, last, left = units[n:], last[n:], left-n
	}
	return 0, nil
}

func outputsOf(units []*dueUnit) []int {
	var out []int
	seen := make(map[int]bool)
	for _, u := range units {
		if !seen[u.key.output] {
			seen[u.key.output] = true
			out = append(out, u.key.output)
		}
	}
	return out
}

func (r *Reconciler) applyChunk(ctx context.Context, a *application, l *landers, producer *kafka.TxnProducer, units []*dueUnit, last []*lastCertificate) error {
	var ready []*readyUnit
	touched := make(map[int]bool)
	for i, u := range units {
		f, err := r.ready(ctx, a, l.view, u, last[i])
		if damage := damageOf(err); damage != "" { // since it was planned
			a.report.Damaged = append(a.report.Damaged, r.setAside(&u.unitState, damage))
			err = nil
		}
		if err != nil {
			return err
		}
		if f == nil {
			r.progress(a, u.key)
			continue
		}
		ready = append(ready, f)
		if len(f.diff.corrections) > 0 {
			touched[u.key.output] = true
		}
	}
	crashpoint.Hit("reconcile/compared")
	if err := r.opt.Hooks.Step(StepCompared); err != nil {
		return err
	}
	if err := r.publish(ctx, a, l.view, producer, ready); err != nil {
		return err
	}
	for output := range r.plan.Outputs {
		if !touched[output] {
			continue
		}
		if err := l.land(ctx, output); err != nil {
			return err
		}
	}
	crashpoint.Hit("reconcile/relanded")
	if err := r.opt.Hooks.Step(StepRelanded); err != nil {
		return err
	}
	for _, f := range ready {
		if lost, err := r.readBack(ctx, l.view, f); err != nil {
			a.report.Published -= lost
			return err
		}
	}
	crashpoint.Hit("reconcile/read-back")
	for _, f := range ready {
		if err := r.certify(ctx, a, l.view, f); err != nil {
			return err
		}
		r.progress(a, f.key)
		crashpoint.Hit("reconcile/certified")
		if err := r.opt.Hooks.Step(StepCertified); err != nil {
			return err
		}
	}
	return nil
}

func (r *Reconciler) progress(a *application, k unitKey) {
	a.done++
	r.opt.Progress(Progress{Phase: "apply", Done: a.done, Total: a.total, Output: r.certs.outputs[k.output], Partition: k.partition()})
}

// ready looks at a unit again behind the fence. It returns nil for a unit that someone else has certified, or that is no
// longer what was planned and judged.
func (r *Reconciler) ready(ctx context.Context, a *application, v *view, u *dueUnit, last *lastCertificate) (*readyUnit, error) {
	mark := r.mark()
	u.files, _ = r.filesOf(v, u.span)
	u.past = r.historyOf(v, u.span)
	digest := inputOf(u.files, u.past)
	now := unitState{key: u.key, span: u.span, digest: digest, last: last}
	var err error
	if now.touched, err = r.touchedSince(ctx, v, u.key, u.span, last); err == nil {
		err = r.check(ctx, v, &now)
	}
	if err != nil {
		return nil, err
	}
	if r.clean(&now) {
		a.report.ByOthers++
		return nil, nil
	}
	if digest != u.digest {
		a.moved = append(a.moved, movedUnit{key: u.key, why: whyMoved(true)})
		return nil, nil
	}
	u.last, u.touched = last, now.touched
	b := u.batch
	if b == nil {
		if b, err = r.recompute(ctx, v, &u.unitState); err != nil {
			return nil, err
		}
		u.batch = b
	}
	d, err := r.compare(ctx, v, &u.unitState, b, nil)
	if err != nil {
		return nil, err
	}
	id := d.id(r.plan.Fingerprint, r.certs.outputs[u.key.output], u.key.hour, digest)
	if d.windows.differ() > 0 && id != u.id {
		a.moved = append(a.moved, movedUnit{u.key, whyMoved(false), id})
		return nil, nil
	}
	out := v.outputs[u.key.output]
	return &readyUnit{
		dueUnit: u, last: last, diff: d, cut: cutOf(v), gone: r.goneOf(v, u.span, nil), from: decimals(out.upTo), mark: mark, cost: r.since(mark),
	}, nil
}

// publish sends the corrections in transactions of bounded size. One of several may be confirmed and the next not: running
// again finds the first ones published, and goes on.
func (r *Reconciler) publish(ctx context.Context, a *application, v *view, producer *kafka.TxnProducer, ready []*readyUnit) error {
	var inTxn, retracted int64
	commit := func() error {
		if inTxn == 0 {
			return nil
		}
		crashpoint.Hit("reconcile/produced")
		if err := r.opt.Hooks.Step(StepProduced); err != nil {
			return err
		}
		if err := producer.Commit(ctx); err != nil {
			return publishError(ctx, inTxn, err)
		}
		a.report.Transactions++
		a.report.Published += inTxn
		a.report.Retracted += retracted
		inTxn, retracted = 0, 0
		crashpoint.Hit("reconcile/published")
		return r.opt.Hooks.Step(StepPublished)
	}
	for _, f := range ready {
		for i := range f.diff.corrections {
			rec, err := r.record(v, f, &f.diff.corrections[i])
			if err != nil {
				return err
			}
			producer.Produce(ctx, rec)
			if f.diff.corrections[i].kind == kindRemoved {
				retracted++
			}
			if inTxn++; inTxn == int64(r.opt.Limits.TxnRecords) {
				if err := commit(); err != nil {
					return err
				}
			}
		}
	}
	return commit()
}

// readBack folds a corrected unit again and looks for each correction. Nobody else could publish behind our fence, so whatever is
// not there was not published, no matter what the commit was said to be. Nothing is certified on hearsay.
func (r *Reconciler) readBack(ctx context.Context, v *view, f *readyUnit) (lost int64, err error) {
	if len(f.diff.corrections) == 0 {
		return 0, nil
	}
	again, err := r.compare(ctx, v, &f.unitState, f.batch, nil)
	if err != nil {
		return 0, err
	}
	lost = again.windows.differ()
	if lost == 0 {
		return 0, nil
	}
	group, start, _ := again.corrections[0].window()
	return lost, fmt.Errorf("%s %s: %d of %d corrections %w, the first of %s %s: %w", r.certs.outputs[f.key.output], f.key.partition(), lost,
		len(f.diff.corrections), errUnsaid, r.plan.Codecs[f.key.output].FormatKey(group), timeText(start), ErrTryAgain)
}

// errUnsaid is a commit that was said to be confirmed and was not done. Publishing again is right: the fold has shown what is there.
var errUnsaid = errors.New("were confirmed and are not published")

// publishError is what to make of a commit that was not confirmed. Whether it happened does not matter: another run finds out by
// folding, behind a new fence.
func publishError(ctx context.Context, corrections int64, err error) error {
	if errors.Is(err, kafka.ErrFenced) || ctx.Err() != nil {
		return fmt.Errorf("publish %d corrections: %w", corrections, err)
	}
	return fmt.Errorf("publish %d corrections: %w: %w", corrections, err, ErrTryAgain)
}

// headerPrevious is the header that names the value which a correction replaces: its row hash in hexadecimal digits.
const headerPrevious = "tidemark-previous"

// record is the Kafka record of a correction, for the partition that the stream uses for the group.
func (r *Reconciler) record(v *view, f *readyUnit, c *correction) (*kafka.Record, error) {
	out := v.outputs[f.key.output]
	codec := r.plan.Codecs[f.key.output]
	row := c.row()
	row.Pipeline, row.Run, row.PublishedAt = r.plan.Pipeline.Name, r.opt.Run, r.opt.Now().UnixMilli()
	rec := &kafka.Record{
		Topic: out.index.name, Partition: curated.Partition(row.Key, out.info.Partitions),
		Key: codec.AppendKey(nil, &row), Value: codec.AppendValue(nil, &row),
	}
	if c.before != nil {
		if c.before.at.partition != rec.Partition {
			return nil, fmt.Errorf("%s is published in partition %d, its group belongs to %d: the topic's number of partitions was changed",
				c.before.at, c.before.at.partition, rec.Partition)
		}
		previous := struct {
			Key   string
			Value []byte
		}{headerPrevious, []byte(hex.EncodeToString(c.before.hash[:]))}
		rec.Headers = append(rec.Headers, previous)
	}
	return rec, nil
}
