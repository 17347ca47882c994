package streamtest

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	msSecond = int64(1000)
	msMinute = 60 * msSecond
	msHour   = 60 * msMinute
	msDay    = 24 * msHour
)

// pipelineGen makes a metaPipeline.
type pipelineGen struct {
	*rng
	p      *metaPipeline
	leaves []*metaExpr
	nulls  map[string]bool
}

// newMetaPipeline is the pipeline of a seed.
func newMetaPipeline(seed uint64) *metaPipeline {
	r := newRng(seed, 1)
	g := &pipelineGen{rng: r, p: &metaPipeline{}, nulls: map[string]bool{}}
	p := g.p
	p.unit = pickOf(r, msSecond, msMinute, msMinute, msHour, msHour, msDay)
	p.width = int32(1 + r.IntN(3))
	p.base = 1_700_000_000_000 / p.unit * p.unit
	if r.one(10) {
		p.base = -5 * msDay // across the epoch
	}
	p.shape = pickOf(r, shapeSingle, shapeSingle, shapeSingle, shapeSingle, shapeCoGroup, shapeInterval, shapeInterval, shapeEnrich)
	g.sources()
	g.operands()
	g.expressions()
	for i := range 1 + r.IntN(3) {
		p.outputs = append(p.outputs, g.output(i))
	}
	if p.joins() {
		p.lateness = g.lateness()
		p.lower, p.upper = g.span(-3, 1), g.span(-1, 4)
		if p.lower > p.upper {
			p.lower, p.upper = p.upper, p.lower
		}
		for i := range p.outputs {
			p.outputs[i].lateness += p.lateness
		}
	}
	return p
}

// span is some time between from and to units.
func (g *pipelineGen) span(from, to int64) int64 {
	return (from+g.Int64N(to-from+1))*g.p.unit + pickOf(g.rng, 0, 0, g.p.unit/2)
}

func (g *pipelineGen) lateness() int64 {
	return pickOf(g.rng, 0, 0, g.p.unit/2, g.p.unit, 3*g.p.unit, 10*g.p.unit)
}

func (g *pipelineGen) sources() {
	p := g.p
	names := []string{""}
	if p.shape != shapeSingle {
		names = []string{"l", "r"}
		if p.shape == shapeCoGroup && g.one(3) {
			names = append(names, "t")
		}
	}
	twoKeys, keyType := g.one(4), pickOf(g.rng, "string", "string", "long")
	withID := !g.one(4)
	for i, name := range names {
		s := metaSource{name: name, format: pickOf(g.rng, "avro-raw", "avro-raw", "avro", "json", "json"), time: "at"}
		micros := g.one(4)
		s.fields = g.fields(keyType, micros, s.format == "json")
		s.key = []string{"k"}
		if twoKeys {
			s.key = []string{"k", "k2"}
		}
		if p.shape == shapeSingle && g.one(4) {
			s.key = nil
		}
		if withID != g.one(8) && (p.shape != shapeEnrich || i == 0 || g.one(2)) {
			s.eventID = pickOf(g.rng, []string{"id"}, []string{"id", "k"}, []string{"at", "id"})
		}
		if !p.joins() && g.one(4) {
			s.unnest = pickOf(g.rng, "items", "items", "codes")
		}
		u := p.unit
		s.outOfOrder = pickOf(g.rng, 0, u/2, u, 2*u)
		s.maxFuture = pickOf(g.rng, u, 5*u, 20*u, msDay)
		s.confirm = pickOf(g.rng, 0, 1, 3, 3)
		p.sources = append(p.sources, s)
	}
}

