package reconcile

import (
	"context"

	"github.com/tidemark-io/tidemark/stream/curated"
)

// touchedSince reports whether rows of the unit's windows were published after its last certificate. Nobody should have: the stream
// has closed them, and a correction is certified. So they were published by mistake, and it is not known that they are right.
func (r *Reconciler) touchedSince(ctx context.Context, v *view, k unitKey, s span, last *lastCertificate) (bool, error) {
	if last == nil {
		return false, nil
	}
	p := v.outputs[k.output]
	to := offsetsOf(last.cert.Compared.PublishedTo)
	if len(to) != len(p.index.ends) {
		return false, nil // an audit says what is wrong with it
	}
	perhaps := false
	s.rowHours(p.def, func(hour int64) {
		for _, f := range p.index.hours[hour] {
			perhaps = perhaps || f.Last >= to[f.Partition]
		}
		for i := range p.tail[hour] {
			t := &p.tail[hour][i]
			perhaps = perhaps || t.at.offset >= to[t.at.partition]
		}
	})
	if !perhaps || !p.def.Session() {
		return perhaps, nil
	}
	touched := false // an hour may hold sessions of two units
	err := p.each(ctx, r.bucket, s, func(at place, _ []byte, _ *curated.Row) error {
		touched = touched || at.offset >= to[at.partition]
		return nil
	})
	return touched || damageOf(err) != "", withoutDamage(err)
}

// withoutDamage passes over damage to a lake file: the unit is then dealt with, and whoever does finds it.
func withoutDamage(err error) error {
	if damageOf(err) != "" {
		return nil
	}
	return err
}

// check looks at what a certificate of an earlier release does not state: that of every window the last record has the highest
// revision, and this one value. A unit of which that isn't true is touched.
func (r *Reconciler) check(ctx context.Context, v *view, u *unitState) error {
	if !r.clean(u) || u.last.cert.Compared.InOrder {
		return nil
	}
	rows, err := v.outputs[u.key.output].fold(ctx, r.bucket, u.span)
	for i := range rows {
		u.touched = u.touched || rows[i].odds != nil
	}
	u.touched = u.touched || damageOf(err) != ""
	return withoutDamage(err)
}
