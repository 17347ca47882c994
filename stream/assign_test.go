package stream

import (
	"errors"
	"testing"

	"github.com/tidemark-io/tidemark/stream/kafka"
)

// The cut of a task is in the offsets of all its inputs. They are committed together, so any that don't agree are someone
// else's doing, and the task stops (invariant 7).
func TestCommittedOfSeveralInputs(t *testing.T) {
	r := &runner{sources: []*source{{TopicInfo: &kafka.TopicInfo{Name: "a"}}, {TopicInfo: &kafka.TopicInfo{Name: "b"}}}}
	at := func(journal, born int64) string {
		text, err := metadata{Version: metadataVersion, Journal: journal, Fingerprint: "f", TopicID: "t", Partitions: 3, Born: born}.encode()
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	for name, c := range map[string]struct {
		a, b  *kafka.Commit
		found bool
		stops bool
	}{
		"none":               {},
		"both":               {a: &kafka.Commit{Next: 5, Metadata: at(7, 1)}, b: &kafka.Commit{Next: 9, Metadata: at(7, 2)}, found: true},
		"first only":         {a: &kafka.Commit{Next: 5, Metadata: at(7, 1)}, stops: true},
		"second only":        {b: &kafka.Commit{Next: 5, Metadata: at(7, 1)}, stops: true},
		"other decisions":    {a: &kafka.Commit{Next: 5, Metadata: at(7, 1)}, b: &kafka.Commit{Next: 9, Metadata: at(6, 2)}, stops: true},
		"without the rest":   {a: &kafka.Commit{Next: 5, Metadata: at(7, 1)}, b: &kafka.Commit{Next: 9}, stops: true},
		"of another version": {a: &kafka.Commit{Next: 5, Metadata: `{"v":9}`}, b: &kafka.Commit{Next: 9, Metadata: `{"v":9}`}, stops: true},
	} {
		found := make([]brokerSays, 2)
		for i, commit := range []*kafka.Commit{c.a, c.b} {
			found[i] = brokerSays{commits: map[int32]kafka.Commit{}, ends: map[int32]kafka.Ends{2: {High: 10}}}
			if commit != nil {
				found[i].commits[2] = *commit
			}
		}
		got, err := r.committedOf(2, found)
		var stop *StopError
		if errors.As(err, &stop) != c.stops || (err != nil) != c.stops {
			t.Errorf("%s: %v", name, err)
		}
		if c.stops {
			continue
		}
		if got.found != c.found || got.at[1].ends.High != 10 {
			t.Errorf("%s: %+v", name, got)
		}
		if c.found && (got.journal != 7 || got.at[0].next != 5 || got.at[1].next != 9 || got.at[1].meta.Born != 2) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
