package join

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/tidemark-io/tidemark/stream/window"
	"github.com/tidemark-io/tidemark/stream/window/backingtest"
)

const seed = 20130101

func kindOf(enrich bool) string {
	if enrich {
		return "enrichment"
	}
	return "interval"
}

// Law L1 and the cut law (L4), invariants 1 to 7: any interleaving of the two sides, any places of Close and Write,
// crashes and evictions end in the same stored bytes, pairs and verdicts; and these are what the definitions say of
// the logs as a whole.
func TestSameCutSameState(t *testing.T) {
	for _, enrich := range []bool{false, true} {
		t.Run(kindOf(enrich), func(t *testing.T) {
			pairs := 0
			for i := range 150 {
				r := rand.New(rand.NewPCG(seed, uint64(i)))
				w := newWorkload(r, enrich, 60+r.IntN(200))
				want := w.run(t, &schedule{order: w.interleaving(r), r: r}, false)
				for range 4 {
					s := w.schedule(r)
					x := w.run(t, s, false)
					x.checkBound(r)
					if got, want := x.outcome(), want.outcome(); got != want {
						t.Fatalf("workload %d: schedule close %d write %d crash %d memory %d\nstate\n%s\nis\n%s\npairs\n%s\nare\n%s\nverdicts %s, are %s, buffered %d, are %d",
							i, s.close, s.write, s.crash, s.memory, want.state, got.state, want.pairs, got.pairs, want.verdicts, got.verdicts, want.buffered, got.buffered)
					}
				}
				checkTruth(t, w, want)
				pairs += len(want.pairs)
			}
			if pairs < 1000 {
				t.Fatalf("%d pairs in all: the workloads show nothing", pairs)
			}
		})
	}
}

// checkTruth compares what is kept with the definitions, drains the run and compares what it has emitted.
func checkTruth(t *testing.T, w *workload, x *run) {
	t.Helper()
	truth := w.truth()
	if got, want := fmt.Sprint(keptIn(t, x.back)), fmt.Sprint(w.kept(truth, truth.low)); got != want {
		t.Fatalf("the state holds\n%s\nthe definitions say\n%s", got, want)
	}
	if got, want := x.op.Buffered(), len(w.kept(truth, truth.low)); got != want {
		t.Fatalf("%d events are buffered, the definitions say %d", got, want)
	}
	if bound, ok, err := x.op.Bound(window.TimeMax); err != nil || ok != (w.enrich && len(x.pairs) < len(truth.pairs)) {
		t.Fatalf("bound %d, %v, %v, when %d of %d pairs are emitted", bound, ok, err, len(x.pairs), len(truth.pairs))
	} else if ok {
		x.close(bound - 1)
		if len(x.pairs) == len(truth.pairs) {
			t.Fatalf("the bound %d isn't the lowest", bound)
		}
		x.close(bound)
	}
	if got, want := show(x.pairs), show(truth.pairs); got != want {
		t.Fatalf("pairs\n%s\nthe definitions say\n%s", got, want)
	}
	if got, want := x.verdicts, truth.verdicts; got != want {
		t.Fatalf("verdicts %d, the definitions say %d", got, want)
	}
	x.close(1 << 60)
	x.write()
	left := len(w.kept(truth, 1<<60))
	if n := len(x.back.Keys()); n != 1+left {
		t.Fatalf("%d keys are stored when everything has closed, not the meta key and %d:\n%s", n, left, x.back.String())
	}
	if m := x.op.Memory(); left == 0 && m != 0 {
		t.Fatalf("%d bytes are accounted for when everything has closed", m)
	}
}

// checkBound compares Bound for some limits with the definitions.
func (x *run) checkBound(r *rand.Rand) {
	x.t.Helper()
	truth := x.w.truth()
	for range 5 {
		limit := truth.low + int64(r.IntN(60)-40)*x.w.unit
		want, held := int64(0), false
		for _, o := range truth.events[Left] {
			if x.w.enrich && o.t <= limit && truth.low < o.t+x.w.lateness && (!held || o.t+x.w.lateness > want) {
				want, held = o.t+x.w.lateness, true
			}
		}
		if got, ok, err := x.op.Bound(limit); err != nil || got != want || ok != held {
			x.t.Fatalf("the bound for %d is %d, %v, %v, the definitions say %d, %v", limit, got, ok, err, want, held)
		}
	}
}

// keptIn reads the events of a state.
func keptIn(t *testing.T, back *backingtest.Store) []string {
	t.Helper()
	var all []string
	for _, k := range back.Keys() {
		var ev event
		v, side, err := []byte(back.Value(k)), Left, error(nil)
		switch k[0] {
		case prefixEvent:
			side, err = Side(k[1]), byKey.parseEvent([]byte(k), v, 2, &ev)
		case prefixHeld:
			err = byTime.parseEvent([]byte(k), v, 1, &ev)
		case prefixVersion:
			side, err = Right, parseVersion([]byte(k), v, &ev)
		default:
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, fmt.Sprintf("%d %q %d %x: %q", side, ev.key, ev.t, ev.id, ev.row))
	}
	slices.Sort(all)
	return all
}

// The model lateness.py: judging lateness by the task's minimum, which looks right, gives other pairs for other
// interleavings. That it does so here shows that TestSameCutSameState can fail.
func TestLatenessByTheTasksMinimumIsWrong(t *testing.T) {
	for _, enrich := range []bool{false, true} {
		differ := 0
		for i := range 60 {
			r := rand.New(rand.NewPCG(seed, uint64(i)))
			w := newWorkload(r, enrich, 150)
			a := w.run(t, &schedule{order: w.interleaving(r), close: 1, r: r}, true)
			b := w.run(t, &schedule{order: w.interleaving(r), close: 1, r: r}, true)
			a.close(1 << 60)
			b.close(1 << 60)
			if show(a.pairs) != show(b.pairs) {
				differ++
			}
		}
		if differ < 15 {
			t.Errorf("%s: pairs differ in %d of 60 workloads only", kindOf(enrich), differ)
		}
	}
}
