package window

import (
	"cmp"
	"slices"
)

// candidate is a pane or a bucket that memory could do without. All of it is clean: a Write has just ended.
type candidate struct {
	idle     uint64 // Writes since it was last used
	identity bool   // a bucket: nearly all of its identities will never be asked for again
	output   int
	at       int // in output.panes or dedup.buckets
}

// evict drops what is stored from memory, until a quarter of the limit is free: first what the last batch didn't
// use, the longest unused before others; then the identities, of which filters remain; then whole panes; filters
// last. What evictions cost is reads; results and state don't depend on them (invariant 6).
func (e *Engine) evict() {
	if e.back == nil || e.limit == 0 || e.mem.held() <= e.limit {
		return
	}
	e.mem.trim()
	e.mem.note(-int64(cap(e.order)) * 24)
	e.order = nil
	goal := e.limit / 4 * 3
	for _, c := range e.candidates() {
		if e.mem.held() <= goal {
			return
		}
		switch {
		case !c.identity:
			e.evictPane(c.output, c.at)
		case c.idle > 0:
			e.evictBucket(c.at)
		default:
			e.seen.buckets[c.at].b.evictIdentities(&e.seen.shape, &e.mem)
		}
		e.mem.trim()
	}
	enough := func() bool { return e.mem.held() <= goal }
	for i := range e.outs {
		if s := e.outs[i].sess; s != nil && !enough() {
			s.evict(enough)
			e.mem.trim()
		}
	}
	for i := range e.outs {
		e.forgetCold(&e.outs[i])
	}
	for i := range e.seen.buckets {
		if b := e.seen.buckets[i].b; b != nil && e.mem.held() > e.limit && len(b.filters) > 0 {
			b.filters.release(&e.mem)
			b.blind = true
			e.mem.trim()
		}
	}
}

func (e *Engine) candidates() []candidate {
	var all []candidate
	for i := range e.outs {
		for j, ref := range e.outs[i].panes {
			if ref.p != nil {
				all = append(all, candidate{idle: e.epoch - ref.p.touched, output: i, at: j})
			}
		}
	}
	for j, ref := range e.seen.buckets {
		if ref.b != nil {
			all = append(all, candidate{idle: e.epoch - ref.b.touched, identity: true, at: j})
		}
	}
	slices.SortStableFunc(all, func(x, y candidate) int {
		if x.idle != y.idle {
			return cmp.Compare(y.idle, x.idle)
		}
		if x.identity != y.identity {
			if x.identity {
				return -1
			}
			return 1
		}
		return 0
	})
	return all
}

func (e *Engine) evictPane(i, at int) {
	o := &e.outs[i]
	ref := &o.panes[at]
	ref.groups = ref.p.groups
	ref.hold(&o.layout.shape, &e.mem)
	ref.p.chill(&o.layout.shape, &e.mem)
	ref.cold, ref.p.cold = ref.p.cold, nil
	ref.p.release(&e.mem)
	ref.p = nil
	o.forget()
}

// evictBucket drops a bucket; its filter is read again if it is needed.
func (e *Engine) evictBucket(at int) {
	ref := &e.seen.buckets[at]
	ref.written = ref.b.written
	ref.b.release(&e.mem)
	ref.b = nil
	e.seen.near = nil
}

// evictIdentities drops the identities of a bucket that is in use, and leaves a filter.
func (b *bucket) evictIdentities(sh *shape, m *memory) {
	n := b.ids.recs.n
	if n == 0 {
		return
	}
	if !b.blind {
		b.filters.reserve(n, m)
		for i := range n {
			b.filters.add(b.ids.at(i, sh))
		}
	}
	b.ids.release(m)
	b.partial, b.clean = true, 0
}

// release gives the bucket's memory back.
func (b *bucket) release(m *memory) {
	b.ids.release(m)
	b.filters.release(m)
	m.note(-int64(cap(b.changed))*4 - bucketBytes)
	*b = bucket{}
}
