package window

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/tidemark-io/tidemark/stream/window/backingtest"
)

// faults is what is wrong with the invariants S1 to S6 and with what is counted.
func (s *sessions) faults() error {
	total, before := int64(0), int64(NoWatermark)
	for _, sp := range s.spans {
		if sp.Start < before || sp.open <= 0 {
			return fmt.Errorf("span at %d with %d sessions, behind one that ends at %d", sp.Start, sp.open, before)
		}
		before, total = sp.End, total+sp.open
		if sp.absent() < 0 || s.e.back == nil && sp.absent() != 0 {
			return fmt.Errorf("span at %d: %d open sessions, %d of them absent", sp.Start, sp.open, sp.absent())
		}
		if sp.p != nil {
			if err := s.paneFaults(sp); err != nil {
				return fmt.Errorf("span at %d: %w", sp.Start, err)
			}
		}
	}
	if total != s.total {
		return fmt.Errorf("%d open sessions, spans have %d", s.total, total)
	}
	return nil
}

func (s *sessions) paneFaults(sp *sessionSpan) error {
	p := sp.p
	live, highest := 0, int64(NoWatermark)
	listed := map[uint32]bool{}
	for g := range p.groups.recs.n {
		last := int64(NoWatermark) / 2
		for _, i := range p.of(p.groups.recs.at(g, &s.group)) {
			rec := p.recs.at(int(i), &s.shape)
			first := int64(rec[sessionFirst])
			if rec[sessionState]&flagDead != 0 || int(rec[sessionState]&groupMask) != g {
				return fmt.Errorf("session %d of group %d has state %x", i, g, rec[sessionState])
			}
			if first-last < s.out.Gap || first < sp.Start || int64(rec[sessionLast]) < first || int64(rec[sessionLast]) >= sp.End {
				return fmt.Errorf("session from %d to %d, behind one up to %d", first, int64(rec[sessionLast]), last)
			}
			last = int64(rec[sessionLast])
			listed[i], highest = true, max(highest, last)
			live++
		}
	}
	if live != p.live || live+p.dead != p.recs.n {
		return fmt.Errorf("%d sessions in groups, %d live, %d dead, %d records", live, p.live, p.dead, p.recs.n)
	}
	if sp.absent() == 0 && highest != sp.last || highest > sp.last {
		return fmt.Errorf("the last event is at %d, the header has %d (S5)", highest, sp.last)
	}
	for _, d := range p.due {
		rec := p.recs.at(int(d.rec), &s.shape)
		if listed[d.rec] && d.closes > s.closes(sp, int64(rec[sessionLast])) {
			return fmt.Errorf("session %d closes at %d, before %d in the heap", d.rec, s.closes(sp, int64(rec[sessionLast])), d.closes)
		}
		delete(listed, d.rec)
	}
	if len(listed) > 0 {
		return fmt.Errorf("sessions %v aren't in the heap", listed)
	}
	return nil
}

// sessionsOf is the engine's first output of sessions.
func sessionsOf(e *Engine) *sessions {
	for i := range e.outs {
		if s := e.outs[i].sess; s != nil {
			return s
		}
	}
	return nil
}

// The invariants hold after every step, and Bound and EachOpen say what the open sessions say one by one, be they in
// memory or not.
func TestSessionsInvariants(t *testing.T) {
	t.Logf("seed %d", seed)
	for i := range 40 {
		r := rand.New(rand.NewPCG(seed, 2_000+uint64(i)))
		o := Output{Name: "s", Size: []int64{35, 90, 400}[r.IntN(3)], Gap: []int64{2, 6, 20}[r.IntN(3)], Lateness: r.Int64N(20), Aggs: allAggs()[:3]}
		w := mixedWorkload(r, 2, 150)
		w.outputs = []Output{o}
		s := w.schedule(r)
		s.memory = []int64{0, 1, 6_000}[r.IntN(3)]
		x := &run{t: t, w: w, s: s, back: backingtest.New()}
		x.results, x.missed, x.next, x.marks = map[string]string{}, make([]int, 1), make([]int, 2), []int64{NoWatermark, NoWatermark}
		x.open()
		for range s.order {
			x.step()
			if r.IntN(9) == 0 {
				x.close(slices.Min(x.marks))
			}
			if r.IntN(6) == 0 {
				x.write()
			}
			if r.IntN(30) == 0 {
				x.write()
				x.open()
			}
			if err := sessionsOf(x.e).faults(); err != nil {
				t.Fatalf("workload %d: %v", i, err)
			}
			if r.IntN(4) == 0 {
				checkOpen(t, x, r)
			}
		}
	}
}

// checkOpen compares with a copy of the engine that is restarted with all memory and closed step by step.
func checkOpen(t *testing.T, x *run, r *rand.Rand) {
	t.Helper()
	limit := x.marks[0] + r.Int64N(120) - 40
	got, ok := x.e.Bound(limit)
	lowest := map[int64]int64{}
	x.e.EachOpen(func(w OpenWindow) bool { lowest[w.Start] = w.Closes; return true })
	open := x.e.OpenWindows()[0]
	x.write() // what follows is only read from the copy
	e, err := NewEngine(x.w.outputs, x.back.Clone(), EngineOptions{})
	if err != nil {
		t.Fatal(err)
	}
	out := &x.w.outputs[0]
	want, has, n := int64(0), false, 0
	first := map[int64]int64{}
	err = e.Close(1<<60, func(res *Result) error {
		n++
		if res.End <= limit && (!has || res.End+out.Lateness > want) {
			want, has = res.End+out.Lateness, true
		}
		start := floor(res.Start, out.Size)
		if at, ok := first[start]; !ok || res.End+out.Lateness < at {
			first[start] = res.End + out.Lateness
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if n != open || got != want || ok != has || fmt.Sprint(lowest) != fmt.Sprint(first) {
		t.Fatalf("%d open, bound(%d) %d %v, first to close %v; one by one: %d, %d %v, %v", open, limit, got, ok, lowest, n, want, has, first)
	}
}

// Without a Backing Write gives the same state.
func TestWriteOfSessionsWithoutABacking(t *testing.T) {
	t.Logf("seed %d", seed)
	for i := range 20 {
		r := rand.New(rand.NewPCG(seed, 3_000+uint64(i)))
		w := mixedWorkload(r, 1, 120)
		with, without := backingtest.New(), backingtest.New()
		a := engine(t, w.outputs, with, 0)
		b := engine(t, w.outputs, nil, 0)
		mark, in := int64(NoWatermark), Input{}
		for _, o := range w.logs[0] {
			for _, e := range []*Engine{a, b} {
				if _, err := e.Add(o.fill(&in, len(w.outputs)), mark); err != nil {
					t.Fatal(err)
				}
			}
			mark = max(mark, o.time-modelBound)
			if r.IntN(8) > 0 {
				continue
			}
			for e, back := range map[*Engine]*backingtest.Store{a: with, b: without} {
				if err := e.Close(mark, ignore); err != nil {
					t.Fatal(err)
				}
				if err := apply(back, e); err != nil {
					t.Fatal(err)
				}
			}
			if got, want := without.String(), with.String(); got != want {
				t.Fatalf("workload %d: state\n%s\nwith a Backing\n%s", i, got, want)
			}
		}
	}
}
