package expr

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/tidemark-io/tidemark/schema"
)

func text(name string) Env {
	return Env{Fields: map[string]schema.Type{name: {Kind: schema.KindString, Avro: "string"}}, Lets: map[string]*Program{}}
}

func first(string) int { return 0 }

func mustCompile(tb testing.TB, src string, env Env) *Program {
	tb.Helper()
	p, err := Compile(src, env)
	if err != nil {
		tb.Fatalf("%s: %v", src, err)
	}
	return p
}

// Invariant 2: the length of an expression and the nesting of lets are bounded.
func TestTooLong(t *testing.T) {
	_, err := Compile("s == '"+strings.Repeat("x", MaxLength)+"'", text("s"))
	var e *Error
	if !errors.As(err, &e) || e.Hint == "" {
		t.Fatalf("want an *Error with a hint, have %v", err)
	}
	if _, err := Compile(strings.Repeat("(", 2000)+"s"+strings.Repeat(")", 2000), text("s")); !errors.As(err, &e) {
		t.Fatalf("deep parentheses: want an *Error, have %v", err)
	}
}

func TestLetsTooDeep(t *testing.T) {
	env := text("s")
	last := "s"
	for i := range MaxLetDepth + 2 {
		p, err := Compile(last+" + '.'", env)
		if err != nil {
			if i != MaxLetDepth+1 {
				t.Fatalf("let %d of %d: %v", i, MaxLetDepth, err)
			}
			return
		}
		last = fmt.Sprintf("l%d", i)
		env.Lets[last] = p
	}
	t.Fatal("lets nest without bound")
}

// Lets that double a text each would take 2^24 times its length.
func TestResultTooLarge(t *testing.T) {
	env := text("s")
	last := "s"
	for i := range 24 {
		p := mustCompile(t, last+" + "+last, env)
		last = fmt.Sprintf("l%d", i)
		env.Lets[last] = p
	}
	e, err := env.Lets[last].NewEval(first)
	if err != nil {
		t.Fatal(err)
	}
	_, err = e.Eval([]schema.Value{schema.StringValue([]byte("0123456789"))})
	var re *schema.RecordError
	if !errors.As(err, &re) || !strings.Contains(err.Error(), "at most") {
		t.Fatalf("want a RecordError about the size, have %v", err)
	}
}

func TestRowWithoutTheField(t *testing.T) {
	_, err := mustCompile(t, "s + '.'", text("s")).NewEval(func(string) int { return -1 })
	if err == nil || !strings.Contains(err.Error(), `"s"`) {
		t.Fatalf("want an error that names the field, have %v", err)
	}
}

// A Program is shared by goroutines, an Eval belongs to one. Run with -race.
func TestConcurrentEvals(t *testing.T) {
	env := text("s")
	env.Lets["twice"] = mustCompile(t, "s + s", env)
	p := mustCompile(t, "twice + '!'", env)
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			e, err := p.NewEval(first)
			if err != nil {
				t.Error(err)
				return
			}
			in := fmt.Sprint(i)
			for range 200 {
				v, err := e.Eval([]schema.Value{schema.StringValue([]byte(in))})
				if err != nil || string(v.Bytes) != in+in+"!" {
					t.Errorf("%s: %s, %v", in, v, err)
				}
			}
		})
	}
	wg.Wait()
}

// Invariant 1: an Eval keeps nothing of the event before.
func TestNothingIsKept(t *testing.T) {
	env := text("s")
	env.Lets["l"] = mustCompile(t, "s + '.'", env)
	env.Lets["m"] = mustCompile(t, "l + l", env)
	e, err := mustCompile(t, "l + m + l", env).NewEval(first)
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range []string{"a", "b", "a"} {
		v, err := e.Eval([]schema.Value{schema.StringValue([]byte(in))})
		if want := strings.Repeat(in+".", 4); err != nil || string(v.Bytes) != want {
			t.Fatalf("%s, %v, want %s", v, err, want)
		}
	}
}

