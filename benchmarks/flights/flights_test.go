package flights

import (
	"testing"
)

// pipelines are the files of this folder.
var pipelines = []string{"days", "quarters", "rotations", "carriers"}

// TestMarch compares both lanes with the truth, row by row, and keeps the tables of README.md (laws L1 and L3).
func TestMarch(t *testing.T) {
	arrivalsFile, truthFile := prepared(t)
	all, truth := readArrivals(t, arrivalsFile), readTruth(t, truthFile)
	results, accounts := rows{}, []account(nil)
	for _, name := range pipelines {
		l := drive(t, name+".yaml", all)
		stream, batch := readable(t, l.plan, l.stream), readable(t, l.plan, l.batch)
		fixes := corrections(stream, batch)
		final := corrected(stream, fixes)
		for i, o := range l.plan.Pipeline.Outputs {
			want := truth[o.Name]
			compare(t, "stream", o.Name, want.Stream, stream)
			compare(t, "batch", o.Name, want.All, batch)
			compare(t, "stream and corrections", o.Name, want.All, final)
			a := accountOf(t, name, i, l, fixes)
			a.rows = len(want.All)
			accounts = append(accounts, a)
		}
		if n := l.counters; !n.Balanced() || n.Consumed != int64(len(all)) || n.Invalid != 0 {
			t.Errorf("%s: %+v do not add up to %d records", name, n, len(all))
		}
		for at, r := range final {
			results[at] = r
		}
	}
	keep(t, "days", daysTable(t, results))
	keep(t, "quarters", quartersTable(t, results))
	keep(t, "weeks", weeksTable(results))
	keep(t, "accounts", accountsTable(accounts))
}
