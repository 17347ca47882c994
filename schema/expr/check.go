package expr

import (
	"errors"
	"fmt"
	"slices"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"

	"github.com/tidemark-io/tidemark/schema"
)

// celType is how a field or let is declared to CEL; nil if it can't be used.
func celType(t schema.Type) *cel.Type {
	if !t.Projectable() || t.Logical == "decimal" {
		return nil // bytes of a decimal would compare as bytes: wrong for numbers
	}
	var out *cel.Type
	switch t.Kind {
	case schema.KindNull:
		return cel.NullType
	case schema.KindBool:
		out = cel.BoolType
	case schema.KindInt:
		if perSecond(t) > 0 {
			return cel.TimestampType // takes null by itself
		}
		out = cel.IntType
	case schema.KindFloat:
		out = cel.DoubleType
	case schema.KindString:
		out = cel.StringType
	case schema.KindBytes:
		out = cel.BytesType
	}
	if t.Nullable {
		return cel.NullableType(out)
	}
	return out
}

// perSecond is the unit of an instant, or 0 for other types.
func perSecond(t schema.Type) int64 {
	switch t.Logical {
	case "timestamp-millis":
		return 1_000
	case "timestamp-micros":
		return 1_000_000
	case "timestamp-nanos":
		return 1_000_000_000
	}
	return 0
}

// resultType is the type of a result of CEL; ok is false for what can't be one.
func resultType(t *cel.Type) (out schema.Type, ok bool) {
	switch t.Kind() {
	case types.BoolKind:
		out = schema.Type{Kind: schema.KindBool, Avro: "boolean"}
	case types.IntKind:
		out = schema.Type{Kind: schema.KindInt, Avro: "long"}
	case types.DoubleKind:
		out = schema.Type{Kind: schema.KindFloat, Avro: "double"}
	case types.StringKind:
		out = schema.Type{Kind: schema.KindString, Avro: "string"}
	case types.BytesKind:
		out = schema.Type{Kind: schema.KindBytes, Avro: "bytes"}
	case types.TimestampKind:
		out = schema.Type{Kind: schema.KindInt, Avro: "long", Logical: "timestamp-micros"}
	default:
		return out, false
	}
	return out, true
}

// check applies what CEL's own checker doesn't know, and sets the result type.
func (p *Program) check(checked *cel.Ast, env Env) error {
	a := checked.NativeRep()
	c := checker{ast: a, env: env}
	ast.PreOrderVisit(a.Expr(), ast.NewExprVisitor(c.visit))
	out, ok := resultType(checked.OutputType())
	if !ok {
		c.faults = append(c.faults, &Error{Line: 1, Column: 1, Msg: "the result is " + typeName(checked.OutputType().String()), Hint: "an expression must give a bool, int, double, string, bytes or timestamp"})
	}
	out.Nullable = c.nullable(a.Expr())
	p.typ = out
	return errors.Join(c.faults...)
}

type checker struct {
	ast    *ast.AST
	env    Env
	faults []error
}

func (c *checker) fault(id int64, msg, hint string) {
	at := c.ast.SourceInfo().GetStartLocation(id)
	c.faults = append(c.faults, &Error{Line: max(at.Line(), 1), Column: max(at.Column(), 0) + 1, Msg: msg, Hint: hint})
}

func (c *checker) visit(e ast.Expr) {
	if e.Kind() != ast.CallKind {
		return
	}
	call := e.AsCall()
	switch call.FunctionName() {
	case operators.Equals, operators.NotEquals:
		args := call.Args()
		c.symbols(args[0], args[1])
		c.symbols(args[1], args[0])
	case operators.In:
		if args := call.Args(); args[1].Kind() == ast.ListKind {
			for _, item := range args[1].AsList().Elements() {
				c.symbols(args[0], item)
			}
		}
	case "getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear",
		"getHours", "getMinutes", "getSeconds", "getMilliseconds":
		if args := call.Args(); len(args) == 1 {
			c.zone(args[0])
		}
	}
}

// symbols checks an enum against a literal: a misspelt symbol never equals, and
// nobody would be told.
func (c *checker) symbols(field, literal ast.Expr) {
	if literal.Kind() != ast.LiteralKind {
		return
	}
	text, ok := literal.AsLiteral().Value().(string)
	t, known := c.typeOf(field)
	if !ok || !known || t.Avro != "enum" || slices.Contains(t.Symbols, text) {
		return
	}
	hint := fmt.Sprintf("its symbols are %v", t.Symbols)
	if s := schema.Suggest(text, t.Symbols); s != "" {
		hint = fmt.Sprintf("did you mean %q?", s)
	}
	c.fault(literal.ID(), fmt.Sprintf("the enum has no symbol %q", text), hint)
}

// zone refuses names of zones: their rules come from the machine's database and
// change with it, and with them the result of a window computed last year.
func (c *checker) zone(arg ast.Expr) {
	if arg.Kind() == ast.LiteralKind {
		if text, ok := arg.AsLiteral().Value().(string); ok {
			if _, fixed := zoneOffset(text); fixed {
				return
			}
		}
	}
	c.fault(arg.ID(), "a time zone must be a fixed offset", `write an offset like '-05:00'; the rules of named zones change over time`)
}

// typeOf is the declared type of an expression that is a name.
func (c *checker) typeOf(e ast.Expr) (schema.Type, bool) {
	return c.env.typeOf(c.name(e))
}

// nullable reports whether the expression can be null. CEL gives a conditional
// the type of one branch, so `c ? 1 : x` is int to it, however null x may be.
func (c *checker) nullable(e ast.Expr) bool {
	if e.Kind() == ast.CallKind && e.AsCall().FunctionName() == operators.Conditional {
		args := e.AsCall().Args()
		then, other := c.tested(args[0])
		return !c.same(args[1], then) && c.nullable(args[1]) || !c.same(args[2], other) && c.nullable(args[2])
	}
	if e.Kind() == ast.CallKind {
		if f, ok := c.env.Functions[e.AsCall().FunctionName()]; ok {
			return f.Result.Nullable // of a timestamp CEL's type doesn't say it
		}
	}
	if t, ok := c.typeOf(e); ok {
		return t.Nullable || t.Kind == schema.KindNull
	}
	t := c.ast.GetType(e.ID())
	return t.Kind() == types.NullTypeKind || t.Kind() == types.DynKind || isWrapper(t)
}

// tested gives the name that a condition `x != null` keeps from being null in
// the first branch, or `x == null` in the second.
func (c *checker) tested(cond ast.Expr) (then, other string) {
	if cond.Kind() != ast.CallKind {
		return "", ""
	}
	call := cond.AsCall()
	if f := call.FunctionName(); f != operators.NotEquals && f != operators.Equals {
		return "", ""
	}
	x, null := call.Args()[0], call.Args()[1]
	if c.isNull(x) {
		x, null = null, x
	}
	if !c.isNull(null) {
		return "", ""
	}
	if call.FunctionName() == operators.NotEquals {
		return c.name(x), ""
	}
	return "", c.name(x)
}

func (c *checker) isNull(e ast.Expr) bool {
	return e.Kind() == ast.LiteralKind && e.AsLiteral() == types.NullValue
}

// name is the field or let that e is, or empty.
func (c *checker) name(e ast.Expr) string {
	if ref, ok := c.ast.ReferenceMap()[e.ID()]; ok {
		return ref.Name
	}
	return ""
}

func (c *checker) same(e ast.Expr, name string) bool { return name != "" && c.name(e) == name }

func isWrapper(t *cel.Type) bool {
	return t.Kind() != types.TimestampKind && t.IsAssignableType(cel.NullType)
}
