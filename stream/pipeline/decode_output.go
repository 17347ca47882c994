package pipeline

import (
	"math"
	"slices"

	"github.com/goccy/go-yaml/ast"
)

func (l *loader) outputs(m *mapping) {
	path, n := m.take("outputs")
	if n == nil {
		return
	}
	list, ok := n.(*ast.SequenceNode)
	if !ok {
		l.faults.add(path, complain("write a dash before its name, as in - name: departures", "must be a list, not %s", describe(n)))
		return
	}
	if len(list.Values) == 0 {
		l.faults.add(path, complain("a pipeline has at least one output", "the list is empty"))
	}
	for i, v := range list.Values {
		at := element(path, i)
		l.p.places[at] = placeOf(v)
		l.p.Outputs = append(l.p.Outputs, Output{})
		if m := l.mapping(at, v); m != nil {
			l.output(m, &l.p.Outputs[i])
			m.done()
		}
	}
}

func (l *loader) output(m *mapping, o *Output) {
	m.text("name", &o.Name)
	m.texts("group_by", &o.GroupBy, l.text)
	m.section("window", func(m *mapping) { l.window(m, &o.Window) })
	m.duration("allowed_lateness", &o.AllowedLateness)
	m.choiceElse("late", &o.Late, lateLater, LateReconcile)
	m.section("aggregate", func(m *mapping) {
		for _, e := range m.entries {
			path, text, ok := m.scalar(e.key, "a call such as count() or sum(distance)")
			if !ok {
				l.faults.silence(path)
			}
			o.Aggregate = append(o.Aggregate, Aggregate{Name: e.key, Call: text})
		}
	})
	l.emit(m, o)
	m.section("topic", func(m *mapping) {
		if n, ok := m.integer("partitions", 1, partitionsMax); ok {
			o.Topic.Partitions = int32(n)
		}
		if n, ok := m.integer("replication", 1, math.MaxInt16); ok {
			o.Topic.Replication = int16(n)
		}
		m.later("the curated schema follows from the file: leave it out", "compatibility")
	})
	m.later("read the curated topic, or its landed files in the lake, for now: leave it out", "table")
	m.later("filter where the topic is read, or use count_if for now", "where", "filter", "having")
	m.instead("allowed_lateness", "grace", "grace_period", "lateness")
	m.instead("group_by", "key", "keys", "partition_by")
	m.instead("emit", "trigger")
	m.instead("aggregate", "aggregates", "aggregations", "measures")
}

func (l *loader) window(m *mapping, w *Window) {
	m.duration("tumbling", &w.Tumbling)
	refused := false
	for _, e := range m.entries {
		switch e.key {
		case "hopping", "session", "sliding", "timezone", "size", "hop", "tumble", "cumulate", "global", "count":
			refused = true
		}
	}
	m.later("use tumbling windows of the hop's length, and add neighbours up where they are read, for now", "hopping", "sliding", "hop", "cumulate")
	m.later("use tumbling windows longer than the gap for now", "session")
	m.later("windows are aligned to UTC for now: for business days use tumbling: 1h, and add hours up where they are read", "timezone")
	m.later("windows are cut by event time: use tumbling", "global", "count")
	m.instead("tumbling", "size", "tumble")
	if refused {
		l.faults.silence(join(m.path, "tumbling"))
	}
}

// emit reads on_close, and refuses on_update in both of the forms in which it can be written.
func (l *loader) emit(m *mapping, o *Output) {
	const hint = "write on_close: a window's result is published when it closes; smaller windows give results sooner"
	path, n := m.take("emit")
	if n == nil {
		return
	}
	if _, scalar := raw(n); !scalar {
		if m := l.mapping(path, n); m != nil {
			m.later(hint, "on_update", "on_change", "every")
			if slices.ContainsFunc(m.entries, func(e entry) bool { return e.taken }) {
				l.faults.silence(path)
			}
			l.faults.add(path, complain("write emit: "+EmitOnClose, "must be one word"))
		}
		return
	}
	refused := complain(hint, "on_update is not built yet")
	m.choiceElse("emit", &o.Emit, map[string]*complaint{"on_update": refused, "on_change": refused, "changes": refused}, EmitOnClose)
}

var lateLater = map[string]*complaint{
	"drop": complain("write late: reconcile, or leave it out: late events are counted and corrected, never dropped", "dropping late events is not offered"),
	"off":  complain("write late: reconcile, or leave it out", "an output without reconciliation is not built yet"),
	"lake": complain("write late: reconcile: late events are in the lake in any case", `"lake" is not known here`),
}
