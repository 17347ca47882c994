package reconcile

import (
	"math/rand"
	"testing"

	"github.com/tidemark-io/tidemark/stream/flow"
	"github.com/tidemark-io/tidemark/stream/pipeline"
)

// What a unit reads of a join is what its pairs can be made of, and no more (invariant 1): both ends of what is read can matter.
func TestReadsOfJoins(t *testing.T) {
	const start, end = 100, 110
	rng := rand.New(rand.NewSource(1))
	for range 500 {
		lower := rng.Int63n(41) - 20
		plan := &pipeline.Plan{Shape: pipeline.IntervalJoin, Join: pipeline.JoinPlan{Left: 1, Right: 0, Lower: lower, Upper: lower + rng.Int63n(20)}}
		least := [2]int64{end, end} // event time by source that a pair of the unit has
		for l := int64(start - 50); l < end; l++ {
			for r := l + plan.Join.Lower; r <= l+plan.Join.Upper; r++ {
				if at := max(l, r); at >= start && at < end {
					least[1], least[0] = min(least[1], l), min(least[0], r)
				}
			}
		}
		for source := range least {
			if from, to := flow.Reads(plan, source, start, end); from > least[source] || to != end || least[source] < end && lower <= 0 && plan.Join.Upper >= 0 && from != least[source] {
				t.Fatalf("%+v: of source %d it reads [%d, %d), its pairs have times from %d on", plan.Join, source, from, to, least[source])
			}
		}
	}
}
