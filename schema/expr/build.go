package expr

import (
	"fmt"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
)

// unsupported is what an expression uses that is not compiled.
type unsupported string

func (u unsupported) Error() string { return string(u) }

// builder turns a checked tree into nodes, for one Eval: names are bound to
// its rows and lets.
type builder struct {
	tree      *ast.AST
	name      func(name string) (node, error) // a field or let
	functions map[string]Function
}

// build gives the node of e, or what it uses that is not compiled.
func (b *builder) build(e ast.Expr) (node, error) {
	if ref, ok := b.tree.ReferenceMap()[e.ID()]; ok && ref.Name != "" && e.Kind() != ast.CallKind {
		if ref.Value != nil {
			return literal(ref.Value)
		}
		if n, ok := nullNode(ref.Name); ok {
			return n, nil
		}
		return b.name(ref.Name)
	}
	switch e.Kind() {
	case ast.LiteralKind:
		return literal(e.AsLiteral())
	case ast.CallKind:
		return b.call(e.AsCall())
	case ast.ListKind:
		return node{}, unsupported("a list outside of `in`")
	case ast.MapKind:
		return node{}, unsupported("a map")
	}
	return node{}, unsupported("a part that is no operator, function or name")
}

func (b *builder) all(exprs []ast.Expr) ([]node, error) {
	nodes := make([]node, len(exprs))
	for i, e := range exprs {
		var err error
		if nodes[i], err = b.build(e); err != nil {
			return nil, err
		}
	}
	return nodes, nil
}

func (b *builder) call(call ast.CallExpr) (node, error) {
	name, exprs := call.FunctionName(), call.Args()
	switch name {
	case operators.LogicalAnd, operators.LogicalOr:
		return b.logic(name, call)
	case operators.In:
		return b.in(exprs[0], exprs[1])
	}
	if call.IsMemberFunction() {
		exprs = append([]ast.Expr{call.Target()}, exprs...)
	}
	args, err := b.all(exprs)
	if err != nil {
		return node{}, err
	}
	if f, ok := b.functions[name]; ok {
		return functionNode(name, f, args)
	}
	n, err := operation(name, args)
	if err == nil && constants(args) {
		n = fold(n)
	}
	return n, err
}

func constants(args []node) bool {
	for _, a := range args {
		if !a.constant && a.kind != kindNull {
			return false
		}
	}
	return true
}

// operation builds an operator or function of CEL's over its operands.
func operation(name string, args []node) (node, error) {
	if len(args) == 0 {
		return node{}, unsupported(name + "()")
	}
	switch name {
	case operators.LogicalNot:
		if args[0].kind == kindBool {
			return boolNode(not(args[0])), nil
		}
	case operators.Equals, operators.NotEquals:
		if n, ok := equality(args[0], args[1], name == operators.NotEquals); ok {
			return n, nil
		}
	case operators.Conditional:
		if n, ok := choose(args[0], args[1], args[2]); ok {
			return n, nil
		}
	case operators.Index:
		return node{}, unsupported("[]")
	case "matches":
		return matches(args)
	}
	for _, family := range []func(string, []node) (node, bool){order, arithmetic, arithmeticOfTimes, texts, convert, calendar} {
		if n, ok := family(name, args); ok {
			return n, nil
		}
	}
	return node{}, unsupported(operationName(name, args))
}

// operationName shows `+ of int and null`, `string() of timestamp`.
func operationName(name string, args []node) string {
	shown := operatorName(name)
	if shown == name {
		shown += "()"
	}
	for i, a := range args {
		if i == 0 {
			shown += " of "
		} else {
			shown += " and "
		}
		shown += a.kind.String()
		if a.zoned {
			shown += " with an offset"
		}
	}
	return shown
}

// logic flattens a && b && c: it is one run over three terms.
func (b *builder) logic(name string, call ast.CallExpr) (node, error) {
	var terms []node
	constant := true
	var collect func(args []ast.Expr) error
	collect = func(args []ast.Expr) error {
		for _, e := range args {
			if e.Kind() == ast.CallKind && e.AsCall().FunctionName() == name {
				if err := collect(e.AsCall().Args()); err != nil {
					return err
				}
				continue
			}
			n, err := b.build(e)
			if err != nil {
				return err
			}
			if n.kind != kindBool {
				return unsupported(fmt.Sprintf("%s of %s", operatorName(name), n.kind))
			}
			constant = constant && n.constant
			terms = append(terms, n)
		}
		return nil
	}
	if err := collect(call.Args()); err != nil {
		return node{}, err
	}
	n := boolNode(and(terms))
	if name == operators.LogicalOr {
		n = boolNode(or(terms))
	}
	if constant {
		n = fold(n)
	}
	return n, nil
}

// in wants a list written out.
func (b *builder) in(x, list ast.Expr) (node, error) {
	if list.Kind() != ast.ListKind {
		return node{}, unsupported("in without a list written out")
	}
	item, err := b.build(x)
	if err != nil {
		return node{}, err
	}
	items, err := b.all(list.AsList().Elements())
	if err != nil {
		return node{}, err
	}
	n, ok := member(item, items)
	if !ok {
		return node{}, unsupported(fmt.Sprintf("in of %s and such a list", item.kind))
	}
	if item.constant && constants(items) {
		n = fold(n)
	}
	return n, nil
}
