package expr

import (
	"testing"

	"github.com/tidemark-io/tidemark/schema"
)

// What the rules of a pipeline are made of is evaluated without an allocation.
func TestCommonRulesDoNotAllocate(t *testing.T) {
	g := newGenerator(1)
	g.env.Lets["late"] = mustCompile(t, "ni != null && ni > 60", g.env)
	row := []schema.Value{schema.BoolValue(true), schema.BoolValue(false), schema.IntValue(75), schema.IntValue(2), schema.IntValue(61),
		schema.FloatValue(99.5), schema.FloatValue(1), schema.StringValue([]byte("JFK")), schema.StringValue([]byte("LAX")), schema.BytesValue([]byte("a")),
		schema.BytesValue([]byte("b")), schema.IntValue(1357371000000), schema.IntValue(1357371000000000), schema.IntValue(1357371000000000000), schema.IntValue(9)}
	for _, src := range []string{
		"late && s == 'JFK' && d < 100.0 && b",
		"s in ['EWR', 'JFK', 'LGA', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H']",
		"s.startsWith('J') || s.endsWith('K') || s.contains('x')",
		"s.matches('^[A-Z]{3}$')",
		"(i + 15) / 30 * 30", "double(i) * d > 10.0", "ni != null ? ni : 0", "int(d)", "-i % 7",
		"t.getHours('-05:00') >= 22 || t.getDayOfWeek() == 6", "t - u < duration('1h')", "t + duration('1h') > nt",
		"s + '-' + ns", "string(i)", "size(s)", "int('12') == i", "timestamp('2013-01-05T00:00:00Z') <= t", "udf_null(ni)",
	} {
		p := mustCompile(t, src, g.env)
		if p.Cost() != "compiled" {
			t.Errorf("%s: %s", src, p.Cost())
		}
		e, err := p.NewEval(g.index)
		if err != nil {
			t.Fatal(err)
		}
		if n := testing.AllocsPerRun(100, func() {
			if _, err := e.Eval(row); err != nil {
				t.Error(src, err)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations", src, n)
		}
	}
}
