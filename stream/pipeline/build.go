package pipeline

import (
	"maps"
	"slices"
	"time"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/schema/expr"
	"github.com/tidemark-io/tidemark/stream/curated"
	"github.com/tidemark-io/tidemark/stream/window"
)

// builder types everything against the schemas.
type builder struct {
	p       *Pipeline
	fs      *faultSet
	sources []*builtSource
	shape   Shape
	join    JoinPlan
	names   []string // of fields and, as they are defined, of lets: for "did you mean"

	broken      map[string]bool // lets that have a fault: what uses them gets none
	env         expr.Env
	definitions map[string]window.Definition

	rules   []builtRule
	outputs []builtOutput
}

// build compiles what check has looked at. The plan is nil if there is any fault.
func (p *Pipeline) build(fs *faultSet) *Plan {
	b := &builder{p: p, fs: fs, broken: make(map[string]bool), shape: p.shape(),
		env: expr.Env{Fields: make(map[string]schema.Type), Lets: make(map[string]*expr.Program)}}
	b.extend()
	if !b.readSources() {
		return nil
	}
	for _, s := range b.sources {
		b.sourceFields(s)
	}
	b.buildJoin()
	b.buildLets()
	b.buildRules()
	for i := range p.Outputs {
		b.outputs = append(b.outputs, b.output(i))
	}
	b.checkPlacement()
	if len(fs.list) > 0 {
		return nil
	}
	return b.plan()
}

// shape is how the sources meet.
func (p *Pipeline) shape() Shape {
	switch {
	case len(p.Sources) < 2:
		return Single
	case p.Join != nil:
		return IntervalJoin
	case p.Enrich != nil:
		return Enrich
	}
	return CoGroup
}

// plan puts together what has no faults.
func (b *builder) plan() *Plan {
	plan := &Plan{Pipeline: b.p, Shape: b.shape, Join: b.join}
	if !b.planOutputs(plan) || !b.planSources(plan) || !b.checkEngine(plan) {
		return nil
	}
	for _, r := range b.rules {
		plan.RuleNames = append(plan.RuleNames, r.name)
	}
	if plan.program = b.program(plan); plan.program == nil {
		return nil
	}
	b.describeExpressions(plan)
	plan.Fingerprint = b.fingerprint(plan)
	return plan
}

// planOutputs makes windows, codecs and aggregates. It is false with a fault.
func (b *builder) planOutputs(plan *Plan) bool {
	for i, out := range b.outputs {
		o := &b.p.Outputs[i]
		group := make([]curated.GroupField, len(out.group))
		for j, prog := range out.group {
			group[j] = curated.GroupField{Name: groupName(o.GroupBy[j]), Type: b.resultType(prog)}
		}
		codec, err := curated.NewCodec(b.p.Name, o.Name, group, out.aggs)
		if err != nil {
			b.fs.add(element("outputs", i), complain("choose other names or types", "%v", err))
			return false
		}
		w := out.window
		w.Aggs = out.aggs
		plan.Codecs = append(plan.Codecs, codec)
		plan.GroupFields = append(plan.GroupFields, group)
		plan.Outputs = append(plan.Outputs, w)
		plan.Repartition = append(plan.Repartition, out.repartition)
		plan.Rekeyed = plan.Rekeyed || out.repartition != ""
		var every time.Duration
		if o.Emit == EmitOnUpdate {
			every = o.UpdateEvery
		}
		plan.Updates = append(plan.Updates, every)
		plan.Unreconciled = append(plan.Unreconciled, unreconciled(o))
	}
	return true
}

// unreconciled is why nothing reconciles the output, or "".
func unreconciled(o *Output) string {
	if o.Late != LateOff {
		return ""
	}
	if o.LateOffReason == "" {
		return "late: off"
	}
	return o.LateOffReason
}

// planSources makes a reader for each source over what the pipeline reads of it. It is false with a fault.
func (b *builder) planSources(plan *Plan) bool {
	read := b.fieldsRead()
	for i, s := range b.sources {
		of := make(map[string]bool)
		for _, key := range s.Key {
			of[key] = true
		}
		for name := range read {
			if n, path := b.resolve(name); n == i {
				of[path] = true
			}
		}
		fields := slices.Sorted(maps.Keys(of))
		reader, err := schema.NewReader(s.source, fields)
		if err != nil {
			b.fs.add(join(s.path, "schema"), complain("name other fields, or change the schema", "no decoder for it: %v", err))
			return false
		}
		w := &s.Watermark
		plan.Sources = append(plan.Sources, SourcePlan{
			Name: s.name, Topic: s.Topic, Spec: s.Source, Schema: s.schema, Source: s.source, Reader: reader,
			EventDef: s.source.Event, Wire: s.source.Wire, FieldsRead: fields,
			Watermark: window.WatermarkOptions{OutOfOrderness: w.MaxOutOfOrderness.Milliseconds(),
				MaxFuture: w.MaxFuture.Milliseconds(), Confirm: *w.Confirm},
		})
	}
	return true
}

// fieldsRead are the fields that expressions and plain operands read, by the names that the file has for them.
func (b *builder) fieldsRead() map[string]bool {
	read := make(map[string]bool)
	note := func(programs ...*expr.Program) {
		for _, p := range programs {
			for _, f := range p.Fields() {
				read[f] = true
			}
		}
	}
	for _, r := range b.rules {
		note(r.program)
	}
	for _, out := range b.outputs {
		note(out.group...)
		note(out.args...)
	}
	return read
}
