package pipeline

import (
	"fmt"
	"slices"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/schema/expr"
	"github.com/tidemark-io/tidemark/stream/window"
)

// program says where an Eval finds the parts of a window.Input. The row that expressions read is, of one source, its
// Reader's; of several, theirs one behind the other.
type program struct {
	sources []sourceProgram
	width   int            // of the row of several sources
	index   map[string]int // places in the row, by the names that the file has for fields
	exprs   []boundExpr
	rules   []ruleProgram
	outputs []outputProgram
	// ordered says that some aggregate wants to know which of two events came first, so that events need an identity
	// even if their source declares none.
	ordered bool
}

// boundExpr is an expression and, as bits, the sources that it reads.
type boundExpr struct {
	program *expr.Program
	reads   uint64
}

type ruleProgram struct {
	boundExpr
	name   string
	expect bool
	then   string
	notMet *schema.RecordError
}

type sourceProgram struct {
	reader schema.Reader
	fields []string // of the reader
	from   int      // its first place in the row of several sources
	key    []int    // source.key in the reader's row
	on     []int    // the joined fields in the reader's row
	kept   []int    // what a join keeps of the reader's row
	unnest bool
}

type outputProgram struct {
	group []slot
	args  []slot
	// sameKey is the number of an earlier output with the same group, or -1.
	sameKey int
}

// slot is a field's place in the row, or an expression's number.
type slot struct {
	index int
	expr  bool
}

// program binds operands to rows. nil goes with a fault.
func (b *builder) program(plan *Plan) *program {
	prog := &program{index: make(map[string]int)}
	read := b.fieldsRead()
	for i := range plan.Sources {
		prog.sources = append(prog.sources, b.bindSource(prog, &plan.Sources[i], read))
	}
	for _, r := range b.rules {
		text := "is not met: " + r.text
		if !r.expect {
			text = "is met: " + r.text
		}
		prog.rules = append(prog.rules, ruleProgram{boundExpr: boundExpr{r.program, b.sourcesRead(r.program)}, name: r.name, expect: r.expect, then: r.then,
			notMet: &schema.RecordError{Reason: ReasonRule + r.name, Err: fmt.Errorf("rule %s %s", r.name, text)}})
	}
	for _, out := range b.outputs {
		o := outputProgram{group: b.bind(prog, out.group), args: b.bind(prog, out.args), sameKey: -1}
		for j := range prog.outputs {
			if o.sameKey < 0 && slices.Equal(prog.outputs[j].group, o.group) {
				o.sameKey = j
			}
		}
		prog.outputs = append(prog.outputs, o)
		prog.ordered = prog.ordered || slices.ContainsFunc(out.aggs, ordered)
	}
	return prog
}

// bindSource places the source's fields.
func (b *builder) bindSource(prog *program, plan *SourcePlan, read map[string]bool) sourceProgram {
	s := sourceProgram{reader: plan.Reader, fields: plan.Reader.Fields(), from: prog.width, unnest: plan.Source.Unnest != ""}
	for n, field := range s.fields {
		name := join(plan.Name, field)
		prog.index[name] = s.from + n
		if read[name] {
			s.kept = append(s.kept, n)
		}
	}
	prog.width += len(s.fields)
	for _, key := range plan.Spec.Key {
		s.key = append(s.key, plan.Reader.Index(key))
	}
	for _, field := range b.p.on()[plan.Name] {
		s.on = append(s.on, plan.Reader.Index(field))
	}
	return s
}

// bind places operands; expressions that are evaluated are numbered, each once.
func (b *builder) bind(prog *program, programs []*expr.Program) []slot {
	slots := make([]slot, len(programs))
	for i, p := range programs {
		if p.Plain() {
			slots[i] = slot{index: prog.place(p.Fields()[0])}
			continue
		}
		n := slices.IndexFunc(prog.exprs, func(e boundExpr) bool { return e.program == p })
		if n < 0 {
			n = len(prog.exprs)
			prog.exprs = append(prog.exprs, boundExpr{p, b.sourcesRead(p)})
		}
		slots[i] = slot{index: n, expr: true}
	}
	return slots
}

// place is a field's place in the row, or -1.
func (p *program) place(field string) int {
	if i, ok := p.index[field]; ok {
		return i
	}
	return -1
}

// ordered reports whether the aggregate wants to know which of two events came first.
func ordered(a window.Agg) bool {
	o, ok := a.Custom.(window.Ordered)
	return ok && o.Ordered()
}
