package nexmark

import (
	"bytes"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/schema/expr"
)

var (
	text  = schema.Type{Kind: schema.KindString, Avro: "string"}
	long  = schema.Type{Kind: schema.KindInt, Avro: "long"}
	truth = schema.Type{Kind: schema.KindBool, Avro: "boolean"}
)

// functions are what Nexmark's queries call that CEL hasn't: a Go program gives them to pipeline.LoadWith.
var functions = map[string]expr.Function{
	"count_char": {Args: []schema.Type{text, text}, Result: long, Call: func(args []schema.Value) (schema.Value, error) {
		return schema.IntValue(int64(bytes.Count(args[0].Bytes, args[1].Bytes))), nil
	}},
	// split_index is Flink's: the n-th part, from 0, or "".
	"split_index": {Args: []schema.Type{text, text, long}, Result: text, Call: func(args []schema.Value) (schema.Value, error) {
		parts := bytes.Split(args[0].Bytes, args[1].Bytes)
		if n := args[2].Int(); n >= 0 && n < int64(len(parts)) {
			return schema.StringValue(parts[n]), nil
		}
		return schema.StringValue(nil), nil
	}},
	// url_parameter is the value of a parameter behind the question mark, or "".
	"url_parameter": {Args: []schema.Type{text, text}, Result: text, Call: func(args []schema.Value) (schema.Value, error) {
		_, query, _ := bytes.Cut(args[0].Bytes, []byte("?"))
		for part := range bytes.SplitSeq(query, []byte("&")) {
			if name, value, ok := bytes.Cut(part, []byte("=")); ok && bytes.Equal(name, args[1].Bytes) {
				return schema.StringValue(value), nil
			}
		}
		return schema.StringValue(nil), nil
	}},
	"only_if": {Args: []schema.Type{truth, long}, Result: schema.Type{Kind: schema.KindInt, Avro: "long", Nullable: true},
		Call: func(args []schema.Value) (schema.Value, error) {
			if args[0].Bool() {
				return args[1], nil
			}
			return schema.NullValue(), nil
		}},
}
