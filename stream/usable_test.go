package stream

import (
	"testing"

	"github.com/tidemark-io/tidemark/state"
	"github.com/tidemark-io/tidemark/stream/kafka"
	"github.com/tidemark-io/tidemark/stream/pipeline"
)

// Replay brings a state to the committed cut only from a cut on its way: of the same life, by the same definition, of the same
// topics, and ahead of it in nothing (law L4). Any other state is set aside, however near it is.
func TestOnlyAStateOnTheWayIsUsable(t *testing.T) {
	r := &runner{
		o:       Options{Plan: &pipeline.Plan{Fingerprint: "f"}},
		sources: []*source{{TopicInfo: &kafka.TopicInfo{Name: "a", ID: "1"}}, {TopicInfo: &kafka.TopicInfo{Name: "b", ID: "2"}}},
	}
	c := committed{found: true, journal: 7, life: 3, at: []committedAt{{next: 100}, {next: 200}}}
	cut := func(change func(*state.Cut)) *state.Cut {
		cut := &state.Cut{Fingerprint: "f", Journal: 7, Life: 3, Sources: []state.Source{
			{Topic: "a", TopicID: "1", Next: 100}, {Topic: "b", TopicID: "2", Next: 200}}}
		change(cut)
		return cut
	}
	for name, test := range map[string]struct {
		change func(*state.Cut)
		usable bool
	}{
		"at the cut":                {func(*state.Cut) {}, true},
		"behind in one input":       {func(c *state.Cut) { c.Sources[1].Next = 0 }, true},
		"behind in its decisions":   {func(c *state.Cut) { c.Journal = 4 }, true},
		"ahead by a record":         {func(c *state.Cut) { c.Sources[0].Next = 101 }, false},
		"ahead in one input only":   {func(c *state.Cut) { c.Sources[0].Next, c.Sources[1].Next = 0, 201 }, false},
		"ahead by a decision":       {func(c *state.Cut) { c.Journal = 8 }, false},
		"of a life before":          {func(c *state.Cut) { c.Life = 0 }, false},
		"of a life to come":         {func(c *state.Cut) { c.Life = 4 }, false},
		"by another definition":     {func(c *state.Cut) { c.Fingerprint = "g" }, false},
		"of a topic of before":      {func(c *state.Cut) { c.Sources[1].TopicID = "0" }, false},
		"of topics in other places": {func(c *state.Cut) { c.Sources[0].Topic, c.Sources[1].Topic = "b", "a" }, false},
		"of fewer topics":           {func(c *state.Cut) { c.Sources = c.Sources[:1] }, false},
	} {
		if got := r.usable(cut(test.change), c); got != test.usable {
			t.Errorf("%s: usable is %v", name, got)
		}
	}
	if r.usable(cut(func(*state.Cut) {}), committed{at: c.at}) {
		t.Error("nothing is committed, and a state is usable")
	}
}
