package pipeline

import (
	"slices"

	"github.com/tidemark-io/tidemark/schema"
)

// buildJoin types the join and checks that its sources are partitioned alike.
func (b *builder) buildJoin() {
	var path, left, right string
	var on map[string][]string
	switch b.shape {
	case IntervalJoin:
		iv := b.p.Join.Interval
		if iv == nil {
			b.fs.required("join.interval", true, "write interval: {left: a, right: b, on: {a: [x], b: [y]}, between: [0s, 10m]}")
			return
		}
		path, left, right, on = "join.interval", iv.Left, iv.Right, iv.On
		b.join.Lower, b.join.Upper = iv.Lower.Milliseconds(), iv.Upper.Milliseconds()
		b.join.Lateness = b.p.Join.AllowedLateness.Milliseconds()
	case Enrich:
		e := b.p.Enrich
		path, left, right, on = "enrich", e.Source, e.With, e.On
		b.join.Lateness = e.AllowedLateness.Milliseconds()
	default:
		return
	}
	b.join.Left, b.join.Right = b.sourceNamed(left), b.sourceNamed(right)
	if b.join.Left < 0 || b.join.Right < 0 || b.join.Left == b.join.Right || len(b.sources) != 2 {
		if len(b.fs.list) == 0 { // check has more to say
			b.fs.add(path, complain("name two different sources", "joins two of the sources"))
		}
		return
	}
	// That each output's group contains the key, so that it lies in one partition, has been checked.
	for _, i := range []int{b.join.Left, b.join.Right} {
		if s := b.sources[i]; s.Unnest != "" {
			b.fs.add(join(s.path, "unnest"), complain("unnest in a pipeline of its own before the join, or in one after it", "unnesting a source that is joined is not built yet"))
		}
	}
	b.checkOn(path+".on", b.sources[b.join.Left], b.sources[b.join.Right], on)
}

func (b *builder) sourceNamed(name string) int {
	return slices.IndexFunc(b.sources, func(s *builtSource) bool { return s.name == name })
}

// checkOn checks that the joined fields of both sources have types that are partitioned and compared alike. That they are
// the keys, in their order, has been checked: only so do partners lie in partitions of one number.
func (b *builder) checkOn(path string, left, right *builtSource, on map[string][]string) {
	l, r := on[left.name], on[right.name]
	for i := range min(len(l), len(r)) {
		lt, lerr := left.schema.Lookup(l[i])
		rt, rerr := right.schema.Lookup(r[i])
		if lerr != nil || rerr != nil {
			continue // said of the key
		}
		if !joinable(lt, rt) {
			b.fs.add(element(join(path, right.name), i), complain("have one type on both sides", "%s.%s is %s, and %s.%s is %s: they are never equal",
				left.name, l[i], a(lt), right.name, r[i], a(rt)))
		}
	}
}

// joinable reports whether equal values of both types are written alike.
func joinable(l, r schema.Type) bool { return l.Kind == r.Kind && l.Logical == r.Logical }

// on is the joined fields by source.
func (p *Pipeline) on() map[string][]string {
	switch {
	case p.Join != nil && p.Join.Interval != nil:
		return p.Join.Interval.On
	case p.Enrich != nil:
		return p.Enrich.On
	}
	return nil
}
