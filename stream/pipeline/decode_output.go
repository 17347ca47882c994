package pipeline

import (
	"math"

	"github.com/goccy/go-yaml/ast"
)

// outputs reads the list of outputs.
func (l *loader) outputs(m *mapping) {
	m.list("outputs", "write a dash before its name, as in - name: departures", "a pipeline has at least one output", func(at string, i int, n ast.Node) {
		l.p.Outputs = append(l.p.Outputs, Output{})
		if m := l.mapping(at, n); m != nil {
			l.output(m, &l.p.Outputs[i])
			m.done()
		}
	})
}

func (l *loader) output(m *mapping, o *Output) {
	m.text("name", &o.Name)
	l.groupBy(m, o)
	m.sectionAs("window", windowForm, func(m *mapping) { l.window(m, &o.Window) })
	m.duration("allowed_lateness", &o.AllowedLateness)
	l.late(m, o)
	m.sectionAs("aggregate", "write a name for each, as in aggregate: {events: count(), total: sum(distance)}", func(m *mapping) {
		m.free = true
		for _, e := range m.entries {
			path, text, ok := m.scalar(e.key, "a call such as count() or sum(distance)")
			if !ok {
				l.faults.silence(path)
			}
			o.Aggregate = append(o.Aggregate, Aggregate{Name: e.key, Call: text})
		}
	})
	l.emit(m, o)
	m.sectionAs("topic", "write topic: {partitions: 4}; the topic is called as the output is", func(m *mapping) {
		if n, ok := m.integer("partitions", 1, partitionsMax); ok {
			o.Topic.Partitions = int32(n)
		}
		if n, ok := m.integer("replication", 1, math.MaxInt16); ok {
			o.Topic.Replication = int16(n)
		}
		m.later("the curated schema follows from the file: leave it out", "compatibility")
	})
	m.later("read the curated topic, or its landed files in the lake, for now: leave it out", "table")
	l.outputElse(m)
}

// outputElse refuses what other engines have in the place of an output.
func (l *loader) outputElse(m *mapping) {
	m.refuse("write rules, which leave events out of all outputs, or count_if(condition) in aggregate", "where", "filter", "filters")
	m.refuse("a result of every window is published: filter them where they are read", "having")
	m.refuse("a result is a function of its own window's events: sort and limit where the results are read, or use top_k(x, k) in aggregate", "order_by", "limit", "top")
	m.refuse("results name the group and the window, so that readers can join them where they are read", "join", "joins")
	m.instead("allowed_lateness", "grace", "grace_period", "lateness", "allowedLateness")
	m.instead("group_by", "key", "keys", "partition_by", "dimensions")
	m.instead("emit", "trigger", "suppress", "output_mode")
	m.instead("aggregate", "aggregates", "aggregations", "measures", "select", "metrics")
	m.instead("window", "windows", "windowing")
	m.instead("late", "late_data", "on_late")
	if m.has("sessions") || m.has("tumbling") || m.has("hopping") || m.has("session") {
		l.faults.silence(join(m.path, "window")) // done will say where they belong
	}
}

// groupBy reads a list of fields, lets and {name: expression}. An empty list is one group.
func (l *loader) groupBy(m *mapping, o *Output) {
	const form = "write a list of fields, lets and {name: expression}, as in [origin, {weekday: at.getDayOfWeek()}]; [] makes all events one group"
	path, n := m.take("group_by")
	if n == nil {
		return
	}
	list, ok := n.(*ast.SequenceNode)
	if !ok {
		if _, scalar := raw(n); !scalar {
			l.faults.add(path, complain(form, "must be a list, not %s", describe(n)))
			return
		}
		if text, ok := l.text(path, n); ok {
			l.p.places[element(path, 0)] = placeOf(n)
			o.GroupBy = l.oneName(path, text)
		}
		return
	}
	o.GroupBy = []string{}
	for i, v := range list.Values {
		at := element(path, i)
		l.p.places[at] = placeOf(v)
		var name string
		switch v.(type) {
		case *ast.MappingNode, *ast.MappingValueNode:
			name = l.groupExpr(at, v, o)
		default:
			name, _ = l.text(at, v)
		}
		o.GroupBy = append(o.GroupBy, name)
	}
}

