package pipeline

import (
	"time"

	"github.com/goccy/go-yaml/ast"
)

const (
	joinForm   = "write join: {interval: {left: auctions, right: bids, on: {auctions: [id], bids: [auction]}, between: [0s, 10m]}}"
	enrichForm = "write enrich: {source: orders, with: customers, on: {orders: [customer], customers: [id]}}"
)

// joins reads join and enrich.
func (l *loader) joins(m *mapping) {
	m.sectionAs("join", joinForm, func(m *mapping) {
		l.p.Join = &Join{}
		m.sectionAs("interval", joinForm, l.interval)
		m.duration("allowed_lateness", &l.p.Join.AllowedLateness)
		m.instead("allowed_lateness", "grace", "lateness", "grace_period")
		m.refuse("a join is inner: pairs only. Without join, several sources meet in windows, with the other sources' fields null; enrich keeps events that find nothing", "outer", "full", "left_outer", "type", "kind", "inner")
		m.refuse(joinForm, "left", "right", "on", "between", "within", "window", "streams")
		m.refuse("it is called enrich here, beside sources: "+enrichForm, "table", "lookup", "temporal", "enrich")
		if len(m.entries) > 0 && !m.has("interval") {
			l.faults.silence(join(m.path, "interval")) // what stands in its place has been refused
		}
	})
	m.sectionAs("enrich", enrichForm, func(m *mapping) {
		e := &Enrichment{}
		l.p.Enrich = e
		m.text("source", &e.Source)
		m.text("with", &e.With)
		e.On = l.on(m)
		m.duration("allowed_lateness", &e.AllowedLateness)
		m.instead("source", "left", "from", "stream", "events")
		m.instead("with", "right", "table", "lookup", "by", "from_table")
		m.instead("on", "key", "keys", "using")
		m.instead("allowed_lateness", "grace", "lateness", "grace_period")
		m.refuse("the version in force at the event's time is taken: leave it out", "as_of", "version", "time")
	})
	m.instead("join", "joins")
	m.instead("enrich", "lookup", "lookups", "tables")
}

func (l *loader) interval(m *mapping) {
	j := &Interval{}
	l.p.Join.Interval = j
	m.text("left", &j.Left)
	m.text("right", &j.Right)
	j.On = l.on(m)
	l.betweenTimes(m, j)
	m.instead("on", "key", "keys", "using")
	m.instead("between", "within", "range", "bounds", "before", "after", "window")
	m.refuse("it belongs beside interval, as in join: {interval: {...}, allowed_lateness: 1m}", "allowed_lateness", "grace")
	m.refuse("an interval join is inner: pairs only", "type", "kind", "outer")
}

// on reads, for each of two sources, the fields that must be equal.
func (l *loader) on(m *mapping) map[string][]string {
	var on map[string][]string
	m.sectionAs("on", "write the fields of each source, as in on: {auctions: [id], bids: [auction]}", func(m *mapping) {
		m.free = true
		on = make(map[string][]string)
		for _, e := range m.entries {
			var fields []string
			m.texts(e.key, &fields, l.text)
			on[e.key] = fields
		}
	})
	return on
}

// betweenTimes reads [lower, upper].
func (l *loader) betweenTimes(m *mapping, j *Interval) {
	const form = "write the least and the greatest of the right event's time minus the left one's, as in [0s, 10m] or [-5m, 5m]"
	path, n := m.take("between")
	if n == nil {
		return
	}
	list, ok := n.(*ast.SequenceNode)
	if !ok {
		l.faults.add(path, complain(form, "must be a list of two durations, not %s", describe(n)))
		return
	}
	if len(list.Values) != 2 {
		l.faults.add(path, complain(form, "must be a list of two durations, not of %d", len(list.Values)))
		return
	}
	for i, into := range []*time.Duration{&j.Lower, &j.Upper} {
		at := element(path, i)
		v := l.plain(at, list.Values[i])
		if v == nil {
			continue
		}
		l.p.places[at] = placeOf(v)
		text, ok := raw(v)
		if !ok {
			l.faults.add(at, complain(form, "must be a duration, not %s", describe(v)))
			continue
		}
		d, c := parseSigned(text)
		if c != nil {
			l.faults.add(at, c)
			continue
		}
		*into = d
	}
}
