package expr

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"github.com/tidemark-io/tidemark/schema"
)

// interpreted is the program, lets and all, in cel-go's evaluator.
func interpreted(p *Program) *Program {
	if p.Plain() {
		return p
	}
	q := *p
	q.slow = "nothing: a test"
	q.lets = map[string]*Program{}
	for name, let := range p.lets {
		q.lets[name] = interpreted(let)
	}
	return &q
}

// engines evaluates a program both ways.
type engines struct{ compiled, interpreted *Eval }

func both(tb testing.TB, p *Program, index func(string) int) engines {
	tb.Helper()
	c, err := p.NewEval(index)
	if err != nil {
		tb.Fatal(err)
	}
	i, err := interpreted(p).NewEval(index)
	if err != nil {
		tb.Fatal(err)
	}
	return engines{c, i}
}

// differ is empty if both engines give the same value or fail both.
func (e engines) differ(row []schema.Value) string {
	c, cErr := e.compiled.Eval(row)
	i, iErr := e.interpreted.Eval(row)
	if (cErr != nil) != (iErr != nil) || cErr == nil && !identical(c, i) {
		return fmt.Sprintf("row %v\ncompiled:    %s, %v\ninterpreted: %s, %v", row, c, cErr, i, iErr)
	}
	for _, err := range []error{cErr, iErr} {
		var re *schema.RecordError
		if err != nil && !errors.As(err, &re) {
			return fmt.Sprintf("row %v: not a RecordError: %v", row, err)
		}
	}
	return ""
}

func identical(a, b schema.Value) bool {
	return a.Kind == b.Kind && a.Num == b.Num && bytes.Equal(a.Bytes, b.Bytes)
}

// TestBothEngines: on generated, well-typed expressions and rows that seek the
// edges of every type, the compiled closures and cel-go's evaluator give the
// same value, bit for bit, or fail both. TIDEMARK_EXPRESSIONS sets how many
// expressions. (L1, invariant 6)
func TestBothEngines(t *testing.T) {
	expressions := 2_000
	if text := os.Getenv("TIDEMARK_EXPRESSIONS"); text != "" {
		var err error
		if expressions, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	const rows, perEnv = 12, 250
	pairs, slow, failures, refused := 0, 0, 0, 0
	for seed := 0; seed*perEnv < expressions; seed++ {
		g := newGenerator(uint64(seed))
		for range perEnv {
			src := g.expression()
			p, err := Compile(src, g.env)
			if err != nil {
				if !constantFault(err) {
					t.Fatalf("seed %d: %s: %v", seed, src, err)
				}
				refused++
				continue
			}
			if p.Interpreted() {
				slow++
				continue
			}
			e := both(t, p, g.index)
			for range rows {
				row := g.row()
				if d := e.differ(row); d != "" {
					t.Fatalf("seed %d: %s\nlets %s\n%s", seed, src, g.letText(), d)
				}
				if _, err := e.compiled.Eval(row); err != nil {
					failures++
				}
				pairs++
			}
		}
	}
	t.Logf("%d pairs, %d of them failures; %d expressions interpreted, %d refused as they always fail", pairs, failures, slow, refused)
	if pairs < expressions*rows*8/10 {
		t.Errorf("only %d pairs of %d", pairs, expressions*rows)
	}
	if failures == 0 || failures > pairs/2 {
		t.Errorf("%d failures in %d pairs: the generator misses its mark", failures, pairs)
	}
}

// constantFault reports a fault that a constant expression or a constant in one
// has by its value, not by its type.
func constantFault(err error) bool {
	var e *Error
	if !errors.As(err, &e) {
		return false
	}
	for _, part := range []string{"fails for every event", "invalid", "type conversion error", "overflow", "invalid UTF-8"} {
		if bytes.Contains([]byte(e.Msg), []byte(part)) {
			return true
		}
	}
	return false
}

// generator makes typed expressions.
type generator struct {
	*rand.Rand
	env    Env
	fields []string
	lets   []string
}

var fieldTypes = []struct {
	name string
	typ  schema.Type
}{
	{"b", schema.Type{Kind: schema.KindBool, Avro: "boolean"}},
	{"nb", schema.Type{Kind: schema.KindBool, Avro: "boolean", Nullable: true}},
	{"i", schema.Type{Kind: schema.KindInt, Avro: "long"}},
	{"j", schema.Type{Kind: schema.KindInt, Avro: "int"}},
	{"ni", schema.Type{Kind: schema.KindInt, Avro: "long", Nullable: true}},
	{"d", schema.Type{Kind: schema.KindFloat, Avro: "double"}},
	{"nd", schema.Type{Kind: schema.KindFloat, Avro: "double", Nullable: true}},
	{"s", schema.Type{Kind: schema.KindString, Avro: "string"}},
	{"ns", schema.Type{Kind: schema.KindString, Avro: "string", Nullable: true}},
	{"y", schema.Type{Kind: schema.KindBytes, Avro: "bytes"}},
	{"ny", schema.Type{Kind: schema.KindBytes, Avro: "bytes", Nullable: true}},
	{"t", schema.Type{Kind: schema.KindInt, Avro: "long", Logical: "timestamp-millis"}},
	{"u", schema.Type{Kind: schema.KindInt, Avro: "long", Logical: "timestamp-micros"}},
	{"nt", schema.Type{Kind: schema.KindInt, Avro: "long", Logical: "timestamp-nanos", Nullable: true}},
	{"o.p", schema.Type{Kind: schema.KindInt, Avro: "long", Nullable: true}},
}

func newGenerator(seed uint64) *generator {
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 1)), env: Env{Fields: map[string]schema.Type{}, Lets: map[string]*Program{}, Functions: userFunctions()}}
	for _, f := range fieldTypes {
		g.env.Fields[f.name] = f.typ
		g.fields = append(g.fields, f.name)
	}
	for len(g.lets) < 4 {
		src := g.of(pick(g, kindBool, kindInt, kindDouble, kindString, kindTime), 2)
		p, err := Compile(src, g.env)
		if err != nil {
			continue
		}
		name := fmt.Sprintf("let%d", len(g.lets))
		g.env.Lets[name] = p
		g.lets = append(g.lets, name)
	}
	return g
}

func (g *generator) letText() string {
	var out bytes.Buffer
	for _, name := range g.lets {
		fmt.Fprintf(&out, "%s = %s; ", name, g.env.Lets[name].source)
	}
	return out.String()
}

func (g *generator) index(name string) int {
	for i, f := range g.fields {
		if f == name {
			return i
		}
	}
	return -1
}

func pick[T any](g *generator, options ...T) T { return options[g.IntN(len(options))] }

func (g *generator) expression() string {
	return g.of(pick(g, kindBool, kindBool, kindBool, kindInt, kindInt, kindDouble, kindString, kindBytes, kindTime), 1+g.IntN(4))
}
