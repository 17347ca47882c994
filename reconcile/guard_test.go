package reconcile

import (
	"math"
	"testing"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/pipeline"
	"github.com/tidemark-io/tidemark/stream/window"
)

func TestGuard(t *testing.T) {
	share := 0.05
	g := pipeline.Guard{MaxChangedWindows: &share, MaxChange: map[string]float64{"flights": 0.02, "mean": 0.1}, Else: "hold"}
	total := func(name string, before, after Number) Total {
		return Total{Output: "o", Aggregate: name, Method: methodSum, Before: before, After: after}
	}
	for _, c := range []struct {
		name   string
		guard  pipeline.Guard
		w      Windows
		totals []Total
		want   Guard
	}{
		{"nothing changes", g, Windows{Checked: 10, Equal: 10}, nil, Guard{Verdict: "pass"}},
		{"at the limit", g, Windows{Checked: 100, Equal: 95, Changed: 3, Added: 1, Removed: 1}, nil, Guard{Verdict: "pass"}},
		{"above it", g, Windows{Checked: 100, Equal: 94, Changed: 3, Added: 1, Removed: 2}, nil,
			Guard{Verdict: "hold", Rule: "max_changed_windows", Limit: 0.05, Actual: 0.06}},
		{"a total", g, Windows{Checked: 100, Changed: 1}, []Total{total("other", intNumber(1), intNumber(9)), total("flights", intNumber(100), intNumber(97))},
			Guard{Verdict: "hold", Rule: "max_change.o.flights", Limit: 0.02, Actual: 0.03}},
		{"a total at its limit", g, Windows{Checked: 100, Changed: 1}, []Total{total("flights", intNumber(100), intNumber(102))}, Guard{Verdict: "pass"}},
		{"a mean", g, Windows{Checked: 100, Changed: 1}, []Total{total("mean", floatNumber(-10), floatNumber(-5))},
			Guard{Verdict: "hold", Rule: "max_change.o.mean", Limit: 0.1, Actual: 0.5}},
		{"from nothing", g, Windows{Checked: 100, Added: 1}, []Total{total("flights", Number{}, intNumber(5))},
			Guard{Verdict: "hold", Rule: "max_change.o.flights", Limit: 0.02, Actual: 1, Note: "from null to 5"}},
		{"from zero", g, Windows{Checked: 100, Added: 1}, []Total{total("flights", intNumber(0), intNumber(5))},
			Guard{Verdict: "hold", Rule: "max_change.o.flights", Limit: 0.02, Actual: 1, Note: "from zero to 5"}},
		{"no number", g, Windows{Checked: 100, Changed: 1}, []Total{total("mean", floatNumber(1), floatNumber(math.NaN()))},
			Guard{Verdict: "hold", Rule: "max_change.o.mean", Limit: 0.1, Actual: 1, Note: "from 1 to NaN"}},
		{"no number before and after", g, Windows{Checked: 100, Changed: 1}, []Total{total("mean", floatNumber(math.NaN()), floatNumber(math.NaN()))}, Guard{Verdict: "pass"}},
		{"text stays", g, Windows{Checked: 100, Changed: 1}, []Total{total("mean", numberOf(schema.StringValue([]byte("x"))), numberOf(schema.StringValue([]byte("x"))))}, Guard{Verdict: "pass"}},
		{"no total", g, Windows{Checked: 100, Changed: 1}, []Total{{Output: "o", Aggregate: "mean"}},
			Guard{Verdict: "hold", Rule: "max_change.o.mean", Limit: 0.1, Actual: 1, Note: "it has no total that could be compared"}},
		{"no rules", pipeline.Guard{Else: "hold"}, Windows{Checked: 1, Changed: 1}, nil, Guard{Verdict: "pass"}},
	} {
		if got := judge(c.guard, c.w, c.totals); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

// Totals: counts and sums add, means weigh by what they are means of, integers stay integers until they don't fit.
func TestTotals(t *testing.T) {
	aggs := []window.Agg{{Name: "n", Func: window.Count}, {Name: "sum", Func: window.Sum}, {Name: "mean", Func: window.Mean}, {Name: "least", Func: window.Min}, {Name: "most", Func: window.Max}}
	row := func(events int64, counts int64, values ...schema.Value) *batchRow {
		r := &batchRow{counts: []int64{events, events, counts, events, events}}
		r.row.Events, r.row.Values = events, values
		return r
	}
	i, f, null := schema.IntValue, schema.FloatValue, schema.NullValue()
	tt := newTotals(aggs)
	tt.add(pair{after: row(3, 2, i(3), i(math.MaxInt64), f(10), f(-0.5), i(7))})
	tt.add(pair{after: row(1, 1, i(1), i(5), f(1), f(2), i(-7))})
	tt.add(pair{after: row(1, 0, i(1), null, null, null, null)})
	before := &publishedRow{}
	before.row.Events, before.row.Values = 4, []schema.Value{i(4), i(-4), f(2), f(1), i(1)}
	tt.add(pair{before: before})
	want := map[string][2]string{
		"n": {"4", "5"}, "sum": {"-4", "9.223372036854775807e+18"}, "mean": {"2", "7"}, "least": {"1", "-0.5"}, "most": {"1", "7"},
	}
	for _, total := range tt.of("o") {
		w := want[total.Aggregate]
		if total.Aggregate == "sum" {
			w[1] = floatNumber(math.MaxInt64).String()
		}
		if total.Before.String() != w[0] || total.After.String() != w[1] {
			t.Errorf("%s: %s -> %s, want %v", total.Aggregate, total.Before, total.After, w)
		}
	}
}
