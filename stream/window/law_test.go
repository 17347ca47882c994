package window

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/tidemark-io/tidemark/stream/window/backingtest"
)

// Law L1 and what follows from the cut law (invariants 1 to 9): any interleaving of the partitions, any places of
// Close and Write, crashes and evictions end in the same stored bytes, results and verdicts; and these are what the
// definitions say of the logs as a whole.
func TestSameCutSameState(t *testing.T) {
	t.Logf("seed %d", seed)
	for i := range 150 {
		r := rand.New(rand.NewPCG(seed, uint64(i)))
		w := newWorkload(r, 1+i%3, 60+r.IntN(200))
		w.some = i%4 == 0
		want := w.run(t, &schedule{order: w.interleaving(r), r: r})
		for range 4 {
			s := w.schedule(r)
			x := w.run(t, s)
			if got, want := x.outcome(), want.outcome(); got != want {
				t.Fatalf("workload %d: schedule close %d write %d crash %d memory %d\nstate\n%s\nis\n%s\nresults\n%s\nare\n%s\nverdicts %s, are %s",
					i, s.close, s.write, s.crash, s.memory, want.state, got.state, want.results, got.results, want.verdicts, got.verdicts)
			}
		}
		checkOracle(t, w, want)
	}
}

// checkOracle drains a run and compares it with the definitions.
func checkOracle(t *testing.T, w *workload, x *run) {
	t.Helper()
	o := w.oracle()
	x.drain(show(o.results), fmt.Sprint(o.verdicts, o.missed))
}

// drain closes all that is open, compares with what results and verdicts should be, and checks that nothing is left.
func (x *run) drain(results, verdicts string) {
	t := x.t
	t.Helper()
	x.close(1 << 60)
	if got := show(x.results); got != results {
		t.Fatalf("outputs %+v: results\n%s\nthe definitions say\n%s", x.w.outputs, got, results)
	}
	if got := fmt.Sprint(x.verdicts, x.missed); got != verdicts {
		t.Fatalf("verdicts %s, the definitions say %s", got, verdicts)
	}
	x.write()
	if n := len(x.back.Keys()); n != 1 {
		t.Fatalf("%d keys are left when everything has closed:\n%s", n, x.back.String())
	}
	if m := x.e.mem.used - int64(cap(x.e.order))*24; m != 0 {
		t.Fatalf("%d bytes are accounted for when everything has closed", m)
	}
}

// The model lateness.py: judging lateness by the task's minimum, which looks right, gives other outputs for other
// interleavings. That it does so here shows that TestSameCutSameState can fail.
func TestLatenessByTheTasksMinimumIsWrong(t *testing.T) {
	t.Logf("seed %d", seed)
	differ := 0
	for i := range 60 {
		r := rand.New(rand.NewPCG(seed, uint64(i)))
		w := newWorkload(r, 2, 100)
		a := w.runRule(t, &schedule{order: w.interleaving(r), close: 1, r: r}, true)
		b := w.runRule(t, &schedule{order: w.interleaving(r), close: 1, r: r}, true)
		if a.outcome().results != b.outcome().results {
			differ++
		}
	}
	if differ < 20 {
		t.Fatalf("results differ in %d of 60 workloads only", differ)
	}
}

// The model copies.py, "dedup by event" with two outputs: forgetting which windows a copy has missed makes results
// depend on which copy came first. The engine keeps that, and the case in which it matters occurs in these logs.
func TestCopiesFillWhatOthersMissed(t *testing.T) {
	t.Logf("seed %d", seed)
	filled := 0
	for i := range 60 {
		r := rand.New(rand.NewPCG(seed, uint64(i)))
		w := newWorkload(r, 2, 100)
		x := &run{t: t, w: w, s: &schedule{order: w.interleaving(r), r: r}, back: backingtest.New()}
		x.results, x.missed, x.next, x.marks = map[string]string{}, make([]int, len(w.outputs)), make([]int, 2), []int64{NoWatermark, NoWatermark}
		x.open()
		for range x.s.order {
			before, duplicates := x.e.OpenWindows(), x.verdicts[Duplicate]
			x.step()
			if x.verdicts[Duplicate] > duplicates && fmt.Sprint(before) != fmt.Sprint(x.e.OpenWindows()) {
				filled++ // a duplicate that opened a window
			}
		}
	}
	if filled == 0 {
		t.Fatal("no copy ever filled a window that another had missed")
	}
}
