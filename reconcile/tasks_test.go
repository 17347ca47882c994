package reconcile

import (
	"testing"

	"github.com/tidemark-io/tidemark/state"
	"github.com/tidemark-io/tidemark/stream/pipeline"
)

// A window is closed in a task when each of its inputs has passed it: the repartition topic's, too, behind which it may lie
// (invariant 2).
func TestReachedIsTheLowestInput(t *testing.T) {
	plan := &pipeline.Plan{Fingerprint: "f", Rekeyed: true, Sources: []pipeline.SourcePlan{{Topic: "clicks"}}}
	cut := func(repartition int64) *state.Cut {
		return &state.Cut{Fingerprint: "f", Sources: []state.Source{
			{Topic: "clicks", Partition: 1, Reached: 500, Next: 7}, {Topic: "site-repartition", Partition: 1, Reached: repartition},
		}}
	}
	for _, c := range []struct {
		repartition int64
		waits       int
	}{{400, 0}, {399, 1}} {
		task := taskState{task: 1}
		if !task.take(cut(c.repartition), plan) || task.reached != c.repartition {
			t.Fatalf("%+v", task)
		}
		lake := newTopicIndex("clicks", 2)
		lake.ends[1] = 7
		if waits := waitsFor([]taskState{task}, plan, []*topicIndex{lake}, 400); len(waits) != c.waits {
			t.Errorf("the repartition topic has reached %d: %q", c.repartition, waits)
		}
	}
	short := cut(400)
	short.Sources = short.Sources[:1]
	if task := (taskState{task: 1}); task.take(short, plan) {
		t.Errorf("a cut without the repartition topic is taken: %+v", task)
	}
}
