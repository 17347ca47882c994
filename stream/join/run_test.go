package join

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/tidemark-io/tidemark/stream/window"
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
		memory: []int64{0, 1, 3_000, 8_000, 40_000}[r.IntN(5)], r: r,
	}
}

// progress is what a run has come to: all of it goes back when the process dies.
type progress struct {
	at       int     // in schedule.order
	next     []int   // in each partition's log
	marks    []int64 // each partition's watermark
	closed   int64   // of the last Close
	pairs    map[string]string
	verdicts [3]int
}

func (p *progress) clone() progress {
	c := *p
	c.next, c.marks, c.pairs = slices.Clone(p.next), slices.Clone(p.marks), maps.Clone(p.pairs)
	return c
}

// run is one run of an operator over the logs of a workload, as a task does it.
type run struct {
	progress
	t    *testing.T
	w    *workload
	s    *schedule
	back *backingtest.Store
	op   Operator
	cut  progress // of the last Write
	buf  [2][]byte
	// lateByMin: the wrong rule of lateness.py: judge by the task's watermark
	lateByMin bool
}

func (w *workload) run(t *testing.T, s *schedule, lateByMin bool) *run {
	t.Helper()
	x := &run{t: t, w: w, s: s, back: backingtest.New(), lateByMin: lateByMin}
	x.pairs, x.next, x.closed = map[string]string{}, make([]int, len(w.logs)), window.NoWatermark
	x.marks = slices.Repeat([]int64{window.NoWatermark}, len(w.logs))
	x.cut = x.progress.clone()
	x.open()
	crashes := 0
	for x.at < len(s.order) {
		x.step()
		if s.close > 0 && s.r.IntN(s.close) == 0 {
			x.close(slices.Min(x.marks))
		}
		if s.write > 0 && s.r.IntN(s.write) == 0 {
			x.write()
		}
		if s.crash > 0 && crashes < 8 && s.r.IntN(s.crash) == 0 {
			crashes++
			x.progress = x.cut.clone()
			x.open()
		}
	}
	x.close(slices.Min(x.marks)) // as at every commit: nothing is kept that should have gone
	x.write()
	return x
}

func (x *run) open() {
	x.t.Helper()
	op, err := x.w.operator(x.back, x.s.memory)
	if err != nil {
		x.t.Fatal(err)
	}
	if op.Closed() != x.closed {
		x.t.Fatalf("closed up to %d, the cut is closed up to %d", op.Closed(), x.closed)
	}
	pieces := 1 + x.s.r.IntN(3) // so that ranges are read in several pieces
	switch op := op.(type) {
	case *Interval:
		op.page.max = pieces
	case *Enrichment:
		op.page.max = pieces
	}
	x.op = op
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
	x.buf[0], x.buf[1] = append(x.buf[0][:0], o.key...), append(x.buf[1][:0], o.row...)
	last := ""
	v, err := x.op.Add(o.side, x.buf[0], o.t, o.id, o.hasID, x.buf[1], mark, func(p *Pair) error {
		if mark >= p.Time+x.w.lateness {
			return fmt.Errorf("a pair at %d is emitted when the event's own watermark is %d (invariant 3)", p.Time, mark)
		}
		return x.take(p, &last)
	})
	if err != nil {
		x.t.Fatal(err)
	}
	clear(x.buf[0]) // the operator keeps no reference
	clear(x.buf[1])
	x.verdicts[v.Outcome]++
	x.marks[p] = max(x.marks[p], o.t-x.w.bound)
}

// take notes a pair.
func (x *run) take(p *Pair, last *string) error {
	if x.closed >= p.Time+x.w.lateness {
		return fmt.Errorf("a pair at %d is emitted after a Close to %d (invariant 3)", p.Time, x.closed)
	}
	right := "nothing"
	if p.Right != nil {
		right = fmt.Sprintf("%q", p.Right)
	}
	id := fmt.Sprintf("%x", p.ID)
	if _, twice := x.pairs[id]; twice {
		return fmt.Errorf("pair %s came twice", id)
	}
	x.pairs[id] = fmt.Sprintf("%d %q with %s", p.Time, p.Left, right)
	place := string(appendTime(nil, p.Time))
	if place < *last && x.w.enrich {
		return fmt.Errorf("pair %s is out of order", id)
	}
	*last = place
	return nil
}

func (x *run) close(mark int64) {
	x.t.Helper()
	last := ""
	if err := x.op.Close(mark, func(p *Pair) error { return x.take(p, &last) }); err != nil {
		x.t.Fatal(err)
	}
	x.closed = mark
}

func (x *run) write() {
	x.t.Helper()
	if err := apply(x.back, x.op); err != nil {
		x.t.Fatal(err)
	}
	if x.s.memory > 30_000 && x.op.Memory() > x.s.memory {
		x.t.Fatalf("%d bytes after a Write, the limit is %d", x.op.Memory(), x.s.memory)
	}
	x.cut = x.progress.clone()
}

// outcome is all that must be the same in every schedule.
type outcome struct {
	state, pairs, verdicts string
	buffered               int
}

func (x *run) outcome() outcome {
	return outcome{x.back.String(), show(x.pairs), fmt.Sprint(x.verdicts), x.op.Buffered()}
}

func show(pairs map[string]string) string {
	var s strings.Builder
	for _, k := range slices.Sorted(maps.Keys(pairs)) {
		fmt.Fprintln(&s, k, "=", pairs[k])
	}
	return s.String()
}
