package expr

import (
	"strings"
	"testing"

	"github.com/tidemark-io/tidemark/schema"
)

// double(x) of a decimal field is the nearest double, in both engines, nulls included; nothing else takes a decimal.
func TestDoublesOfDecimals(t *testing.T) {
	decimal := schema.Type{Kind: schema.KindBytes, Avro: "bytes", Logical: "decimal", Precision: 30, Scale: 2}
	maybe := decimal
	maybe.Nullable = true
	env := Env{Fields: map[string]schema.Type{"amount": decimal, "a.tax": decimal, "fee": maybe}}
	names := []string{"amount", "a.tax", "fee"}
	row := []schema.Value{schema.BytesValue([]byte{0xff, 0x85}), schema.BytesValue([]byte{0x30, 0x39}), schema.NullValue()} // -1.23, 123.45, null
	for src, want := range map[string]string{
		"double(amount)": "-1.23", "double(amount) > 0.0": "false", "double(amount) * 2.0": "-2.46", "double(a.tax) + double(amount)": "122.22",
		"double(fee) == null": "true", "double(fee) == null ? 0.0 : double(fee)": "0", "double(amount) < 0.0 ? null : double(amount)": "null",
		"double(7)": "7", "double(fee) > 1.0": "failed",
	} {
		p, err := Compile(src, env)
		if err != nil {
			t.Errorf("%s: %v", src, err)
			continue
		}
		if p.Interpreted() {
			t.Errorf("%s: %s", src, p.Cost())
		}
		for _, f := range p.Fields() {
			if strings.HasPrefix(f, "@") {
				t.Errorf("%s reads %q", src, f)
			}
		}
		e, err := p.NewEval(func(name string) int {
			for i, n := range names {
				if n == name {
					return i
				}
			}
			return -1
		})
		if err != nil {
			t.Fatal(err)
		}
		shown := "failed"
		if got, err := e.Eval(row); err == nil {
			shown = got.String()
		}
		interpreted := "failed"
		var v schema.Value
		if e.run.row = row; e.interpret(&v) != failed {
			interpreted = v.String()
		}
		if shown != want || interpreted != want {
			t.Errorf("%s = %s, interpreted %s; want %s", src, shown, interpreted, want)
		}
	}
	for _, src := range []string{"amount > 0", "amount == null", "double(amount) > 0 && amount != null"} {
		if _, err := Compile(src, env); err == nil || !strings.Contains(err.Error(), "write double(amount)") {
			t.Errorf("%s: %v", src, err)
		}
	}
	if _, err := Compile("amonut > 0", env); err == nil || strings.Contains(err.Error(), "@") {
		t.Errorf("a slip: %v", err)
	}
}
