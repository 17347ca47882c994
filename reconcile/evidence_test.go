package reconcile

import (
	"testing"

	"github.com/tidemark-io/tidemark/stream/curated"
)

// Causes are evidence, not guesses: what speaks for a change names it, nothing else does.
func TestCauses(t *testing.T) {
	published := func(events int64) *publishedRow { p := &publishedRow{}; p.row.Events = events; return p }
	recomputed := func(events int64) *batchRow { r := &batchRow{}; r.row.Events = events; return r }
	late, dup, invalid := &evidence{}, &evidence{}, &evidence{}
	late.late(&clue{at: place{"t", 1, 7}, fresh: true})
	dup.duplicate(place{"t", 1, 8})
	invalid.late(&clue{at: place{"t", 1, 9}, fresh: true, invalid: true})
	seen := &evidence{}
	seen.late(&clue{at: place{"t", 1, 7}}) // the last certificate had it
	if seen.lateAll != 1 || seen.lateNew != 0 {
		t.Errorf("an event that was certified: %+v", seen)
	}
	both := &evidence{}
	both.late(&clue{at: place{"t", 1, 7}, fresh: true})
	both.duplicate(place{"t", 1, 8})
	for _, c := range []struct {
		name string
		e    *evidence
		p    pair
		code bool
		want curated.Cause
		at   int
	}{
		{"late", late, pair{published(1), recomputed(2)}, false, curated.CauseLate, 1},
		{"late and code", late, pair{published(1), recomputed(2)}, true, curated.CauseMixed, 1},
		{"code", nil, pair{published(1), recomputed(2)}, true, curated.CauseCode, 0},
		{"code, by an event that it can read now", invalid, pair{published(1), recomputed(2)}, false, curated.CauseCode, 0},
		{"copies that were counted", dup, pair{published(2), recomputed(1)}, false, curated.CauseDuplicate, 1},
		{"more than there are copies", dup, pair{published(3), recomputed(1)}, false, curated.CauseOther, 0},
		{"copies that were not", dup, pair{published(1), recomputed(1)}, false, curated.CauseOther, 0},
		{"late and copies", both, pair{published(3), recomputed(2)}, false, curated.CauseMixed, 2},
		{"certified before", seen, pair{published(1), recomputed(2)}, false, curated.CauseOther, 0},
		{"nothing", nil, pair{published(1), nil}, false, curated.CauseOther, 0},
	} {
		got, r := causes(c.e, c.p, c.code)
		if got != c.want || len(r.evidence) != c.at {
			t.Errorf("%s: %s %+v, want %s", c.name, got, r, c.want)
		}
	}
}
