package window

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// copiesWorkload is a log of the model copies.py: two partitions, hopping windows of 10 every 5 or two outputs with
// other lateness, and about a third of the records copies of recent events, in either partition.
func copiesWorkload(r *rand.Rand, hopping bool) *workload {
	w := &workload{logs: make([][]occurrence, 2), outputs: []Output{{Name: "o1", Size: 10, Lateness: 2, Aggs: allAggs()}}}
	if hopping {
		w.outputs[0].Every = 5
	} else {
		w.outputs = append(w.outputs, Output{Name: "o2", Size: 10, Lateness: 8, Aggs: allAggs()})
	}
	t := int64(0)
	var pool []occurrence
	for i := range 40 {
		t += r.Int64N(3)
		p := r.IntN(2)
		if len(pool) > 0 && r.IntN(20) < 7 {
			w.logs[p] = append(w.logs[p], pool[max(0, len(pool)-1-r.IntN(8))])
			continue
		}
		o := occurrence{time: t + r.Int64N(13) - 9, id: byte(1 + i), key: "k", x: float64(i)}
		pool = append(pool, o)
		w.logs[p] = append(w.logs[p], o)
	}
	return w
}

// The model copies.py, "per window, misses before dedup": any interleaving of the partitions ends in the same state,
// results and counters (invariants 3 and 4).
func TestCopiesPerWindow(t *testing.T) {
	t.Logf("seed %d", seed)
	for i := range 300 {
		r := rand.New(rand.NewPCG(seed, uint64(i)))
		w := copiesWorkload(r, i%2 == 0)
		want := ""
		for range 4 {
			x := w.run(t, &schedule{order: w.interleaving(r), close: 1, r: r})
			if got := fmt.Sprint(x.outcome()); want != "" && got != want {
				t.Fatalf("log %d: %s\nand %s", i, want, got)
			} else {
				want = got
			}
		}
	}
}

// The rule "dedup by event" of that model looks right: drop what has been seen. It isn't, with hopping windows as
// with two outputs: the copy that is dropped may be the one that was in time. That it differs here shows that
// TestCopiesPerWindow can fail.
func TestCopiesByEventAreWrong(t *testing.T) {
	t.Logf("seed %d", seed)
	for _, hopping := range []bool{true, false} {
		differ := 0
		for i := range 100 {
			r := rand.New(rand.NewPCG(seed, uint64(i)))
			w := copiesWorkload(r, hopping)
			var outcomes []string
			for range 6 {
				outcomes = append(outcomes, w.dedupByEvent(t, r))
			}
			if slices.ContainsFunc(outcomes, func(o string) bool { return o != outcomes[0] }) {
				differ++
			}
		}
		if differ < 10 {
			t.Errorf("hopping %v: results differ in %d of 100 logs only", hopping, differ)
		}
	}
}

// dedupByEvent runs a workload with the wrong rule: a set of identities before the engine, which knows none.
func (w *workload) dedupByEvent(t *testing.T, r *rand.Rand) string {
	t.Helper()
	x := w.begin(t, &schedule{order: w.interleaving(r), r: r})
	seen := map[[16]byte]bool{}
	for _, p := range x.s.order {
		o := &w.logs[p][x.next[p]]
		x.next[p]++
		in := o.fill(&x.in, len(w.outputs))
		if in.HasID = false; !seen[in.ID] {
			v, err := x.e.Add(in, x.marks[p])
			if err != nil {
				t.Fatal(err)
			}
			seen[in.ID] = v.Outcome != Late
		}
		x.marks[p] = max(x.marks[p], o.time-modelBound)
		x.close(slices.Min(x.marks))
	}
	x.close(1 << 60)
	return show(x.results)
}
