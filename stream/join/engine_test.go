package join

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/window"
)

// Invariant 3 as callers use it: a window engine behind the join, closed after it with the same watermarks and given
// pairs with the watermark Closed, takes every pair in time, and its results are what the definitions say.
func TestPairsAreNeverLateForWindows(t *testing.T) {
	for i := range 200 {
		r := rand.New(rand.NewPCG(seed, uint64(i)))
		w := newWorkload(r, i%2 == 0, 150)
		b := behind{t: t, size: []int64{1, 3, 10}[r.IntN(3)] * w.unit, counts: map[int64]int64{}}
		outputs := []window.Output{{Name: "pairs", Size: b.size, Lateness: w.lateness, Aggs: []window.Agg{{Name: "n", Func: window.Count, Arg: -1}}}}
		var err error
		if b.engine, err = window.NewEngine(outputs, nil, window.EngineOptions{}); err != nil {
			t.Fatal(err)
		}
		if b.op, err = w.operator(nil, 0); err != nil {
			t.Fatal(err)
		}
		b.run(w, w.interleaving(r), r)
		want := map[int64]int64{}
		for _, pair := range w.truth().pairs {
			var at int64
			if _, err := fmt.Sscan(pair, &at); err != nil {
				t.Fatal(err)
			}
			want[floorTo(at, b.size)]++
		}
		if !maps.Equal(b.counts, want) {
			t.Fatalf("workload %d: windows have %v pairs, the definitions say %v", i, b.counts, want)
		}
	}
}

// behind is a join and the window engine behind it.
type behind struct {
	t      *testing.T
	op     Operator
	engine *window.Engine
	size   int64
	counts map[int64]int64 // pairs of closed windows by start
}

func (b *behind) run(w *workload, order []int, r *rand.Rand) {
	next, marks := make([]int, len(w.logs)), slices.Repeat([]int64{window.NoWatermark}, len(w.logs))
	for _, p := range order {
		o := &w.logs[p][next[p]]
		next[p]++
		if _, err := b.op.Add(o.side, []byte(o.key), o.t, o.id, o.hasID, []byte(o.row), marks[p], b.take); err != nil {
			b.t.Fatal(err)
		}
		marks[p] = max(marks[p], o.t-w.bound)
		if r.IntN(5) == 0 {
			b.close(slices.Min(marks))
		}
	}
	b.close(1 << 60)
}

func (b *behind) close(mark int64) {
	b.t.Helper()
	if err := b.op.Close(mark, b.take); err != nil {
		b.t.Fatal(err)
	}
	err := b.engine.Close(mark, func(r *window.Result) error {
		b.counts[r.Start] += r.Events
		return nil
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *behind) take(p *Pair) error {
	v, err := b.engine.Add(&window.Input{Time: p.Time, Keys: [][]byte{nil}, Args: [][]schema.Value{nil}}, b.op.Closed())
	if err == nil && v.Outcome != window.Aggregated {
		return fmt.Errorf("a pair at %d is %v, closed up to %d", p.Time, v.Outcome, b.op.Closed())
	}
	return err
}

// The model sessions_idle_joins.py, "joined time A": pairs at the time of their left event, which looks natural, come
// for windows that have closed. That it happens here shows that TestPairsAreNeverLateForWindows can fail.
func TestPairsAtTheLeftTimeWouldBeLate(t *testing.T) {
	late := 0
	for i := range 60 {
		r := rand.New(rand.NewPCG(seed, uint64(i)))
		w := newWorkload(r, false, 150)
		op, err := w.operator(nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		next, marks := make([]int, len(w.logs)), slices.Repeat([]int64{window.NoWatermark}, len(w.logs))
		for _, p := range w.interleaving(r) {
			o := &w.logs[p][next[p]]
			next[p]++
			_, err := op.Add(o.side, []byte(o.key), o.t, o.id, o.hasID, fmt.Append(nil, o.t), marks[p], func(p *Pair) error {
				var left int64
				_, err := fmt.Sscan(string(p.Left), &left)
				if op.Closed() >= left+w.lateness {
					late++
				}
				return err
			})
			marks[p] = max(marks[p], o.t-w.bound)
			if err == nil {
				err = op.Close(slices.Min(marks), nil)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	if late == 0 {
		t.Fatal("no pair at its left event's time would be late")
	}
}
