package window

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/tidemark-io/tidemark/stream/window/backingtest"
)

// A schedule is all that may differ between two runs over the same logs, and must not show.
type schedule struct {
	order  []int // which partition's record is next
	close  int   // a Close after every so many records, at random; 0: at the end only
	write  int   // and a Write
	crash  int   // and a crash: back to the last Write, and on from its cut
	memory int64
	r      *rand.Rand
}

func (w *workload) schedule(r *rand.Rand) *schedule {
	return &schedule{
		order: w.interleaving(r), close: r.IntN(20), write: r.IntN(12), crash: r.IntN(3) * (10 + r.IntN(60)),
		memory: []int64{0, 1, 3_000, 20_000}[r.IntN(4)], r: r,
	}
}

// progress is what a run has come to: all of it goes back when the process dies.
type progress struct {
	at       int     // in schedule.order
	next     []int   // in each partition's log
	marks    []int64 // each partition's watermark
	results  map[string]string
	verdicts [3]int
	missed   []int
}

func (p *progress) clone() progress {
	c := *p
	c.next, c.marks, c.missed, c.results = slices.Clone(p.next), slices.Clone(p.marks), slices.Clone(p.missed), maps.Clone(p.results)
	return c
}

// run is one run of an engine over the logs of a workload, as a task does it.
type run struct {
	progress
	t         *testing.T
	w         *workload
	s         *schedule
	back      *backingtest.Store
	e         *Engine
	cut       progress // of the last Write
	in        Input
	crashes   int
	lateByMin bool // the wrong rule of lateness.py: judge by the task's watermark
}

func (w *workload) run(t *testing.T, s *schedule) *run { return w.runRule(t, s, false) }

func (w *workload) runRule(t *testing.T, s *schedule, lateByMin bool) *run {
	t.Helper()
	x := w.begin(t, s)
	x.lateByMin = lateByMin
	for x.at < len(s.order) {
		x.advance()
	}
	x.finish()
	return x
}

func (w *workload) begin(t *testing.T, s *schedule) *run {
	t.Helper()
	x := &run{t: t, w: w, s: s, back: backingtest.New()}
	x.results, x.missed, x.next = map[string]string{}, make([]int, len(w.outputs)), make([]int, len(w.logs))
	x.marks = slices.Repeat([]int64{NoWatermark}, len(w.logs))
	x.cut = x.progress.clone()
	x.open()
	return x
}

// advance takes the next record, and does what the schedule has behind it.
func (x *run) advance() {
	x.t.Helper()
	s := x.s
	x.step()
	if s.close > 0 && s.r.IntN(s.close) == 0 {
		x.close(slices.Min(x.marks))
	}
	if s.write > 0 && s.r.IntN(s.write) == 0 {
		x.write()
	}
	if s.crash > 0 && x.crashes < 8 && s.r.IntN(s.crash) == 0 {
		x.crashes++
		x.progress = x.cut.clone()
		x.open()
	}
}

// finish ends as every commit does: nothing is open that should be closed.
func (x *run) finish() {
	x.t.Helper()
	x.close(slices.Min(x.marks))
	x.write()
}

func (x *run) open() {
	x.t.Helper()
	e, err := NewEngine(x.w.outputs, x.back, EngineOptions{MemoryMax: x.s.memory})
	if err != nil {
		x.t.Fatal(err)
	}
	x.e = e
}

// step takes the next record.
func (x *run) step() {
	x.t.Helper()
	p := x.s.order[x.at]
	o := &x.w.logs[p][x.next[p]]
	x.at++
	x.next[p]++
	mark := x.marks[p]
	if x.lateByMin {
		mark = slices.Min(x.marks)
	}
	in := o.fill(&x.in, len(x.w.outputs))
	in.Outputs = 0
	if x.w.some {
		in.Outputs = x.w.takes(o.time)
	}
	v, err := x.e.Add(in, mark)
	if err != nil {
		x.t.Fatal(err)
	}
	x.verdicts[v.Outcome]++
	for i := range x.missed {
		if v.Misses != nil {
			x.missed[i] += int(v.Misses[i])
		}
		if (v.Missed>>i&1 == 1) != (v.Misses != nil && v.Misses[i] > 0) {
			x.t.Fatalf("missed outputs %b, misses %v", v.Missed, v.Misses)
		}
	}
	x.marks[p] = max(x.marks[p], o.time-modelBound)
}

func (x *run) close(mark int64) {
	x.t.Helper()
	last := ""
	err := x.e.Close(mark, func(r *Result) error {
		at := fmt.Sprintf("%d %d %s", r.Output, r.Start, r.Key)
		if _, twice := x.results[at]; twice {
			return fmt.Errorf("window %s opened again", at)
		}
		x.results[at] = describe(r.Values, r.Events, r.Duplicates)
		place := string(append(appendWindowKey(nil, 0, r.Output, r.Start), r.Key...))
		if place <= last {
			return fmt.Errorf("window %s is out of order (invariant 9)", at)
		}
		last = place
		return nil
	})
	if err != nil {
		x.t.Fatal(err)
	}
}

func (x *run) write() {
	x.t.Helper()
	if err := apply(x.back, x.e); err != nil {
		x.t.Fatal(err)
	}
	if x.s.memory > 10_000 && x.e.Memory() > x.s.memory {
		x.t.Fatalf("%d bytes after a Write, the limit is %d", x.e.Memory(), x.s.memory)
	}
	x.cut = x.progress.clone()
}

// outcome is all that must be the same in every schedule.
type outcome struct{ state, results, verdicts string }

func (x *run) outcome() outcome {
	return outcome{x.back.String(), show(x.results), fmt.Sprint(x.verdicts, x.missed)}
}

func show(results map[string]string) string {
	var s strings.Builder
	for _, k := range slices.Sorted(maps.Keys(results)) {
		fmt.Fprintln(&s, k, "=", results[k])
	}
	return s.String()
}