// fields are those of a source: what must be, and some of the rest.
func (g *pipelineGen) fields(keyType string, micros, json bool) []metaField {
	timeType := "millis"
	if micros {
		timeType = "micros"
	}
	out := []metaField{{"id", "string", false}, {"k", keyType, false}, {"k2", "string", false}, {"at", timeType, false},
		{"n", "long", false}, {"x", "double", false}, {"u", "long", false}}
	for _, f := range []metaField{{"g", "string", true}, {"i", "int", false}, {"w", "float", false}, {"xn", "double", true}, {"nn", "long", true},
		{"s", "string", false}, {"sn", "string", true}, {"b", "boolean", false}, {"bn", "boolean", true}, {"e", "enum", false},
		{"d", "decimal", false}, {"dn", "decimal", true}, {"y", "bytes", false}, {"sub.p", "long", false}, {"sub.q", "string", true}, {"seen", "millis", true}} {
		if g.one(2) && (f.typ != "bytes" || !json) {
			out = append(out, f)
		}
	}
	return append(out, metaField{"items.sku", "string", false}, metaField{"items.qty", "long", true},
		metaField{"items.price", "double", false}, metaField{"codes", "long", false})
}

// operands lists what expressions can be made of.
func (g *pipelineGen) operands() {
	p := g.p
	for i := range p.sources {
		s := &p.sources[i]
		for j := range s.fields {
			f := &s.fields[j]
			if f.path == "u" || f.path == "codes" && s.unnest != "codes" || strings.HasPrefix(f.path, "items.") && s.unnest != "items" {
				continue
			}
			name := f.path
			if s.name != "" {
				name = s.name + "." + name
			}
			g.leaves = append(g.leaves, &metaExpr{op: "field", name: name, kind: f.kind()})
			other := p.shape == shapeCoGroup || p.shape == shapeEnrich && i == 1
			g.nulls[name] = f.nullable || other
		}
	}
}

func (g *pipelineGen) gen() *exprGen { return &exprGen{rng: g.rng, leaves: g.leaves, nulls: g.nulls} }

func (g *pipelineGen) expressions() {
	p := g.p
	if p.shape == shapeCoGroup {
		p.lets = append(p.lets, g.keyLets()...)
	}
	for i := range g.IntN(4) {
		l := metaNamed{fmt.Sprintf("let%d", i), g.gen().of(pickOf(g.rng, "bool", "int", "double", "string"), 2)}
		p.lets = append(p.lets, l)
		g.leaves = append(g.leaves, &metaExpr{op: "let", name: l.name, kind: l.expr.kind, kids: []*metaExpr{l.expr}})
		g.nulls[l.name] = l.expr.op == "field" && g.nulls[l.expr.name]
	}
	for i := range max(0, g.IntN(6)-2) {
		r := metaRule{name: fmt.Sprintf("rule%d", i), cond: g.gen().of("bool", 2), then: "filter"}
		if r.expect = g.one(2); r.expect {
			r.then = pickOf(g.rng, "quarantine", "count", "count", "filter")
		}
		if r.cond.op == "lit" {
			r.cond = &metaExpr{op: ">", kind: "bool", kids: []*metaExpr{g.leafOf("n"), {op: "lit", kind: "int", lit: int64(-2)}}}
		}
		p.rules = append(p.rules, r)
	}
}

// leafOf is a field of the first source.
func (g *pipelineGen) leafOf(path string) *metaExpr {
	if name := g.p.sources[0].name; name != "" {
		path = name + "." + path
	}
	for _, l := range g.leaves {
		if l.name == path {
			return l
		}
	}
	return nil
}

// keyLets are lets that have the key of whichever source an event is of.
func (g *pipelineGen) keyLets() []metaNamed {
	p := g.p
	var out []metaNamed
	for i := range p.sources[0].key {
		var e *metaExpr
		for j := len(p.sources) - 1; j >= 0; j-- {
			s := &p.sources[j]
			f := &metaExpr{op: "field", name: s.name + "." + s.key[i], kind: s.field(s.key[i]).kind()}
			if e == nil {
				e = f
				continue
			}
			e = &metaExpr{op: "?:", kind: f.kind, kids: []*metaExpr{{op: "notnull", kind: "bool", kids: []*metaExpr{f}}, f, e}}
		}
		out = append(out, metaNamed{fmt.Sprintf("key%d", i), e})
	}
	return out
}

