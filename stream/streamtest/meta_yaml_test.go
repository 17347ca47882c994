package streamtest

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// yaml writes the pipeline file; the schema of source i is in the file source-i.avsc.
func (p *metaPipeline) yaml() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("apiVersion: tidemark/v1\npipeline: meta\nkafka: {brokers: [\"localhost:1\"]}")
	if p.shape == shapeSingle {
		line("source:")
		p.sources[0].yaml(line, 0, "  ")
	} else {
		line("sources:")
		for i := range p.sources {
			line("  %s:", p.sources[i].name)
			p.sources[i].yaml(line, i, "    ")
		}
	}
	p.joinYAML(line)
	if len(p.lets) > 0 {
		line("let:")
		for _, l := range p.lets {
			line("  %s: %s", l.name, quoted(l.expr.text()))
		}
	}
	if len(p.rules) > 0 {
		line("rules:")
		for _, r := range p.rules {
			words := [2]string{"when", "then"}
			if r.expect {
				words = [2]string{"expect", "else"}
			}
			line("  - {name: %s, %s: %s, %s: %s}", r.name, words[0], quoted(r.cond.text()), words[1], r.then)
		}
	}
	line("outputs:")
	for i := range p.outputs {
		p.outputs[i].yaml(line)
	}
	return b.String()
}

func quoted(s string) string {
	return `"` + strings.ReplaceAll(strings.ReplaceAll(s, `\`, `\\`), `"`, `\"`) + `"`
}

func (p *metaPipeline) joinYAML(line func(string, ...any)) {
	if !p.joins() {
		return
	}
	l, r := &p.sources[0], &p.sources[1]
	on := fmt.Sprintf("on: {%s: [%s], %s: [%s]}", l.name, strings.Join(l.key, ", "), r.name, strings.Join(r.key, ", "))
	if p.shape == shapeInterval {
		line("join:\n  interval: {left: %s, right: %s, %s, between: [%s, %s]}\n  allowed_lateness: %s", l.name, r.name, on, duration(p.lower), duration(p.upper), duration(p.lateness))
		return
	}
	line("enrich: {source: %s, with: %s, %s, allowed_lateness: %s}", l.name, r.name, on, duration(p.lateness))
}

func (s *metaSource) yaml(line func(string, ...any), i int, in string) {
	line("%stopic: topic-%d", in, i)
	line("%sformat: %s", in, s.format)
	ids := ""
	if s.format == "avro" {
		ids = ", ids: [7]"
	}
	line("%sschema: {file: ./source-%d.avsc%s}", in, i, ids)
	if len(s.eventID) > 0 {
		line("%sevent_id: [%s]", in, strings.Join(s.eventID, ", "))
	}
	line("%sevent_time: %s", in, s.time)
	if len(s.key) > 0 {
		line("%skey: [%s]", in, strings.Join(s.key, ", "))
	}
	if s.unnest != "" {
		line("%sunnest: %s", in, s.unnest)
	}
	line("%swatermark: {max_out_of_orderness: %s, max_future: %s, confirm: %d}", in, duration(s.outOfOrder), duration(s.maxFuture), s.confirm)
}

func (o *metaOutput) yaml(line func(string, ...any)) {
	line("  - name: %s", o.name)
	var group []string
	for _, g := range o.group {
		if g.name == "" {
			group = append(group, g.expr.name)
		} else {
			group = append(group, fmt.Sprintf("{%s: %s}", g.name, quoted(g.expr.text())))
		}
	}
	line("    group_by: [%s]", strings.Join(group, ", "))
	zone := ""
	if o.zone != "" {
		zone = ", timezone: " + o.zone
	}
	switch {
	case o.gap > 0:
		line("    window: {session: {gap: %s, within: %s}%s}", duration(o.gap), duration(o.size), zone)
	case o.every > 0:
		line("    window: {hopping: {size: %s, every: %s}%s}", duration(o.size), duration(o.every), zone)
	default:
		line("    window: {tumbling: %s%s}", duration(o.size), zone)
	}
	line("    allowed_lateness: %s", duration(o.lateness))
	if o.updates {
		line("    emit: {on_update: 10s}")
	}
	if o.off {
		line("    late: {off: \"nobody looks\"}")
	}
	line("    aggregate:")
	for i := range o.aggs {
		line("      %s: %s", o.aggs[i].name, quoted(o.aggs[i].text()))
	}
}

// text is the call.
func (a *metaAgg) text() string {
	if a.arg == nil {
		return "count()"
	}
	args := []string{a.arg.text()}
	switch a.fn {
	case "quantile":
		args = append(args, strconv.FormatFloat(a.q, 'f', -1, 64))
	case "top_k", "top_values":
		args = append(args, strconv.Itoa(a.k))
	case "distinct":
		if a.k > 2 { // else the default
			args = append(args, strconv.Itoa(a.k))
		}
	case "histogram":
		var bounds []string
		for _, b := range a.bounds {
			bounds = append(bounds, strconv.FormatFloat(b, 'f', -1, 64))
		}
		args = append(args, "["+strings.Join(bounds, ", ")+"]")
	}
	return a.fn + "(" + strings.Join(args, ", ") + ")"
}

// avsc is the source's Avro schema; plain leaves out what logical types mean, for who reads numbers and bytes.
func (s *metaSource) avsc(plain bool) string {
	type m = map[string]any
	typ := func(f *metaField) any {
		var t any = f.typ
		switch {
		case (f.typ == "millis" || f.typ == "micros") && plain:
			t = "long"
		case f.typ == "millis" || f.typ == "micros":
			t = m{"type": "long", "logicalType": "timestamp-" + f.typ}
		case f.typ == "decimal" && plain:
			t = "bytes"
		case f.typ == "decimal":
			t = m{"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}
		case f.typ == "enum":
			t = m{"type": "enum", "name": "Color_" + strings.ReplaceAll(f.path, ".", "_"), "symbols": []string{"RED", "GREEN", "BLUE"}}
		}
		if f.nullable {
			return []any{"null", t}
		}
		return t
	}
	record := func(name, prefix string) m {
		var fields []any
		for i := range s.fields {
			if rest, ok := strings.CutPrefix(s.fields[i].path, prefix); ok && rest != "" && !strings.Contains(rest, ".") && rest != "items" && rest != "codes" {
				fields = append(fields, m{"name": rest, "type": typ(&s.fields[i])})
			}
		}
		return m{"type": "record", "name": name, "fields": fields}
	}
	top := record("Event", "")
	fields := top["fields"].([]any)
	if s.hasSub() {
		fields = append(fields, m{"name": "sub", "type": record("Sub", "sub.")})
	}
	fields = append(fields, m{"name": "items", "type": m{"type": "array", "items": record("Item", "items.")}},
		m{"name": "codes", "type": m{"type": "array", "items": "long"}})
	top["fields"] = fields
	text, err := json.Marshal(top)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func (s *metaSource) hasSub() bool { return s.field("sub.p") != nil || s.field("sub.q") != nil }
