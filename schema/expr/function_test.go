package expr

import (
	"errors"
	"strings"
	"testing"

	"github.com/tidemark-io/tidemark/schema"
)

var (
	longType = schema.Type{Kind: schema.KindInt, Avro: "long"}
	textType = schema.Type{Kind: schema.KindString, Avro: "string"}
)

func constant(v schema.Value, err error) func([]schema.Value) (schema.Value, error) {
	return func([]schema.Value) (schema.Value, error) { return v, err }
}

// A function's name must be free, its types must be values of expressions.
func TestFunctionsAreChecked(t *testing.T) {
	one := constant(schema.IntValue(1), nil)
	for _, c := range []struct {
		name string
		f    Function
		want string
	}{
		{"", Function{Result: longType, Call: one}, "letters, digits"},
		{"1st", Function{Result: longType, Call: one}, "letters, digits"},
		{"geo.km", Function{Result: longType, Call: one}, "letters, digits"},
		{"größe", Function{Result: longType, Call: one}, "letters, digits"},
		{"size", Function{Result: longType, Call: one}, "is taken"},
		{"matches", Function{Result: longType, Call: one}, "is taken"},
		{"int", Function{Result: longType, Call: one}, "is taken"},
		{"exists", Function{Result: longType, Call: one}, "is taken"},
		{"while", Function{Result: longType, Call: one}, "is taken"},
		{"f", Function{Result: longType}, "Call is nil"},
		{"f", Function{Call: one}, "the result is"},
		{"f", Function{Result: schema.Type{Kind: schema.KindNull, Avro: "null"}, Call: one}, "the result is null"},
		{"f", Function{Result: longType, Args: []schema.Type{{Kind: schema.KindBytes, Avro: "bytes", Logical: "decimal"}}, Call: one}, "argument 1 is bytes (decimal)"},
		{"f", Function{Result: longType, Args: make([]schema.Type, MaxArguments+1), Call: one}, "at most 16"},
	} {
		env := text("s")
		env.Functions = map[string]Function{c.name: c.f}
		if _, err := Compile("s + '.'", env); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: want an error with %q, have %v", c.name, c.want, err)
		}
	}
}

// What a function does wrong is a failure of the expression, with its name, in
// both engines alike.
func TestFunctionsThatFail(t *testing.T) {
	for _, c := range []struct {
		name string
		f    Function
		want string
	}{
		{"error", Function{Result: textType, Args: []schema.Type{textType}, Call: constant(schema.Value{}, errors.New("no such airport"))}, "f(): no such airport"},
		{"panic", Function{Result: textType, Args: []schema.Type{textType}, Call: func([]schema.Value) (schema.Value, error) { panic("oops") }}, "f() panicked: oops"},
		{"panic of the runtime", Function{Result: textType, Args: []schema.Type{textType}, Call: func(args []schema.Value) (schema.Value, error) { return args[len(args)], nil }}, "f() panicked: runtime error: index out of range"},
		{"null", Function{Result: textType, Args: []schema.Type{textType}, Call: constant(schema.NullValue(), nil)}, "f() gave null, and promises string"},
		{"kind", Function{Result: textType, Args: []schema.Type{textType}, Call: constant(schema.IntValue(1), nil)}, "f() gave int, and promises string"},
		{"UTF-8", Function{Result: textType, Args: []schema.Type{textType}, Call: constant(schema.StringValue([]byte("\xff")), nil)}, "f() gave a string that is no UTF-8"},
		{"size", Function{Result: textType, Args: []schema.Type{textType}, Call: constant(schema.StringValue(make([]byte, MaxResultBytes+1)), nil)}, "f() gave 1048577 bytes"},
		{"null argument", Function{Result: textType, Args: []schema.Type{textType}, Call: constant(schema.StringValue(nil), nil)}, "f(): argument 1 is null"},
	} {
		env := text("s")
		env.Fields["n"] = schema.Type{Kind: schema.KindString, Avro: "string", Nullable: true}
		env.Functions = map[string]Function{"f": c.f}
		src := "f(s) == 'x'"
		if c.name == "null argument" {
			src = "f(n) == 'x'"
		}
		p := mustCompile(t, src, env)
		if p.Interpreted() {
			t.Errorf("%s: %s", src, p.Cost())
		}
		e := both(t, p, func(name string) int { return strings.Index("sn", name) })
		for _, eval := range []*Eval{e.compiled, e.interpreted} {
			_, err := eval.Eval([]schema.Value{schema.StringValue([]byte("JFK")), {}})
			var re *schema.RecordError
			if !errors.As(err, &re) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: want a RecordError with %q, have %v", c.name, c.want, err)
			}
		}
	}
}

// A function's failure counts where it is reached, as any other.
func TestFunctionFailureIsAbsorbed(t *testing.T) {
	env := text("s")
	env.Functions = map[string]Function{"f": {Result: schema.Type{Kind: schema.KindBool, Avro: "boolean"}, Call: constant(schema.Value{}, errors.New("down"))}}
	e := both(t, mustCompile(t, "f() && s == 'x'", env), first)
	for _, eval := range []*Eval{e.compiled, e.interpreted} {
		if v, err := eval.Eval([]schema.Value{schema.StringValue([]byte("y"))}); err != nil || v.Bool() {
			t.Errorf("error && false: %s, %v", v, err)
		}
		if _, err := eval.Eval([]schema.Value{schema.StringValue([]byte("x"))}); err == nil {
			t.Error("error && true: no error")
		}
	}
}

// A function sees a timestamp in the unit of its argument, and its nullable
// result makes the expression's nullable.
func TestFunctionTypes(t *testing.T) {
	millis := schema.Type{Kind: schema.KindInt, Avro: "long", Logical: "timestamp-millis"}
	seen := millis
	seen.Nullable = true
	env := Env{Fields: map[string]schema.Type{"t": {Kind: schema.KindInt, Avro: "long", Logical: "timestamp-micros"}}, Functions: map[string]Function{
		"f": {Args: []schema.Type{millis}, Result: seen, Call: func(args []schema.Value) (schema.Value, error) {
			if args[0].Int() == -1 {
				return schema.NullValue(), nil
			}
			return schema.IntValue(args[0].Int() + 1), nil
		}}}}
	p := mustCompile(t, "f(t)", env)
	if p.Interpreted() || !p.Type().Nullable || p.Type().Logical != "timestamp-micros" {
		t.Fatalf("%s, %s", p.Type(), p.Cost())
	}
	e := both(t, p, first)
	for _, eval := range []*Eval{e.compiled, e.interpreted} {
		if v, err := eval.Eval([]schema.Value{schema.IntValue(1_999)}); err != nil || v.Int() != 2_000 {
			t.Errorf("%s, %v: want 2000", v, err)
		}
		if v, err := eval.Eval([]schema.Value{schema.IntValue(-1)}); err != nil || !v.IsNull() {
			t.Errorf("%s, %v: want null", v, err)
		}
	}
	if got := p.Functions(); len(got) != 1 || got[0] != "f" {
		t.Errorf("calls %v, want f", got)
	}
}
