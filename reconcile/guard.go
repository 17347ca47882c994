package reconcile

import (
	"math"

	"github.com/tidemark-io/tidemark/stream/pipeline"
)

// Verdicts beside those of `guard.else`.
const verdictPass = "pass"

// judge holds a plan against the guard. The first rule that is exceeded decides: windows, then aggregates in the order of
// outputs and of the file. A plan that changes nothing passes.
func judge(g pipeline.Guard, w Windows, totals []Total) Guard {
	pass := Guard{Verdict: verdictPass}
	if w.differ() == 0 {
		return pass
	}
	if g.MaxChangedWindows != nil {
		share := float64(w.differ()) / float64(w.Checked)
		if share > *g.MaxChangedWindows {
			return Guard{Verdict: g.Else, Rule: "max_changed_windows", Limit: *g.MaxChangedWindows, Actual: share}
		}
	}
	for i := range totals {
		t := &totals[i]
		limit, ok := g.MaxChange[t.Aggregate]
		if !ok {
			continue
		}
		actual, note := change(t.Before, t.After)
		if t.Method == methodNone {
			actual, note = 1, "it has no total that could be compared"
		}
		if actual > limit || note != "" {
			return Guard{Verdict: g.Else, Rule: "max_change." + t.Output + "." + t.Aggregate, Limit: limit, Actual: actual, Note: note}
		}
	}
	return pass
}

// change is by how much of itself a total moves. note says where that has no answer, which no limit allows.
func change(before, after Number) (share float64, note string) {
	if before.IsNull() && after.IsNull() || before.String() == after.String() {
		return 0, ""
	}
	b, bOK := before.Float()
	a, aOK := after.Float()
	switch {
	case !bOK || !aOK || math.IsNaN(a) || math.IsNaN(b) || math.IsInf(a, 0) || math.IsInf(b, 0):
		return 1, "from " + before.String() + " to " + after.String()
	case b == 0 && a != 0:
		return 1, "from zero to " + after.String()
	case b == a:
		return 0, ""
	}
	return math.Abs(a-b) / math.Abs(b), ""
}
