package window

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"
)

// TestUpdatesTellAllChanges keeps, for each output, a table of what Updates has told, as a consumer would, beside
// runs with closes, writes, evictions and crashes. At each Updates what is told differs from what the table has; the
// table then equals the open windows; and in the end state, results and verdicts are those of a run in which nobody
// asked (invariant 6).
func TestUpdatesTellAllChanges(t *testing.T) {
	t.Logf("seed %d", seed)
	told := 0
	for i := range 60 {
		r := rand.New(rand.NewPCG(seed, uint64(i)))
		w := newWorkload(r, 1+i%3, 60+r.IntN(150))
		want := w.run(t, &schedule{order: w.interleaving(r), r: r}).outcome()
		for at := range w.outputs {
			w.outputs[at].Updates = true
		}
		x := w.begin(t, w.schedule(r))
		tables := x.tables()
		for x.at < len(x.s.order) {
			before := x.e
			x.advance()
			if x.e != before {
				tables = x.tables() // after a crash all is asked for
			}
			if r.IntN(4) == 0 {
				told += x.update(tables)
			}
		}
		told += x.update(tables)
		x.finish()
		if got := x.outcome(); got != want {
			t.Fatalf("workload %d: with updates\n%v\nwithout\n%v", i, got, want)
		}
	}
	if told == 0 {
		t.Fatal("nothing was told")
	}
}

// tables is the open windows of each output as Updates(all) tells them.
func (x *run) tables() []map[string]string {
	x.t.Helper()
	of := make([]map[string]string, len(x.w.outputs))
	for i := range of {
		of[i] = map[string]string{}
		err := x.e.Updates(i, true, func(r *Result) error {
			of[i][placeOf(r)] = describe(r.Values, r.Events, r.Duplicates)
			return nil
		})
		if err != nil {
			x.t.Fatal(err)
		}
	}
	return of
}

func placeOf(r *Result) string {
	return string(append(appendTime(nil, r.Start), r.Key...))
}

// update asks for what has changed, brings the tables up to date and compares them.
func (x *run) update(tables []map[string]string) (told int) {
	x.t.Helper()
	for i := range tables {
		last := ""
		err := x.e.Updates(i, false, func(r *Result) error {
			at, now := placeOf(r), describe(r.Values, r.Events, r.Duplicates)
			if at <= last || !r.Open || r.End != r.Start+x.w.outputs[i].Size {
				return fmt.Errorf("%x comes after %x, open %v, end %d", at, last, r.Open, r.End)
			}
			if tables[i][at] == now {
				return fmt.Errorf("%x is told without a change", at)
			}
			tables[i][at], last = now, at
			told++
			return nil
		})
		if err != nil {
			x.t.Fatal(err)
		}
	}
	for i, want := range x.tables() {
		maps.DeleteFunc(tables[i], func(at, _ string) bool { return timeAt([]byte(at)) <= x.closedStart(i) })
		if !maps.Equal(tables[i], want) {
			x.t.Fatalf("output %d: told\n%v\nopen\n%v", i, strings.Join(lines(tables[i]), "\n"), strings.Join(lines(want), "\n"))
		}
	}
	return told
}

// closedStart is the highest start of a window of output i that has closed.
func (x *run) closedStart(i int) int64 {
	if x.e.closed == NoWatermark {
		return NoWatermark
	}
	o := &x.w.outputs[i]
	return x.e.closed - o.Lateness - o.Size
}

func lines(m map[string]string) (all []string) {
	for k, v := range m {
		all = append(all, fmt.Sprintf("%x %s", k, v))
	}
	return all
}
