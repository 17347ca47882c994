package pipeline

import (
	"strings"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/schema/expr"
	"github.com/tidemark-io/tidemark/stream/curated"
	"github.com/tidemark-io/tidemark/stream/window"
)

// builtOutput is one output with all that its definition names compiled.
type builtOutput struct {
	window      window.Output // without its aggregates
	group       []*expr.Program
	args        []*expr.Program
	calls       []call
	aggs        []window.Agg
	repartition string // why its groups need the repartition topic, or ""
}

func (b *builder) output(i int) builtOutput {
	o, path := &b.p.Outputs[i], element("outputs", i)
	out := builtOutput{window: b.window(i)}
	for j, name := range o.GroupBy {
		out.group = append(out.group, b.groupField(element(path+".group_by", j), name, o))
	}
	for j := range o.Aggregate {
		b.aggregate(&out, path+".aggregate."+o.Aggregate[j].Name, &o.Aggregate[j])
	}
	return out
}

// groupField compiles one element of group_by: a field, a let, or an expression with a name. nil goes with a fault.
func (b *builder) groupField(path, name string, o *Output) *expr.Program {
	text, named := o.GroupExprs[name]
	if !named {
		text = name
	}
	trimmed := strings.TrimSpace(text)
	prog, ok := b.operand(path, text, trimmed, strings.Index(text, trimmed))
	if !ok {
		return nil
	}
	if t := prog.Type(); !curated.Groupable(t) {
		hint := "group by strings, whole numbers, booleans or bytes"
		if t.Kind == schema.KindFloat {
			factor := trimmed
			if !isPath(trimmed) {
				factor = "(" + trimmed + ")"
			}
			hint = "group by int(" + trimmed + ") or int(" + factor + " * 10.0): 0.0 and -0.0 are equal and not the same, and a NaN is not even equal to itself"
		}
		b.fs.add(path, complain(hint, "%s is %s, by which events can't be grouped", trimmed, a(t)))
		return nil
	}
	return prog
}

func (b *builder) aggregate(out *builtOutput, path string, a *Aggregate) {
	if !b.fs.clean(path) {
		return
	}
	if a.Call == "" {
		b.fs.required(path, true, callForm)
		return
	}
	c, at, fault := b.parseCall(a.Call)
	if fault != nil {
		b.fs.addAt(b.p.placeIn(path, a.Call, at), path, fault)
		return
	}
	agg := window.Agg{Name: a.Name, Func: words[c.name], Arg: -1}
	if c.arg != "" {
		arg, ok := b.operand(path, a.Call, c.arg, c.at)
		if !ok {
			return
		}
		agg.In = b.resultType(arg)
		if fault := b.choose(&c, agg.In, &agg); fault != nil {
			b.fs.addAt(b.p.placeIn(path, a.Call, c.at), path, fault)
			return
		}
		agg.Arg = out.argument(c.arg, arg)
	}
	out.calls = append(out.calls, c)
	out.aggs = append(out.aggs, agg)
}

// argument is the place of an argument: equal ones are evaluated once.
func (out *builtOutput) argument(text string, arg *expr.Program) int {
	for i, other := range out.calls {
		if other.arg == text {
			return out.aggs[i].Arg
		}
	}
	out.args = append(out.args, arg)
	return len(out.args) - 1
}

// resultType is the type of what an Eval makes of a program. In a co-group an expression that reads no field of the event in hand, and
// fails where all is null, is null.
func (b *builder) resultType(p *expr.Program) schema.Type {
	t := p.Type()
	if b.shape != CoGroup || p.Plain() {
		return t
	}
	if read := b.sourcesRead(p); read != 0 && read != 1<<len(b.sources)-1 {
		t.Nullable = true
	}
	return t
}

// sourcesRead has bit i set if the program reads a field of source i.
func (b *builder) sourcesRead(p *expr.Program) uint64 {
	var read uint64
	for _, f := range p.Fields() {
		if i, _ := b.resolve(f); i >= 0 {
			read |= 1 << i
		}
	}
	return read
}