// A null where the schema has none (a row that is not of the schema) is an error
// of the event, never a zero. (Invariants 3, 4)
func TestNullWhereNoneIsDeclared(t *testing.T) {
	for _, src := range []string{"b ? i : i", "i + 1", "i > 3", "-i", "b && b", "b ? t : t", "i in [1] ? s : s", "b ? d : 1.0", "d < 1.0", "s + s"} {
		g := newGenerator(1)
		row := make([]schema.Value, len(g.fields))
		for _, set := range []bool{true, false} {
			if row[0] = (schema.Value{}); set {
				row[0] = schema.BoolValue(true)
			}
			e := both(t, mustCompile(t, src, g.env), g.index)
			if d := e.differ(row); d != "" {
				t.Errorf("%s: %s", src, d)
			}
			if v, err := e.compiled.Eval(row); err == nil && !(src == "b && b" && set) {
				t.Errorf("%s: %s, want an error", src, v)
			}
		}
	}
}

// A plain field is read without the interpreter and without an allocation.
func TestPlainFieldCostsNothing(t *testing.T) {
	e, err := mustCompile(t, " s ", text("s")).NewEval(first)
	if err != nil {
		t.Fatal(err)
	}
	row := []schema.Value{schema.StringValue([]byte("x"))}
	if n := testing.AllocsPerRun(100, func() {
		if v, err := e.Eval(row); err != nil || v.Bytes[0] != 'x' {
			t.Fatal(v, err)
		}
	}); n != 0 {
		t.Fatalf("%v allocations", n)
	}
}

// FuzzCompile: no text makes the compiler panic, a fault of the text is an
// *Error, and what compiles evaluates to its announced type or a RecordError, the
// same in both engines. (Invariants 3, 6)
func FuzzCompile(f *testing.F) {
	for _, src := range []string{"", "s", "s + s", "i > 1.5", "n == null ? 0 : n", "[i][0]", "{s: i}[s]", "s.matches('a+')", "i / 0",
		"b ? i : n", "timestamp(s)", "duration(s) > duration('1h')", "-9223372036854775808 - 1", "'\\u00e4' + s", "b'\\xff'", "i in [1, n]", "((", "s[", "a.b.c", "type(i) == int", "dyn(s) + dyn(i)",
		"i in [1, -3] && s in ['7']", "timestamp(i) + duration('1h') > timestamp('2013-01-05T00:00:00+01:00')", "string(timestamp(i).getHours('-05:00'))", "b && i > 0 || n < 1", "f(i) < 3"} {
		f.Add(src)
	}
	env := Env{Fields: map[string]schema.Type{
		"s": {Kind: schema.KindString, Avro: "string"},
		"i": {Kind: schema.KindInt, Avro: "long"},
		"n": {Kind: schema.KindInt, Avro: "long", Nullable: true},
		"b": {Kind: schema.KindBool, Avro: "boolean"},
	}, Functions: map[string]Function{"f": {Args: []schema.Type{longType}, Result: longType, Call: func(args []schema.Value) (schema.Value, error) { return args[0], nil }}}}
	row := []schema.Value{schema.BoolValue(true), schema.IntValue(-3), schema.NullValue(), schema.StringValue([]byte("7"))}
	f.Fuzz(func(t *testing.T, src string) {
		p, err := Compile(src, env)
		var fault *Error
		if err != nil {
			if !errors.As(err, &fault) {
				t.Fatalf("%q: %v", src, err)
			}
			return
		}
		index := func(name string) int { return strings.Index("bins", name) }
		if d := both(t, p, index).differ(row); d != "" {
			t.Fatalf("%q: %s", src, d)
		}
		e, err := p.NewEval(index)
		if err != nil {
			t.Fatal(err)
		}
		v, err := e.Eval(row)
		var re *schema.RecordError
		if err != nil && !errors.As(err, &re) {
			t.Fatalf("%q: %v", src, err)
		}
		if err == nil {
			checkType(t, src, v, p.Type())
		}
	})
}

// Lets that name two lets each are evaluated once each, not 2^depth times.
func TestLetsInADiamond(t *testing.T) {
	env := Env{Fields: map[string]schema.Type{"i": {Kind: schema.KindInt, Avro: "long"}}, Lets: map[string]*Program{}}
	a, b := "i", "i"
	for n := range MaxLetDepth {
		left, right := mustCompile(t, a+" / 2 + "+b+" / 2", env), mustCompile(t, b+" / 2 + "+a+" / 2", env)
		a, b = fmt.Sprintf("a%d", n), fmt.Sprintf("b%d", n)
		env.Lets[a], env.Lets[b] = left, right
	}
	e, err := env.Lets[a].NewEval(first)
	if err != nil {
		t.Fatal(err)
	}
	if v, err := e.Eval([]schema.Value{schema.IntValue(8)}); err != nil || v.Int() != 8 {
		t.Fatal(v, err)
	}
}
