package expr

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/tidemark-io/tidemark/schema"
)

// bench is what a test file has declared so far.
type bench struct {
	schema *schema.Schema
	env    Env
}

// TestExpressions reads testdata/expressions: `schema` declares the event, `let NAME`
// compiles a let, `compile` shows type and fields or the faults, `eval` evaluates
// its first line over the events in the others, and shows where cel-go's evaluator
// words a failure in another way. (Invariants 1 to 6)
func TestExpressions(t *testing.T) {
	datadriven.Walk(t, "testdata/expressions", func(t *testing.T, path string) {
		b := &bench{}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "schema":
				return b.declare(d.Input)
			case "let":
				p, err := Compile(d.Input, b.env)
				if err != nil {
					return faults(err)
				}
				b.env.Lets[d.CmdArgs[0].Key] = p
				return describe(p)
			case "compile":
				p, err := Compile(d.Input, b.env)
				if err != nil {
					return faults(err)
				}
				return describe(p)
			case "eval":
				return b.eval(t, d.Input)
			}
			t.Fatalf("unknown command %q", d.Cmd)
			return ""
		})
	})
}

func (b *bench) declare(text string) string {
	s, err := schema.Parse([]byte(text))
	if err != nil {
		return err.Error() + "\n"
	}
	b.schema, b.env = s, Env{Fields: map[string]schema.Type{}, Lets: map[string]*Program{}}
	for _, f := range append(s.Paths(), s.Fields()...) {
		b.env.Fields[f.Name] = f.Type
	}
	return ""
}

func describe(p *Program) string {
	return fmt.Sprintf("%s, reads %s; %s\n", p.Type(), strings.Join(p.Fields(), " "), p.Cost())
}

// faults prints each joined error on its line.
func faults(err error) string {
	var one *Error
	if !errors.As(err, &one) {
		return fmt.Sprintf("NOT AN *Error: %v\n", err)
	}
	return err.Error() + "\n"
}

func (b *bench) eval(t *testing.T, input string) string {
	src, events, _ := strings.Cut(input, "\n")
	p, err := Compile(src, b.env)
	if err != nil {
		return faults(err)
	}
	var fields []string
	for _, f := range b.schema.Paths() {
		fields = append(fields, f.Name)
	}
	d, err := schema.NewDecoder(b.schema, schema.Wire{}, schema.EventDef{Time: "ts"}, fields)
	if err != nil {
		t.Fatal(err)
	}
	e := both(t, p, d.Index)
	var out strings.Builder
	var ev schema.Event
	for event := range strings.SplitSeq(events, "\n") {
		payload, err := b.schema.AppendJSON(nil, []byte(event))
		if err == nil {
			err = d.Decode(payload, &ev)
		}
		if err != nil {
			t.Fatalf("%s: %v", event, err)
		}
		if diff := e.differ(ev.Row); diff != "" {
			t.Errorf("%s: %s", src, diff)
		}
		v, err := e.compiled.Eval(ev.Row)
		if err != nil {
			var re *schema.RecordError
			if !errors.As(err, &re) || re.Reason != schema.ReasonExpression {
				t.Fatalf("%s: want a RecordError of reason expression, have %v", src, err)
			}
			fmt.Fprintln(&out, err)
			if _, other := e.interpreted.Eval(ev.Row); other != nil && other.Error() != err.Error() {
				fmt.Fprintln(&out, "interpreted:", other)
			}
			continue
		}
		checkType(t, src, v, p.Type())
		fmt.Fprintf(&out, "%s %s\n", v.Kind, v)
	}
	return out.String()
}

// checkType: a result has the announced type. (Invariant 3)
func checkType(t *testing.T, src string, v schema.Value, typ schema.Type) {
	t.Helper()
	if v.IsNull() && !typ.Nullable || !v.IsNull() && v.Kind != typ.Kind {
		t.Errorf("%s: announced as %s, gave %s", src, typ, v.Kind)
	}
}
