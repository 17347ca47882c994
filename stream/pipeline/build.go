package pipeline

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/schema/expr"
	"github.com/tidemark-io/tidemark/stream/curated"
	"github.com/tidemark-io/tidemark/stream/window"
)

// schemaBytesMax limits a schema file.
const schemaBytesMax = 1 << 20

// builder types everything against the schema.
type builder struct {
	p      *Pipeline
	fs     *faultSet
	schema *schema.Schema
	names  []string // of the record's fields and, as they are defined, of lets: for "did you mean"

	broken map[string]bool // lets that have a fault: what uses them gets none
	env    expr.Env

	outputs []builtOutput
}

type builtOutput struct {
	group []*expr.Program
	args  []*expr.Program
	calls []call
	aggs  []window.Agg
}

// build compiles what check has looked at. The plan is nil if there is any fault.
func (p *Pipeline) build(fs *faultSet) *Plan {
	b := &builder{p: p, fs: fs, broken: make(map[string]bool),
		env: expr.Env{Fields: make(map[string]schema.Type), Lets: make(map[string]*expr.Program)}}
	if !b.readSchema() {
		return nil
	}
	b.sourceFields()
	b.buildLets()
	for i := range p.Outputs {
		b.outputs = append(b.outputs, b.output(i))
	}
	if len(fs.list) > 0 {
		return nil
	}
	return b.plan()
}

func (b *builder) readSchema() bool {
	const path = "source.schema.file"
	file := b.p.Source.Schema.File
	if file == "" {
		return false
	}
	text, err := readLimited(b.p.Path(file), schemaBytesMax)
	if err != nil {
		b.fs.add(path, complain("relative paths start from the pipeline file's directory", "read %s: %v", file, err))
		return false
	}
	b.schema, err = schema.Parse(text)
	if err != nil {
		b.fs.add(path, complain("give the Avro schema of the topic's records, a record in JSON form", "%s is no schema that can be used: %v", file, err))
		return false
	}
	for _, f := range b.schema.Paths() {
		b.names = append(b.names, f.Name)
		b.env.Fields[f.Name] = f.Type
	}
	return true
}

// sourceFields checks the fields that the source declares.
func (b *builder) sourceFields() {
	s := &b.p.Source
	if t, ok := b.field("source.event_time", s.EventTime); ok && !t.Timestamp() {
		b.fs.add("source.event_time", complain("give the field the type long with logicalType timestamp-millis or timestamp-micros", "%s is %s, no timestamp", s.EventTime, a(t)))
	}
	for i, id := range s.EventID {
		path := element("source.event_id", i)
		if t, ok := b.field(path, id); ok && !t.Projectable() {
			b.fs.add(path, complain("name plain fields", "%s is %s, which can't be compared", id, a(t)))
		}
	}
	for i, key := range s.Key {
		path := element("source.key", i)
		if t, ok := b.field(path, key); ok && (t.Kind != schema.KindString && t.Kind != schema.KindInt) {
			b.fs.add(path, complain("name strings or whole numbers", "%s is %s, of which no record key is made", key, a(t)))
		}
	}
}

// field looks a field of the record up. Empty names have faults of their own.
func (b *builder) field(path, name string) (schema.Type, bool) {
	if name == "" {
		return schema.Type{}, false
	}
	t, err := b.schema.Lookup(name)
	if err == nil {
		return t, true
	}
	hint := "known: " + listSome(b.names)
	if s := schema.Suggest(name, b.names); s != "" {
		hint = "did you mean " + s + "?"
	}
	msg := "there is no field " + name
	if strings.Contains(name, ".") {
		msg = err.Error()
	}
	if slices.ContainsFunc(b.p.Let, func(l Let) bool { return l.Name == name }) {
		hint = "name a field of the schema: what identifies, dates and keys an event can't be a let"
	}
	b.fs.add(path, complain(hint, "%s", msg))
	return schema.Type{}, false
}

// a is a type with its article.
func a(t schema.Type) string {
	if s := t.String(); s != "" && strings.ContainsRune("aeiou", rune(s[0])) {
		return "an " + s
	}
	return "a " + t.String()
}

// listSome lists the first names of many.
func listSome(names []string) string {
	const some = 12
	if len(names) > some {
		return strings.Join(names[:some], ", ") + ", ..."
	}
	return strings.Join(names, ", ")
}