// groupExpr reads {name: expression}. Afterwards the element's place is that of the expression, and its key's place that
// of the name.
func (l *loader) groupExpr(at string, v ast.Node, o *Output) string {
	m := l.mapping(at, v)
	if m == nil {
		return ""
	}
	m.free = true
	defer m.done()
	if len(m.entries) != 1 {
		l.faults.add(at, complain("write each expression as an element of its own, as in [{a: x + 1}, {b: y + 1}]", "has %d names", len(m.entries)))
		for i := range m.entries {
			m.entries[i].taken = true
		}
		return ""
	}
	name := m.entries[0].key
	switch name {
	case "field", "column", "expr", "expression":
		m.refuse("write a field alone, as in [origin]; what stands before the colon is the name of the group's field, as in [{weekday: at.getDayOfWeek()}]", name)
		l.faults.silence(at)
		return ""
	}
	path, text, ok := m.scalar(name, "an expression")
	if !ok {
		l.faults.silence(at)
		return name
	}
	l.p.places[keyOf(at)] = l.p.places[keyOf(path)]
	l.p.places[at] = l.p.places[path]
	if o.GroupExprs == nil {
		o.GroupExprs = make(map[string]string)
	}
	if _, twice := o.GroupExprs[name]; twice {
		l.faults.addKey(at, complain("give each a name of its own", "another element is named %q", name))
		l.faults.silence(at)
		return ""
	}
	o.GroupExprs[name] = text
	return name
}

// emit reads on_close, or {on_update: 10s}.
func (l *loader) emit(m *mapping, o *Output) {
	const form = "write on_close, or {on_update: 10s} for provisional results too"
	path, n := m.take("emit")
	if n == nil {
		return
	}
	if _, scalar := raw(n); scalar {
		again := complain("say how often, as in emit: {on_update: 10s}", "on_update needs a duration")
		each := complain("write on_close, or {on_update: 1s} for provisional results each second", "results of every event are not offered")
		l.word(path, n, &o.Emit, map[string]*complaint{"on_update": again, "updates": again, "changes": again, "update": again,
			"final":  complain("write on_close", `"final" is not known here`),
			"always": each, "on_change": each, "on_event": each, "every_event": each}, EmitOnClose)
		return
	}
	sub := l.mappingAs(path, n, form)
	if sub == nil {
		return
	}
	sub.duration(EmitOnUpdate, &o.UpdateEvery)
	sub.instead(EmitOnUpdate, "every", "on_change", "interval", "changes", "processing_time", "early")
	sub.refuse("write emit: on_close, without brackets", EmitOnClose)
	sub.done()
	o.Emit = EmitOnUpdate
	if len(sub.entries) == 0 {
		l.faults.add(path, complain(form, "is empty"))
	}
	if !sub.has(EmitOnUpdate) { // what stands in its place has been refused
		l.faults.silence(path)
	}
}

// late reads reconcile, or {off: reason}.
func (l *loader) late(m *mapping, o *Output) {
	const form = `write reconcile, or {off: "why this output needs no correction"}`
	path, n := m.take("late")
	if n == nil {
		return
	}
	if _, scalar := raw(n); scalar {
		l.word(path, n, &o.Late, lateElse, LateReconcile)
		return
	}
	sub := l.mappingAs(path, n, form)
	if sub == nil {
		return
	}
	sub.text(LateOff, &o.LateOffReason)
	sub.instead(LateOff, "drop", "ignore", "none")
	sub.done()
	o.Late = LateOff
	if len(sub.entries) == 0 {
		l.faults.add(path, complain(form, "is empty"))
	}
	if !sub.has(LateOff) {
		l.faults.silence(path)
	}
}

var lateElse = func() map[string]*complaint {
	const counted = "late events are counted and stay in the lake in any case"
	return map[string]*complaint{
		"drop":        complain("write late: reconcile, or leave it out: late events are counted and corrected, never dropped", "dropping late events is not offered"),
		"ignore":      complain("write late: reconcile, or leave it out: late events are counted and corrected, never dropped", "dropping late events is not offered"),
		LateOff:       complain(`say why, as in late: {off: "a dashboard of the last hour"}; `+counted, "off needs a reason"),
		"lake":        complain("write late: reconcile; "+counted, `"lake" is not known here`),
		"side_output": complain("write late: reconcile; "+counted+", and the journal names each", "a side output of late events is not offered"),
	}
}()
