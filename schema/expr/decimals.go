package expr

import (
	"maps"
	"math/big"
	"strings"

	"cel.dev/cel-go/common/ast"

	"github.com/tidemark-io/tidemark/schema"
)

// CEL has no decimals, and a decimal's bytes compare as bytes, so expressions take none. double(x) of a decimal field is
// the nearest double, though: that call becomes a name of its own, which stands for the field in that form.

const doubleName = "@double "

// withDoubles adds those names for the decimal fields.
func withDoubles(env Env) Env {
	var fields map[string]schema.Type
	for path, t := range env.Fields {
		if !t.Decimal() {
			continue
		}
		if fields == nil {
			fields = maps.Clone(env.Fields)
		}
		fields[doubleName+path] = schema.Type{Kind: schema.KindFloat, Avro: "double", Nullable: t.Nullable, Precision: t.Precision, Scale: t.Scale}
	}
	if fields != nil {
		env.Fields = fields
	}
	return env
}

// fieldOf is the field that a name stands for.
func fieldOf(name string) string { return strings.TrimPrefix(name, doubleName) }

// nameDoubles turns double(x) of decimal fields into their names.
func nameDoubles(e ast.Expr, fields map[string]schema.Type) {
	ast.PostOrderVisit(e, ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() != ast.CallKind {
			return
		}
		call := e.AsCall()
		if call.FunctionName() != "double" || call.IsMemberFunction() || len(call.Args()) != 1 {
			return
		}
		if name := doubleName + pathOf(call.Args()[0]); fields[name].Precision > 0 {
			e.SetKindCase(ast.NewExprFactory().NewIdent(e.ID(), name))
		}
	}))
}

// pathOf is the dotted path that an expression writes, or empty.
func pathOf(e ast.Expr) string {
	switch e.Kind() {
	case ast.IdentKind:
		return e.AsIdent()
	case ast.SelectKind:
		if base := pathOf(e.AsSelect().Operand()); base != "" {
			return base + "." + e.AsSelect().FieldName()
		}
	}
	return ""
}

// doubleOf is the double nearest to a decimal: big-endian two's complement of the digits.
func doubleOf(digits []byte, scale int) float64 {
	n := new(big.Int).SetBytes(digits)
	if len(digits) > 0 && digits[0] >= 0x80 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(digits))))
	}
	ten := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil)
	f, _ := new(big.Rat).SetFrac(n, ten).Float64()
	return f
}
