package expr

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"

	"github.com/tidemark-io/tidemark/schema"
)

// Dialect names the meaning of expressions. It belongs into whatever pins a
// pipeline's results: another version of the library may mean something else.
const Dialect = "cel-go/0.33"

const (
	// MaxLength bounds the text of an expression, in bytes.
	MaxLength = 4096
	// MaxLetDepth bounds lets that use lets that use lets.
	MaxLetDepth = 32
	// MaxResultBytes bounds a string or bytes result, let by let: without it
	// a few lets (a + a, b + b, ...) take all memory.
	MaxResultBytes = 1 << 20
)

// Env is what an expression can name.
type Env struct {
	// Fields are the event's fields by path (schema.Schema.Paths gives all).
	Fields map[string]schema.Type
	// Lets are the programs compiled before; a let hides a field of its name.
	Lets map[string]*Program
	// Functions are the user's own, by the name that expressions call.
	Functions map[string]Function
}

// typeOf is the type of a name, a let or a field.
func (e Env) typeOf(name string) (schema.Type, bool) {
	if let, ok := e.Lets[name]; ok {
		return let.typ, true
	}
	t, ok := e.Fields[name]
	return t, ok
}

func (e Env) names() []string {
	all := slices.Collect(maps.Keys(e.Fields))
	all = slices.AppendSeq(all, maps.Keys(e.Lets))
	slices.Sort(all)
	return slices.Compact(all)
}

// Program is a compiled expression: immutable, safe for concurrent use.
type Program struct {
	source string
	typ    schema.Type
	plain  string              // the field that is the whole expression, else empty
	cel    cel.Program         // nil if plain
	tree   *ast.AST            // nil if plain
	slow   string              // what is not compiled, else empty
	calls  map[string]Function // that the expression calls
	direct map[string]schema.Type
	lets   map[string]*Program // that the expression names
	fields []string            // direct ones and those of lets
	depth  int                 // of lets
}

// Compile parses and type-checks an expression. Faults of its text are *Error,
// several of them joined (errors.Join).
//
// An expression that is only a field's path reads that field: its type stays
// (an enum its symbols, a timestamp its unit), and names that CEL reserves are
// fine. Int and double compare with each other by <, <=, > and >=; everything
// else wants like types. Nullable fields are CEL's wrapper types: compare them
// with null, or have an error where they are null.
func Compile(src string, env Env) (*Program, error) {
	if len(src) > MaxLength {
		return nil, &Error{Line: 1, Column: 1, Msg: fmt.Sprintf("%d characters, at most %d are allowed", len(src), MaxLength), Hint: "split it into lets"}
	}
	if name := strings.TrimSpace(src); name != "null" && name != "true" && name != "false" {
		if let, ok := env.Lets[name]; ok {
			return let, nil
		}
		if t, ok := env.Fields[name]; ok && t.Projectable() {
			return &Program{source: src, typ: t, plain: name, fields: []string{name}}, nil
		}
	}
	if err := CheckFunctions(env.Functions); err != nil {
		return nil, err
	}
	env = withDoubles(env)
	celEnv, err := newCEL(env)
	if err != nil {
		return nil, fmt.Errorf("prepare the expression language: %w", err)
	}
	checked, issues := compile(celEnv, src, env.Fields)
	if issues.Err() != nil {
		return nil, celErrors(src, issues, env)
	}
	p := &Program{source: src}
	if err := p.check(checked, env); err != nil {
		return nil, err
	}
	if err := p.link(checked.NativeRep(), env); err != nil {
		return nil, err
	}
	if p.cel, err = celEnv.Program(checked, cel.EvalOptions(cel.OptOptimize)); err != nil {
		return nil, &Error{Line: 1, Column: 1, Msg: err.Error()}
	}
	if err := p.plan(); err != nil {
		return nil, err
	}
	if err := p.tryConstant(); err != nil {
		return nil, err
	}
	return p, nil
}

// newCEL builds the environment: the standard library without macros, and a
// variable for each name.
func newCEL(env Env) (*cel.Env, error) {
	opts := []cel.EnvOption{
		cel.ClearMacros(),
		cel.CrossTypeNumericComparisons(true),
		cel.DefaultUTCTimeZone(true),
		cel.StrictTimestampParsing(true),
		cel.RegexProgramSizeLimit(10_000),
		cel.ASTValidators(cel.ValidateRegexLiterals(), cel.ValidateTimestampLiterals(), cel.ValidateDurationLiterals(), cel.ValidateHomogeneousAggregateLiterals()),
	}
	for _, name := range env.names() {
		t, _ := env.typeOf(name)
		if ct := celType(t); ct != nil {
			opts = append(opts, cel.Variable(name, ct))
		}
	}
	opts = append(opts, declareNulls()...)
	for name, f := range env.Functions {
		opts = append(opts, f.declare(name))
	}
	return cel.NewEnv(opts...)
}

// link notes which fields and lets the expression reads.
func (p *Program) link(checked *ast.AST, env Env) error {
	p.tree, p.direct, p.lets, p.calls = checked, map[string]schema.Type{}, map[string]*Program{}, map[string]Function{}
	ast.PreOrderVisit(checked.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() == ast.CallKind {
			if f, ok := env.Functions[e.AsCall().FunctionName()]; ok {
				p.calls[e.AsCall().FunctionName()] = f
			}
		}
	}))
	for _, ref := range checked.ReferenceMap() {
		if let, ok := env.Lets[ref.Name]; ok {
			p.lets[ref.Name] = let
			p.fields = append(p.fields, let.fields...)
			p.depth = max(p.depth, let.depth+1)
		} else if t, ok := env.Fields[ref.Name]; ok {
			p.direct[ref.Name] = t
			p.fields = append(p.fields, fieldOf(ref.Name))
		}
	}
	slices.Sort(p.fields)
	p.fields = slices.Compact(p.fields)
	if p.depth > MaxLetDepth {
		return &Error{Line: 1, Column: 1, Msg: fmt.Sprintf("lets build on lets more than %d deep", MaxLetDepth)}
	}
	return nil
}

// tryConstant evaluates an expression that reads no field: if it fails, it would
// for every event.
func (p *Program) tryConstant() error {
	if len(p.fields) > 0 {
		return nil
	}
	e, err := p.NewEval(func(string) int { return -1 })
	if err != nil {
		return err
	}
	if _, err := e.Eval(nil); err != nil {
		return &Error{Line: 1, Column: 1, Msg: "fails for every event: " + errors.Unwrap(err).Error()}
	}
	return nil
}

// Type is the type of the result. An expression's int is "long", its timestamp
// a "timestamp-micros"; a plain field keeps its own type.
func (p *Program) Type() schema.Type { return p.typ }

// Fields are the event fields that the expression reads, directly and through
// lets, sorted.
func (p *Program) Fields() []string { return slices.Clone(p.fields) }

// Source is the expression's text.
func (p *Program) Source() string { return p.source }

// Plain reports that the expression is a field and nothing else: it is read
// without the interpreter.
func (p *Program) Plain() bool { return p.plain != "" }

// Functions are the names of the user's functions that the expression calls
// itself, not through lets, sorted.
func (p *Program) Functions() []string { return slices.Sorted(maps.Keys(p.calls)) }
