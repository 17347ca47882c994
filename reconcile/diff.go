package reconcile

import (
	"encoding/hex"
	"slices"

	"github.com/tidemark-io/tidemark/stream/curated"
)

// Kinds of changes.
const (
	kindChanged = "changed"
	kindAdded   = "added"
	kindRemoved = "removed"
)

// pair is one window as published and as recomputed; one of the two may be nil.
type pair struct {
	before *publishedRow
	after  *batchRow
}

// kind is "" where the two are equal.
func (p pair) kind() string {
	switch {
	case p.after == nil:
		return kindRemoved
	case !p.before.exists():
		return kindAdded
	case p.before.odds != nil || p.before.hash != p.after.hash || p.before.provisional():
		return kindChanged
	}
	return ""
}

// onlyOdds reports whether a record of the highest revision is right, so that nothing speaks for a change but the order of records.
func (p pair) onlyOdds() bool {
	return p.before != nil && p.before.odds != nil && (p.right(&p.before.odds.row) || p.right(&p.before.row))
}

// right reports whether a published row is what was recomputed.
func (p pair) right(row *curated.Row) bool {
	if p.after == nil || row.Status == curated.Retracted {
		return p.after == nil && row.Status == curated.Retracted
	}
	return row.Status != curated.Open && slices.EqualFunc(row.Values, p.after.row.Values, sameValue)
}

// merge walks published and recomputed rows, both sorted by key, and calls fn with every window that either side has.
// A retracted row without a recomputed one is as it should be and is no window, unless its key is at odds.
func merge(before []publishedRow, after []batchRow, fn func(pair) error) error {
	for len(before) > 0 || len(after) > 0 {
		var p pair
		switch {
		case len(after) == 0 || len(before) > 0 && before[0].key < after[0].key:
			p.before, before = &before[0], before[1:]
		case len(before) == 0 || after[0].key < before[0].key:
			p.after, after = &after[0], after[1:]
		default:
			p.before, before = &before[0], before[1:]
			p.after, after = &after[0], after[1:]
		}
		if p.after == nil && !p.before.exists() && p.before.odds == nil {
			continue
		}
		if err := fn(p); err != nil {
			return err
		}
	}
	return nil
}

// correction is one window to be published anew.
type correction struct {
	pair
	kind  string
	cause curated.Cause
	reasons
	revision int64 // of the new value
}

// from is the revision that a consumer holds, 0 if there is none.
func (c *correction) from() int64 {
	if c.before == nil {
		return 0
	}
	return c.before.row.Revision
}

// group, start and end name the window.
func (c *correction) window() (group []byte, start, end int64) {
	if c.after != nil {
		return c.after.row.Key, c.after.row.Start, c.after.row.End
	}
	return c.before.row.Key, c.before.row.Start, c.before.row.End
}

// diff is what separates a unit's published results from its batch truth.
type diff struct {
	windows     Windows
	corrections []correction
}

// diffOf compares. codeChanged says whether a window that ends at end was published by other code.
func diffOf(before []publishedRow, b *batch, codeChanged func(end int64) (bool, error)) (*diff, error) {
	d := &diff{}
	err := merge(before, b.rows, func(p pair) error {
		d.windows.Checked++
		kind := p.kind()
		if kind == "" {
			d.windows.Equal++
			return nil
		}
		d.windows.count(kind)
		c := correction{pair: p, kind: kind}
		_, _, end := c.window()
		code, err := codeChanged(end)
		if err != nil {
			return err
		}
		var seen *evidence
		if p.after != nil {
			seen = &p.after.seen
		} else {
			seen = b.gone(p.before)
		}
		if !p.onlyOdds() {
			c.cause, c.reasons = causes(seen, p, code)
		}
		c.revision = 1
		if p.before != nil {
			c.revision = p.before.highest() + 1
		}
		if p.after != nil {
			// A window that the stream never published starts above what the stream would have given it.
			c.revision = max(c.revision, p.after.row.Events+1)
		}
		d.corrections = append(d.corrections, c)
		return nil
	})
	return d, err
}

func (w *Windows) count(kind string) {
	switch kind {
	case kindChanged:
		w.Changed++
	case kindAdded:
		w.Added++
	case kindRemoved:
		w.Removed++
	}
}

// id names what a unit's plan says: by which code, over which input, with which changes. Revisions and causes stay out:
// they may move without the approval becoming another.
func (d *diff) id(fingerprint, output string, hour int64, digest string) string {
	x := newHasher("tidemark unit v1")
	x.text(fingerprint)
	x.text(output)
	x.int(hour)
	x.text(digest)
	for i := range d.corrections {
		c := &d.corrections[i]
		x.text(c.kind)
		if c.before.exists() {
			x.text(c.before.key)
			x.bytes(c.before.hash[:])
		}
		if c.after != nil {
			x.text(c.after.key)
			x.bytes(c.after.hash[:])
		}
	}
	return hex.EncodeToString(x.sum()[:8])
}

// row is the curated row that publishes the correction.
func (c *correction) row() curated.Row {
	var r curated.Row
	if c.after != nil {
		r = c.after.row
		r.Status = curated.Reconciled
	} else {
		r = curated.Row{Key: c.before.row.Key, Start: c.before.row.Start, End: c.before.row.End, Status: curated.Retracted}
	}
	r.Revision, r.Cause = c.revision, c.cause
	return r
}