func (g *pipelineGen) output(i int) metaOutput {
	r := g.rng
	o := metaOutput{name: fmt.Sprintf("out-%d", i), lateness: g.lateness(), off: r.one(8)}
	g.window(&o)
	o.updates = o.gap == 0 && r.one(3)
	o.group = g.group()
	for j := range 1 + r.IntN(4) {
		o.aggs = append(o.aggs, g.aggregate(j))
	}
	return o
}

var metaZones = []string{"America/New_York", "Europe/Berlin", "America/Sao_Paulo", "Pacific/Apia", "Asia/Kolkata", "America/St_Johns", "Australia/Lord_Howe", "Africa/Cairo"}

func (g *pipelineGen) window(o *metaOutput) {
	u, r := g.p.unit, g.rng
	if u >= msHour && r.one(2) {
		g.zoned(o)
		return
	}
	switch r.IntN(3) {
	case 0:
		o.size = pickOf(r, u, 2*u, 3*u, 7*u, u+u/4)
	case 1:
		o.size = pickOf(r, u, 2*u, 3*u, 5*u)
		o.every = pickOf(r, u, u/2, o.size, o.size/2)
		if o.every == 0 || o.every > o.size {
			o.every = o.size
		}
	case 2:
		o.gap = pickOf(r, u/2, u, 2*u, u+1)
		o.size = o.gap + pickOf(r, 1, u, 5*u, 20*u)
	}
}

// zoned windows follow the calendar of a zone, near a change of its clocks.
func (g *pipelineGen) zoned(o *metaOutput) {
	u, r := g.p.unit, g.rng
	o.zone = metaZones[r.IntN(len(metaZones))]
	if !slices.ContainsFunc(g.p.outputs, func(o metaOutput) bool { return o.zone != "" }) {
		g.p.base = changeOfClocks(o.zone, r) - 3*u - 2*msHour
	}
	switch r.IntN(4) {
	case 0:
		o.size = pickOf(r, msHour, 2*msHour, 6*msHour, 12*msHour, 30*msMinute)
		if u == msDay {
			o.size = 6 * msHour
		}
	case 1:
		o.size = pickOf(r, msDay, 2*msDay, 7*msDay)
	case 2:
		o.size, o.every = pickOf(r, 2*msDay, 3*msDay), pickOf(r, msDay, 2*msDay)
	case 3:
		o.gap, o.size = pickOf(r, u, u/2, 3*u), pickOf(r, msDay, 2*msDay)
		o.gap = min(o.gap, o.size-1)
	}
}

// changeOfClocks is a time at which a zone's clocks have changed.
func changeOfClocks(zone string, r *rng) int64 {
	loc, err := time.LoadLocation(zone)
	if err != nil {
		panic(err)
	}
	at := time.Date(pickOf(r, 2011, 2013, 2013, 2006), time.Month(1+r.IntN(12)), 1, 0, 0, 0, 0, time.UTC)
	if zone == "Pacific/Apia" && r.one(2) {
		at = time.Date(2011, 12, 1, 0, 0, 0, 0, time.UTC)
	}
	if _, end := at.In(loc).ZoneBounds(); !end.IsZero() {
		at = end
	}
	return at.UnixMilli()
}

// group is the fields that an output groups by.
func (g *pipelineGen) group() []metaNamed {
	p, r := g.p, g.rng
	var out []metaNamed
	add := func(e *metaExpr, name string) {
		if !slices.ContainsFunc(out, func(o metaNamed) bool { return o.expr.text() == e.text() }) {
			out = append(out, metaNamed{name, e})
		}
	}
	switch {
	case p.shape == shapeCoGroup:
		for _, l := range p.lets {
			if strings.HasPrefix(l.name, "key") {
				add(&metaExpr{op: "let", name: l.name, kind: l.expr.kind, kids: []*metaExpr{l.expr}}, "")
			}
		}
	case p.joins():
		side := 0
		if p.shape == shapeInterval && r.one(2) {
			side = 1
		}
		s := &p.sources[side]
		for _, k := range s.key {
			add(&metaExpr{op: "field", name: s.name + "." + k, kind: s.field(k).kind()}, "")
		}
	case !r.one(3):
		for _, k := range p.sources[0].key {
			add(g.leafOf(k), "")
		}
	}
	for i := range r.IntN(3) {
		if r.one(2) {
			add(g.gen().of(pickOf(r, "bool", "int", "string"), 1), fmt.Sprintf("g%d", i))
			continue
		}
		l := g.leaves[r.IntN(len(g.leaves))]
		if l.kind == "bool" || l.kind == "int" || l.kind == "string" || l.kind == "bytes" || l.kind == "time" || l.kind == "enum" {
			add(l, "")
		}
	}
	for i := range out {
		if e := out[i].expr; e.op == "field" || e.op == "let" {
			out[i].name = ""
		}
	}
	return out
}

