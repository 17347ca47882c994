package expr

import (
	"fmt"
	"strconv"
	"testing"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/parser"
	celexpr "cel.dev/expr"
	conformance "cel.dev/expr/conformance/test"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/tidemark-io/tidemark/schema"
)

// newSubject takes a case, or says why the dialect has no place for it.
func newSubject(test *conformance.SimpleTest) (*subject, string) {
	switch {
	case test.GetDisableCheck():
		return nil, "unchecked"
	case test.GetCheckOnly():
		return nil, "checked only"
	case test.GetContainer() != "":
		return nil, "containers"
	case test.GetUnknown() != nil || test.GetAnyUnknowns() != nil:
		return nil, "unknowns"
	}
	s := &subject{src: test.GetExpr(), env: Env{Fields: map[string]schema.Type{}, Lets: map[string]*Program{}}}
	for _, decl := range test.GetTypeEnv() {
		if decl.GetIdent() == nil {
			return nil, "functions of extensions"
		}
		bound, ok := test.GetBindings()[decl.GetName()]
		if !ok {
			return nil, "names without a value"
		}
		t, v, ok := scalar(bound.GetValue())
		if !ok {
			return nil, "variables that are no scalars"
		}
		s.add(decl.GetName(), t, v)
	}
	switch {
	case test.GetEvalError() != nil || test.GetAnyEvalErrors() != nil:
		s.fails = true
		return s, ""
	case test.GetTypedResult().GetResult() != nil:
		return s.expect(test.GetTypedResult().GetResult())
	case test.GetValue() == nil:
		s.want = schema.BoolValue(true)
		return s, ""
	}
	return s.expect(test.GetValue())
}

// expect sets what the expression must give; what can't be a result is compared
// within the expression.
func (s *subject) expect(v *celexpr.Value) (*subject, string) {
	switch k := v.GetKind().(type) {
	case *celexpr.Value_NullValue:
		s.src, s.want = "("+s.src+") == null", schema.BoolValue(true)
		return s, ""
	case *celexpr.Value_Uint64Value:
		s.src, s.want = fmt.Sprintf("(%s) == %du", s.src, k.Uint64Value), schema.BoolValue(true)
		return s, ""
	case *celexpr.Value_ObjectValue:
		if d, ok := unpack(k.ObjectValue).(*durationpb.Duration); ok {
			s.src, s.want = fmt.Sprintf("(%s) == duration('%dns')", s.src, d.AsDuration().Nanoseconds()), schema.BoolValue(true)
			return s, ""
		}
	}
	_, want, ok := scalar(v)
	if !ok {
		return nil, "a result that is no scalar"
	}
	s.want = want
	return s, ""
}

func unpack(packed *anypb.Any) any {
	m, err := packed.UnmarshalNew()
	if err != nil {
		return nil
	}
	return m
}

// scalar is a value of CEL as a field's.
func scalar(v *celexpr.Value) (schema.Type, schema.Value, bool) {
	switch k := v.GetKind().(type) {
	case *celexpr.Value_BoolValue:
		return schema.Type{Kind: schema.KindBool, Avro: "boolean"}, schema.BoolValue(k.BoolValue), true
	case *celexpr.Value_Int64Value:
		return schema.Type{Kind: schema.KindInt, Avro: "long"}, schema.IntValue(k.Int64Value), true
	case *celexpr.Value_DoubleValue:
		return schema.Type{Kind: schema.KindFloat, Avro: "double"}, schema.FloatValue(k.DoubleValue), true
	case *celexpr.Value_StringValue:
		return schema.Type{Kind: schema.KindString, Avro: "string"}, schema.StringValue([]byte(k.StringValue)), true
	case *celexpr.Value_BytesValue:
		return schema.Type{Kind: schema.KindBytes, Avro: "bytes"}, schema.BytesValue(k.BytesValue), true
	case *celexpr.Value_ObjectValue:
		if at, ok := unpack(k.ObjectValue).(*timestamppb.Timestamp); ok {
			return schema.Type{Kind: schema.KindInt, Avro: "long", Logical: "timestamp-micros"}, schema.IntValue(at.AsTime().UnixMicro()), true
		}
	}
	return schema.Type{}, schema.Value{}, false
}

// lift replaces the literals of the expression by fields that hold them.
func (s *subject) lift(t *testing.T) (*subject, bool) {
	t.Helper()
	env, err := cel.NewEnv(cel.ClearMacros())
	if err != nil {
		t.Fatal(err)
	}
	parsed, issues := env.Parse(s.src)
	if issues.Err() != nil {
		return nil, false
	}
	lifted := &subject{env: Env{Fields: map[string]schema.Type{}, Lets: s.env.Lets}, want: s.want, fails: s.fails}
	for i, name := range s.fields {
		lifted.add(name, s.env.Fields[name], s.row[i])
	}
	tree := parsed.NativeRep()
	made := ast.NewExprFactory()
	ast.PostOrderVisit(tree.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() != ast.LiteralKind {
			return
		}
		name := "lifted" + strconv.Itoa(len(lifted.fields))
		switch v := e.AsLiteral().(type) {
		case types.Bool:
			lifted.add(name, schema.Type{Kind: schema.KindBool, Avro: "boolean"}, schema.BoolValue(bool(v)))
		case types.Int:
			lifted.add(name, schema.Type{Kind: schema.KindInt, Avro: "long"}, schema.IntValue(int64(v)))
		case types.Double:
			lifted.add(name, schema.Type{Kind: schema.KindFloat, Avro: "double"}, schema.FloatValue(float64(v)))
		case types.String:
			lifted.add(name, schema.Type{Kind: schema.KindString, Avro: "string"}, schema.StringValue([]byte(v)))
		case types.Bytes:
			lifted.add(name, schema.Type{Kind: schema.KindBytes, Avro: "bytes"}, schema.BytesValue(v))
		default:
			return
		}
		e.SetKindCase(made.NewIdent(e.ID(), name))
	}))
	if lifted.src, err = parser.Unparse(tree.Expr(), tree.SourceInfo()); err != nil {
		return nil, false
	}
	return lifted, len(lifted.fields) > len(s.fields)
}
