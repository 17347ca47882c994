package expr

import (
	"fmt"
	"unicode/utf8"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/decls"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/tidemark-io/tidemark/schema"
)

// functionNode calls a function of the user's. It is called for each event, of
// constant arguments too.
func functionNode(name string, f Function, args []node) (node, error) {
	if len(args) != len(f.Args) {
		return node{}, unsupported(fmt.Sprintf("%s() with %d arguments", name, len(args)))
	}
	units := make([]int64, len(args))
	for i, a := range args {
		if a.kind != kindNull && !a.storable() {
			return node{}, unsupported(fmt.Sprintf("%s() of %s", name, a.kind))
		}
		units[i] = max(perSecond(f.Args[i]), 1)
	}
	buffer := make([]schema.Value, len(args)) // an Eval belongs to one goroutine
	var result schema.Value
	read := func(r *run) (*schema.Value, state) {
		for i := range args {
			if args[i].store(r, &buffer[i], units[i]) == failed {
				return nil, failed
			}
		}
		v, why := f.invoke(name, buffer)
		if why != nil {
			return nil, r.fail(why)
		}
		result = v
		return &result, stateAs(&result, f.Result.Kind)
	}
	return resultNode(name, f.Result, read)
}

// resultNode gives what a function computes as a node of its kind.
func resultNode(name string, t schema.Type, read reader[*schema.Value]) (node, error) {
	switch {
	case t.Kind == schema.KindBool:
		return boolNode(letReader(read, (*schema.Value).Bool)), nil
	case t.Kind == schema.KindInt && perSecond(t) > 0:
		return timeNode(letInstant(name+"()", read, perSecond(t))), nil
	case t.Kind == schema.KindInt:
		return intNode(letReader(read, (*schema.Value).Int)), nil
	case t.Kind == schema.KindFloat:
		return doubleNode(letReader(read, (*schema.Value).Float)), nil
	case t.Kind == schema.KindString:
		return textNode(kindString, letReader(read, textOf)), nil
	case t.Kind == schema.KindBytes:
		return textNode(kindBytes, letReader(read, textOf)), nil
	}
	return node{}, unsupported(fmt.Sprintf("%s(), which gives %s", name, t))
}

// invoke calls f, which must keep its promises: a result of its type, a text in
// UTF-8 and of a length that is allowed, no panic.
func (f Function) invoke(name string, args []schema.Value) (out schema.Value, why *fault) {
	for i := range args {
		if args[i].IsNull() && !f.Args[i].Nullable {
			return out, &fault{text: fmt.Sprintf("%s(): argument %d is null", name, i+1)}
		}
	}
	defer func() {
		if p := recover(); p != nil {
			out, why = schema.Value{}, &fault{text: fmt.Sprintf("%s() panicked: %v", name, p)}
		}
	}()
	out, err := f.Call(args)
	switch {
	case err != nil:
		return schema.Value{}, &fault{text: fmt.Sprintf("%s(): %v", name, err)}
	case out.IsNull() && !f.Result.Nullable:
		return out, &fault{text: fmt.Sprintf("%s() gave null, and promises %s", name, f.Result)}
	case !out.IsNull() && out.Kind != f.Result.Kind:
		return out, &fault{text: fmt.Sprintf("%s() gave %s, and promises %s", name, out.Kind, f.Result)}
	case len(out.Bytes) > MaxResultBytes:
		return out, &fault{text: fmt.Sprintf("%s() gave %d bytes, at most %d are allowed", name, len(out.Bytes), MaxResultBytes)}
	case out.Kind == schema.KindString && !utf8.Valid(out.Bytes):
		return out, &fault{text: fmt.Sprintf("%s() gave a string that is no UTF-8", name)}
	}
	return out, nil
}

// declare gives the function to CEL's checker and evaluator.
func (f Function) declare(name string) cel.EnvOption {
	args := make([]*cel.Type, len(f.Args))
	for i, t := range f.Args {
		args[i] = celType(t)
	}
	binding := cel.FunctionBinding(func(vals ...ref.Val) ref.Val {
		row := make([]schema.Value, len(vals))
		for i, v := range vals {
			var err error
			if row[i], err = argument(v, f.Args[i]); err != nil {
				return types.WrapErr(err)
			}
		}
		out, why := f.invoke(name, row)
		if why != nil {
			return types.WrapErr(why)
		}
		return toCEL(out, f.Result, name+"()")
	})
	return cel.Function(name, decls.DisableTypeGuards(true), cel.Overload("tidemark_"+name, args, celType(f.Result), binding))
}

// argument takes a value of CEL's for a function.
func argument(v ref.Val, t schema.Type) (schema.Value, error) {
	switch v := v.(type) {
	case types.Null:
		return schema.Value{}, nil
	case types.Timestamp:
		n, ok := ofTime(v.Time).in(max(perSecond(t), 1))
		if !ok {
			return schema.Value{}, faultNanos
		}
		return schema.IntValue(n), nil
	}
	return fromCEL(v, t)
}