// typeOf is the type of an operand: a field's own.
func (g *pipelineGen) typeOf(e *metaExpr) string {
	for e.op == "let" {
		e = e.kids[0]
	}
	if e.op != "field" {
		return e.kind
	}
	for i := range g.p.sources {
		s := &g.p.sources[i]
		path, ok := e.name, true
		if s.name != "" {
			path, ok = strings.CutPrefix(e.name, s.name+".")
		}
		if f := s.field(path); ok && f != nil {
			return f.typ
		}
	}
	return e.kind
}

func (g *pipelineGen) aggregate(i int) metaAgg {
	r := g.rng
	a := metaAgg{name: fmt.Sprintf("a%d", i)}
	a.fn = pickOf(r, "count", "count", "count_if", "sum", "sum", "min", "max", "mean", "variance", "stddev", "variance_pop", "stddev_pop",
		"first", "last", "quantile", "approx_distinct", "distinct", "top_k", "top_values", "histogram", "any", "all")
	switch a.fn {
	case "count":
		if r.one(2) {
			return a
		}
		a.arg = g.operand("bool", "int", "double", "string", "time", "bytes", "decimal", "enum")
	case "count_if", "any", "all":
		a.arg = g.operand("bool")
	case "sum", "mean":
		a.arg = g.operand("int", "double", "double", "decimal")
	case "variance", "stddev", "variance_pop", "stddev_pop":
		a.arg = g.operand("int", "double")
	case "quantile":
		a.arg, a.q = g.operand("int", "double"), pickOf(r, 0, 0.5, 0.95, 1, 0.25)
	case "histogram":
		a.arg = g.operand("int", "double")
		a.bounds = pickOf(r, []float64{0}, []float64{-1, 0, 2.5, 100}, []float64{-1e18, 3, 4.5, 9e18})
	case "min", "max":
		a.arg = g.operand("int", "double", "string", "time", "bytes", "decimal", "enum")
	default:
		a.arg = g.operand("bool", "int", "double", "string", "time", "bytes", "decimal", "enum")
		a.k = 1 + r.IntN(4)
	}
	a.typ = g.typeOf(a.arg)
	return a
}

// operand is a field or let, more seldom an expression, of one of the kinds.
func (g *pipelineGen) operand(kinds ...string) *metaExpr {
	var of []*metaExpr
	k := kinds[g.IntN(len(kinds))]
	for _, l := range g.leaves {
		if l.kind == k {
			of = append(of, l)
		}
	}
	if len(of) > 0 && !g.one(4) {
		return of[g.IntN(len(of))]
	}
	if k == "bytes" || k == "decimal" || k == "time" || k == "enum" {
		k = "int"
		if !slices.Contains(kinds, k) {
			k = kinds[0]
		}
	}
	e := g.gen().of(k, 2)
	if e.op == "lit" {
		return g.leafOf("n").as(k)
	}
	return e
}

// as makes an expression of another kind of a field of ints.
func (e *metaExpr) as(kind string) *metaExpr {
	switch kind {
	case "bool":
		return &metaExpr{op: "in", kind: kind, kids: []*metaExpr{e}, list: []any{int64(0), int64(1), int64(2)}}
	case "double":
		return &metaExpr{op: "double", kind: kind, kids: []*metaExpr{e}}
	case "string":
		return &metaExpr{op: "string", kind: kind, kids: []*metaExpr{e}}
	}
	return e
}
