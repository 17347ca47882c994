package window

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// mixedWorkload draws three outputs of mixed kinds, at least one of sessions, over random logs.
func mixedWorkload(r *rand.Rand, partitions, events int) *workload {
	w := newWorkload(r, partitions, events)
	w.outputs = nil
	for i := range 3 {
		o := Output{Name: fmt.Sprint("o", i), Size: []int64{20, 35, 90, 400}[r.IntN(4)], Lateness: []int64{0, 2, 8, 30}[r.IntN(4)], Aggs: allAggs()}
		switch kind := r.IntN(4); {
		case i == 0 || kind > 1:
			o.Gap = []int64{1, 3, 6, 20}[r.IntN(4)]
		case kind == 1:
			o.Every = 5 + r.Int64N(o.Size-4)
		}
		w.outputs = append(w.outputs, o)
	}
	r.Shuffle(3, func(i, j int) { w.outputs[i], w.outputs[j] = w.outputs[j], w.outputs[i] })
	return w
}

// mixedOracle is what the definitions say of the logs as a whole: for each output and key the set of events on time;
// sessions are that set sorted and split where there is a gap or a span ends. It folds with math/big.
type mixedOracle struct {
	w        *workload
	verdicts [3]int
	missed   []int
	seen     map[string]bool
	filled   map[string]bool         // identity and window
	sets     map[string][]occurrence // of windows that don't depend on events: output, start, key
	copies   map[string]int
	loose    []map[string][]occurrence // of sessions: per output, by key
	again    []map[string][]int64      // times of copies
}

func newMixedOracle(w *workload) *mixedOracle {
	o := &mixedOracle{
		w: w, missed: make([]int, len(w.outputs)), seen: map[string]bool{}, filled: map[string]bool{},
		sets: map[string][]occurrence{}, copies: map[string]int{},
	}
	for range w.outputs {
		o.loose, o.again = append(o.loose, map[string][]occurrence{}), append(o.again, map[string][]int64{})
	}
	for _, log := range w.logs {
		mark := int64(NoWatermark)
		for _, ev := range log {
			o.judge(ev, mark)
			mark = max(mark, ev.time-modelBound)
		}
	}
	return o
}

// starts is the windows of a time, by brute force.
func starts(out *Output, t int64) (all []int64) {
	every := out.Every
	if every == 0 {
		every = out.Size
	}
	for s := floor(t, every); s > t-out.Size; s -= every {
		all = append(all, s)
	}
	return all
}

func (o *mixedOracle) judge(ev occurrence, mark int64) {
	windows, late := 0, 0
	var fill []func()
	missed := make([]int, len(o.w.outputs))
	take := func(i int, closes int64, f func()) {
		windows++
		if mark >= closes {
			late++
			missed[i]++
			return
		}
		fill = append(fill, f)
	}
	id := fmt.Sprint(ev.id, " ", ev.time, " ")
	for i := range o.w.outputs {
		out := &o.w.outputs[i]
		if out.Gap > 0 {
			take(i, ev.time+out.Lateness, func() { o.fillSession(i, id, ev) })
			continue
		}
		for _, s := range starts(out, ev.time) {
			take(i, s+out.Size+out.Lateness, func() { o.fillWindow(fmt.Sprintf("%d %d %s", i, s, ev.key), id, ev) })
		}
	}
	if late == windows {
		o.verdicts[Late]++
		return
	}
	if ev.id != 0 && o.seen[id] {
		o.verdicts[Duplicate]++
	} else {
		o.verdicts[Aggregated]++
	}
	o.seen[id] = true
	for i, n := range missed {
		o.missed[i] += n
	}
	for _, f := range fill {
		f()
	}
}

func (o *mixedOracle) fillWindow(at, id string, ev occurrence) {
	if ev.id != 0 && o.filled[id+at] {
		o.copies[at]++
		return
	}
	o.filled[id+at] = true
	o.sets[at] = append(o.sets[at], ev)
}

func (o *mixedOracle) fillSession(i int, id string, ev occurrence) {
	at := fmt.Sprint("session ", i)
	if ev.id != 0 && o.filled[id+at] {
		o.again[i][ev.key] = append(o.again[i][ev.key], ev.time)
		return
	}
	o.filled[id+at] = true
	o.loose[i][ev.key] = append(o.loose[i][ev.key], ev)
}

func (o *mixedOracle) results() map[string]string {
	all := map[string]string{}
	for at, set := range o.sets {
		all[at] = describeSet(set, o.copies[at])
	}
	for i, keys := range o.loose {
		out := &o.w.outputs[i]
		for key, events := range keys {
			slices.SortFunc(events, func(x, y occurrence) int { return cmp.Compare(x.time, y.time) })
			for from, n := 0, 1; n <= len(events); n++ {
				if n < len(events) && events[n].time-events[n-1].time < out.Gap && floor(events[n].time, out.Size) == floor(events[from].time, out.Size) {
					continue
				}
				first, last := events[from].time, events[n-1].time
				copies := 0
				for _, t := range o.again[i][key] {
					if first <= t && t <= last {
						copies++
					}
				}
				all[fmt.Sprintf("%d %d %s", i, first, key)] = describeSet(events[from:n], copies)
				from = n
			}
		}
	}
	return all
}

// Laws L1 and L4 for engines of tumbling windows, hopping windows and sessions together: any interleaving, any places
// of Close, Write, crash and eviction end in the same bytes, results and counters, and these are what the
// definitions say.
func TestSessionsSameCutSameState(t *testing.T) {
	t.Logf("seed %d", seed)
	joined, split := 0, 0
	for i := range 60 {
		r := rand.New(rand.NewPCG(seed, 1_000+uint64(i)))
		w := mixedWorkload(r, 1+i%3, 60+r.IntN(200))
		want := w.run(t, &schedule{order: w.interleaving(r), r: r})
		for range 3 {
			s := w.schedule(r)
			x := w.run(t, s)
			if got, want := x.outcome(), want.outcome(); got != want {
				t.Fatalf("workload %d, outputs %+v: schedule close %d write %d crash %d memory %d\nstate\n%s\nis\n%s\nresults\n%s\nare\n%s\nverdicts %s, are %s",
					i, w.outputs, s.close, s.write, s.crash, s.memory, want.state, got.state, want.results, got.results, want.verdicts, got.verdicts)
			}
		}
		checkMixedOracle(t, w, want)
		for at := range want.results {
			var out int
			var start int64
			if _, err := fmt.Sscan(at, &out, &start); err != nil {
				t.Fatal(err)
			}
			if w.outputs[out].Gap > 1 {
				joined++
			}
		}
		split += len(want.results)
	}
	if joined < 500 || split < 3_000 {
		t.Fatalf("%d results, %d of them sessions: too few to show anything", split, joined)
	}
}

func checkMixedOracle(t *testing.T, w *workload, x *run) {
	t.Helper()
	o := newMixedOracle(w)
	x.drain(show(o.results()), fmt.Sprint(o.verdicts, o.missed))
}