func (b *builder) output(i int) builtOutput {
	var out builtOutput
	o, path := &b.p.Outputs[i], element("outputs", i)
	for j, name := range o.GroupBy {
		at := element(path+".group_by", j)
		prog, ok := b.operand(at, name, name, 0)
		if ok && !curated.Groupable(prog.Type()) {
			b.fs.add(at, complain("group by strings, whole numbers, booleans or bytes; round numbers in let", "%s is %s, by which events can't be grouped", name, a(prog.Type())))
		}
		out.group = append(out.group, prog)
	}
	for j := range o.Aggregate {
		b.aggregate(&out, path+".aggregate."+o.Aggregate[j].Name, &o.Aggregate[j])
	}
	return out
}

func (b *builder) aggregate(out *builtOutput, path string, a *Aggregate) {
	if !b.fs.clean(path) {
		return
	}
	if a.Call == "" {
		b.fs.required(path, true, callForm)
		return
	}
	c, at, fault := parseCall(a.Call)
	if fault != nil {
		b.fs.addAt(b.p.placeIn(path, a.Call, at), path, fault)
		return
	}
	agg := window.Agg{Name: a.Name, Func: c.fn, Arg: -1}
	if c.arg != "" {
		arg, ok := b.operand(path, a.Call, c.arg, c.at)
		if !ok {
			return
		}
		if fault := checkArgument(c.fn, arg.Type()); fault != nil {
			b.fs.addAt(b.p.placeIn(path, a.Call, c.at), path, fault)
			return
		}
		agg.In = arg.Type()
		agg.Arg = len(out.args)
		for k, other := range out.calls { // equal arguments are evaluated once
			if other.arg == c.arg {
				agg.Arg = out.aggs[k].Arg
			}
		}
		if agg.Arg == len(out.args) {
			out.args = append(out.args, arg)
		}
	}
	out.calls = append(out.calls, c)
	out.aggs = append(out.aggs, agg)
}

// plan puts together what has no faults.
func (b *builder) plan() *Plan {
	p := b.p
	plan := &Plan{
		Pipeline: p, Schema: b.schema,
		Wire:     schema.Wire{Confluent: p.Source.Format == FormatAvro, IDs: p.Source.Schema.IDs},
		EventDef: schema.EventDef{ID: p.Source.EventID, Time: p.Source.EventTime},
		WatermarkOptions: window.WatermarkOptions{
			OutOfOrderness: p.Source.Watermark.MaxOutOfOrderness.Milliseconds(),
			MaxFuture:      p.Source.Watermark.MaxFuture.Milliseconds(),
			Confirm:        *p.Source.Watermark.Confirm,
		},
	}
	read := make(map[string]bool)
	for _, key := range p.Source.Key {
		read[key] = true
	}
	for i, out := range b.outputs {
		o := &p.Outputs[i]
		group := make([]curated.GroupField, len(out.group))
		for j, prog := range out.group {
			group[j] = curated.GroupField{Name: groupName(o.GroupBy[j]), Type: prog.Type()}
		}
		codec, err := curated.NewCodec(p.Name, o.Name, group, out.aggs)
		if err != nil {
			b.fs.add(element("outputs", i), complain("choose other names or types", "%v", err))
			return nil
		}
		plan.Codecs = append(plan.Codecs, codec)
		plan.GroupFields = append(plan.GroupFields, group)
		plan.Outputs = append(plan.Outputs, window.Output{
			Name: o.Name, Size: o.Window.Tumbling.Milliseconds(), Lateness: o.AllowedLateness.Milliseconds(), Aggs: out.aggs,
		})
		for _, prog := range slices.Concat(out.group, out.args) {
			for _, f := range prog.Fields() {
				read[f] = true
			}
		}
	}
	plan.FieldsRead = slices.Sorted(maps.Keys(read))
	dec, err := schema.NewDecoder(b.schema, plan.Wire, plan.EventDef, plan.FieldsRead)
	if err != nil {
		b.fs.add("source.schema", complain("name other fields, or change the schema", "no decoder for it: %v", err))
		return nil
	}
	plan.Decoder = dec
	plan.Sources = []SourcePlan{{Topic: p.Source.Topic, Spec: &p.Source, Schema: b.schema, EventDef: plan.EventDef, Wire: plan.Wire,
		Source: schema.Source{Format: p.Source.Format, Schema: b.schema.JSON(), Wire: plan.Wire, Event: plan.EventDef}, Reader: dec,
		Watermark: plan.WatermarkOptions, FieldsRead: plan.FieldsRead}}
	plan.Updates = make([]time.Duration, len(plan.Outputs))
	plan.Unreconciled = make([]string, len(plan.Outputs))
	if plan.program = b.program(dec); plan.program == nil {
		return nil
	}
	plan.Fingerprint = b.fingerprint(plan)
	return plan
}
