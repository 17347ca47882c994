package expr

import (
	"testing"

	"github.com/tidemark-io/tidemark/schema"
)

// BenchmarkEval puts the engines side by side: what an expression costs an
// event, compiled and in cel-go's evaluator.
func BenchmarkEval(b *testing.B) {
	env := Env{Fields: map[string]schema.Type{
		"delay":  {Kind: schema.KindInt, Avro: "int", Nullable: true},
		"origin": {Kind: schema.KindString, Avro: "string"},
		"dest":   {Kind: schema.KindString, Avro: "string"},
		"price":  {Kind: schema.KindFloat, Avro: "double"},
		"ts":     {Kind: schema.KindInt, Avro: "long", Logical: "timestamp-millis"},
	}, Lets: map[string]*Program{}, Functions: userFunctions()}
	env.Lets["late"] = mustCompile(b, "delay != null && delay > 60", env)
	row := []schema.Value{schema.IntValue(75), schema.StringValue([]byte("JFK")), schema.StringValue([]byte("LAX")), schema.FloatValue(99.5), schema.IntValue(1357371000000)}
	index := func(name string) int {
		return map[string]int{"delay": 0, "origin": 1, "dest": 2, "price": 3, "ts": 4}[name]
	}
	for _, c := range []struct{ name, src string }{
		{"field", "delay"},
		{"1term", "delay > 60"},
		{"2terms", "delay != null && delay > 60"},
		{"4terms", "delay != null && delay > 60 && origin == 'JFK' && price < 100.0"},
		{"let", "late && origin == 'JFK'"},
		{"in3", "origin in ['EWR', 'LGA', 'JFK']"},
		{"in12", "origin in ['ATL', 'BOS', 'CLT', 'DEN', 'DFW', 'EWR', 'IAH', 'JFK', 'LGA', 'MIA', 'ORD', 'SFO']"},
		{"arithmetic", "(delay + 15) / 30 * 30"},
		{"ternary", "delay != null ? delay : 0"},
		{"hours", "ts.getHours('-05:00') >= 22"},
		{"date", "ts.getFullYear()"},
		{"concat", "origin + '-' + dest"},
		{"matches", "origin.matches('^[A-Z]{3}$')"},
		{"function", "udf_null(delay)"},
		{"fails", "delay / 0 > 1"},
	} {
		p := mustCompile(b, c.src, env)
		for _, engine := range []struct {
			name string
			p    *Program
		}{{"compiled", p}, {"interpreted", interpreted(p)}} {
			if p.Plain() && engine.name == "interpreted" {
				continue
			}
			b.Run(c.name+"/"+engine.name, func(b *testing.B) {
				e, err := engine.p.NewEval(index)
				if err != nil {
					b.Fatal(err)
				}
				b.ReportAllocs()
				for b.Loop() {
					if _, err := e.Eval(row); (err != nil) != (c.name == "fails") {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
