package aggregates

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/window"
)

// TestCalls reads testdata/calls: what calls come to, cell and type of the result, or the error that a user sees. With
// -rewrite it writes it.
func TestCalls(t *testing.T) {
	types := map[string]schema.Type{
		"bool": boolType, "long": longType, "double": doubleType, "string": stringType, "bytes": bytesType, "time": timeType,
		"decimal": decimalType, "wide": wideType,
		"enum":   {Kind: schema.KindString, Avro: "enum", Symbols: []string{"A", "B"}},
		"fixed":  {Kind: schema.KindBytes, Avro: "fixed", Size: 4},
		"date":   {Kind: schema.KindInt, Avro: "int", Logical: "date"},
		"record": {Kind: schema.KindNull, Avro: "record"},
		"digits": {Kind: schema.KindBytes, Avro: "bytes", Logical: "decimal", Precision: 5000, Scale: 2},
	}
	datadriven.RunTest(t, "testdata/calls", func(t *testing.T, d *datadriven.TestData) string {
		var out strings.Builder
		for line := range strings.Lines(d.Input) {
			words := strings.Fields(line)
			var params []window.Literal
			for _, w := range words[2:] {
				params = append(params, literal(t, w))
			}
			i := slices.IndexFunc(Definitions(), func(def window.Definition) bool { return def.Name == words[0] })
			agg, err := Definitions()[i].New(types[words[1]], params)
			if err != nil {
				fmt.Fprintf(&out, "%s: error: %v\n", strings.TrimSpace(line), err)
				continue
			}
			typ := agg.Result()
			fmt.Fprintf(&out, "%s: %v %s cell %q\n", strings.TrimSpace(line), typ, typ.Raw, agg.Cell())
		}
		return out.String()
	})
}

// literal reads 3, 0.5, 'text', true, or a list [1,2].
func literal(t *testing.T, w string) window.Literal {
	t.Helper()
	if inner, ok := strings.CutPrefix(w, "["); ok {
		l := window.Literal{Kind: window.LiteralList}
		for _, part := range strings.FieldsFunc(strings.TrimSuffix(inner, "]"), func(r rune) bool { return r == ',' }) {
			l.List = append(l.List, literal(t, part))
		}
		return l
	}
	if text, ok := strings.CutPrefix(w, "'"); ok {
		return window.Literal{Kind: window.LiteralText, Text: strings.TrimSuffix(text, "'")}
	}
	if w == "true" {
		return window.Literal{Kind: window.LiteralBool, Bool: true}
	}
	if i, err := strconv.ParseInt(w, 10, 64); err == nil {
		return whole(i)
	}
	f, err := strconv.ParseFloat(w, 64)
	if err != nil {
		t.Fatal(err)
	}
	return number(f)
}
