package expr

import (
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"

	"github.com/tidemark-io/tidemark/schema"
)

// CEL wants like types in both branches of a conditional, and null has a type of its own, so `c ? x : null` would be
// refused. It is what one writes for "x, if c" though, and aggregates skip null. So such a null becomes a name of the other
// branch's type that can be null, and always is.

// nullName is the beginning of those names. No text can say it: it is no identifier.
const nullName = "@null"

// nullTypes are the types of such names.
var nullTypes = map[types.Kind]struct {
	name string
	typ  *cel.Type
	node func() node
}{
	types.BoolKind:   {nullName + "_bool", cel.NullableType(cel.BoolType), func() node { return boolNode(alwaysNull[bool]) }},
	types.IntKind:    {nullName + "_int", cel.NullableType(cel.IntType), func() node { return intNode(alwaysNull[int64]) }},
	types.DoubleKind: {nullName + "_double", cel.NullableType(cel.DoubleType), func() node { return doubleNode(alwaysNull[float64]) }},
	types.StringKind: {nullName + "_string", cel.NullableType(cel.StringType), func() node { return textNode(kindString, alwaysNull[[]byte]) }},
	types.BytesKind:  {nullName + "_bytes", cel.NullableType(cel.BytesType), func() node { return textNode(kindBytes, alwaysNull[[]byte]) }},
}

func alwaysNull[T any](*run) (zero T, s state) { return zero, null }

// nullNode is the node of such a name.
func nullNode(name string) (node, bool) {
	for _, t := range nullTypes {
		if t.name == name {
			return t.node(), true
		}
	}
	return node{}, false
}

// declareNulls are the names, and one of a type that isn't known yet.
func declareNulls() []cel.EnvOption {
	opts := []cel.EnvOption{cel.Variable(nullName, cel.DynType)}
	for _, t := range nullTypes {
		opts = append(opts, cel.Variable(t.name, t.typ))
	}
	return opts
}

// compile parses and checks a text. The nulls of conditionals get the types of the other branches, from the inside out: as
// many rounds as there are nulls, which the length of a text bounds.
func compile(env *cel.Env, src string, fields map[string]schema.Type) (*cel.Ast, *cel.Issues) {
	parsed, issues := env.Parse(src)
	if issues.Err() != nil {
		return nil, issues
	}
	nameDoubles(parsed.NativeRep().Expr(), fields)
	open := openNulls(parsed.NativeRep().Expr())
	if len(open) == 0 {
		return env.Check(parsed)
	}
	rename(open, nullName)
	for len(open) > 0 {
		checked, issues := env.Check(parsed)
		if issues.Err() != nil {
			return nil, issues
		}
		var left []nullBranch
		for _, b := range open {
			t := checked.NativeRep().GetType(b.other.ID())
			known, ok := nullTypes[kindOfType(t)]
			if t.Kind() == types.DynKind {
				left = append(left, b)
				continue
			}
			if ok {
				rename([]nullBranch{b}, known.name)
				continue
			}
			b.null.SetKindCase(ast.NewExprFactory().NewLiteral(b.null.ID(), types.NullValue)) // a timestamp takes null as it is
		}
		if len(left) == len(open) {
			for _, b := range left {
				b.null.SetKindCase(ast.NewExprFactory().NewLiteral(b.null.ID(), types.NullValue))
			}
			left = nil
		}
		open = left
	}
	return env.Check(parsed)
}

// kindOfType is the kind of a type, or of what a wrapper wraps.
func kindOfType(t *cel.Type) types.Kind {
	for kind, n := range nullTypes {
		if t.IsExactType(n.typ) {
			return kind
		}
	}
	return t.Kind()
}

// nullBranch is a null in a conditional, and the branch beside it.
type nullBranch struct{ null, other ast.Expr }

// openNulls finds the conditionals of which one branch is null, the inner ones first.
func openNulls(e ast.Expr) (found []nullBranch) {
	isNull := func(e ast.Expr) bool { return e.Kind() == ast.LiteralKind && e.AsLiteral() == types.NullValue }
	ast.PostOrderVisit(e, ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() != ast.CallKind || e.AsCall().FunctionName() != operators.Conditional {
			return
		}
		then, other := e.AsCall().Args()[1], e.AsCall().Args()[2]
		switch {
		case isNull(then) && isNull(other):
		case isNull(then):
			found = append(found, nullBranch{then, other})
		case isNull(other):
			found = append(found, nullBranch{other, then})
		}
	}))
	return found
}

func rename(nulls []nullBranch, name string) {
	for _, b := range nulls {
		b.null.SetKindCase(ast.NewExprFactory().NewIdent(b.null.ID(), name))
	}
}

// isNullName reports whether a name stands for a null.
func isNullName(name string) bool { return strings.HasPrefix(name, nullName) }
