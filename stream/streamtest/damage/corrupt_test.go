package damage_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidemark-io/tidemark/lake"
	"github.com/tidemark-io/tidemark/lake/blob"
	"github.com/tidemark-io/tidemark/state"
	"github.com/tidemark-io/tidemark/state/statetest"
	"github.com/tidemark-io/tidemark/stream/pipeline"
	"github.com/tidemark-io/tidemark/stream/streamtest/trial"
)

// TestCorruption (invariant 3) alters something at rest, goes on, and holds what follows against a batch over all records.
func TestCorruption(t *testing.T) {
	n, seed := campaign(t, 100)
	plans := map[string]*pipeline.Plan{}
	for _, name := range shapeNames {
		plans[name] = compiled(t, name)
	}
	all := append(kept(t), seeds(n, seed)...)
	y, began := tally{counts: map[string]int64{}}, time.Now()
	t.Run("cases", func(t *testing.T) {
		for _, s := range all {
			plan := plans[shapeNames[s%uint64(len(shapeNames))]]
			y.run(t, fmt.Sprintf("seed=%d", s), func(t *testing.T) string { return corruptOnce(t, plan, s) })
		}
	})
	for _, k := range slices.Sorted(maps.Keys(y.counts)) {
		t.Logf("%5d %s", y.counts[k], k)
	}
	trial.Record(t, trial.Result{Campaign: "corruption", N: len(all), Seed: seed, Failures: y.failures, Counts: y.counts, Broker: "kfake", Seconds: time.Since(began).Seconds()})
}

// corruptOnce is one case: it returns what came of it, by kind.
func corruptOnce(t *testing.T, plan *pipeline.Plan, seed uint64) string {
	r := rand.New(rand.NewPCG(seed, 1905))
	log := generate(plan, seed, 90+r.IntN(60))
	w := newWorld(t, plan, log, blob.NewMemory(), statetest.NewMem())
	w.produce(len(log) / 3)
	w.must(w.toHere())
	if r.IntN(2) == 0 {
		_, err := w.apply()
		w.must(err)
	}
	before := w.rest()
	w.produce(len(log) * 2 / 3)
	if r.IntN(2) == 0 {
		w.must(w.toHere())
	} else {
		_, err := w.toEnd()
		w.must(err)
	}
	_, err := w.apply()
	w.must(err)
	w.said.take()

	at := w.rest()
	m := mutate(r, at, before)
	for _, p := range m.to.paths() {
		w.put(p, m.to[p])
	}
	found := w.verify()
	signals := w.goOn()
	wrong := w.wrong()
	if strings.Contains(strings.Join(signals, "\n"), hangs) {
		t.Errorf("seed %d: %s: the stream goes on for ever: %q", seed, m, signals)
	}
	switch {
	case wrong != nil && len(signals) == 0 && len(found) == 0:
		t.Errorf("seed %d: %s: accepted silently: %v", seed, m, wrong)
	case wrong == nil && len(signals) == 0 && len(found) == 0 && !m.older && harmless(m, at) == "":
		t.Errorf("seed %d: %s: nobody noticed, and it is not known to be harmless", seed, m)
	case len(signals)+len(found) > 0 && !named(m, append(signals, found...)):
		t.Errorf("seed %d: %s: none of these names it:\n%s", seed, m, strings.Join(append(found, signals...), "\n"))
	}
	if testing.Verbose() {
		t.Logf("%s\nfound:\n%s\nsignals, %d:\n%s\nwrong: %v", m, strings.Join(found, "\n"), len(signals), strings.Join(signals[:min(len(signals), 10)], "\n"), wrong)
	}
	if !m.older {
		w.overlaps = w.putBack(m, at)
	}
	if err := w.finish(); err != nil {
		t.Errorf("seed %d: %s: with the original back: %v\nfound %q\nsignals %q\nsaid %q", seed, m, err, found, signals, w.said.take())
	}
	return fmt.Sprintf("%-20s %s", m.kind, outcome(m, at, found, signals, wrong))
}

func outcome(m *mutation, at rest, found, signals []string, wrong error) string {
	switch {
	case len(signals) > 0 && wrong != nil:
		return "stopped, with a signal"
	case len(signals) > 0:
		return "said and right"
	case len(found) > 0:
		return "found by verifying only"
	case m.older:
		return "older, and right"
	}
	return "harmless: " + harmless(m, at)
}

// verify is what an operator can run while nothing else does: it returns what it finds.
func (w *world) verify() (found []string) {
	ctx := w.t.Context()
	shared, err := state.NewShared(state.SharedOptions{FS: w.disk, CacheBytes: 1 << 20})
	w.must(err)
	for task := range width {
		dir := fmt.Sprintf("/state/shape/a/%d", task)
		note := func(f state.Fault) { found = append(found, dir+": "+f.String()) }
		if err := state.Check(dir, shared, note); err != nil {
			found = append(found, err.Error())
		}
		prefix := fmt.Sprintf("checkpoints/shape/%d", task)
		names, err := state.Manifests(ctx, w.bucket, prefix)
		w.must(err)
		for _, name := range names {
			note := func(f state.Fault) { found = append(found, name.Key+": "+f.String()) }
			if err := state.CheckManifest(ctx, w.bucket, prefix, name.Key, "/scratch", shared, note); err != nil {
				found = append(found, err.Error())
			}
		}
	}
	w.must(shared.Close())
	for _, topic := range w.topics() {
		_, err := lake.Check(ctx, w.bucket, topic, func(f lake.Fault) {
			if !f.Kind.Harmless() {
				found = append(found, f.String())
			}
		})
		if err != nil {
			found = append(found, err.Error())
		}
	}
	return found
}

// topics are all that are landed.
func (w *world) topics() []string {
	var names []string
	for i := range w.plan.Sources {
		names = append(names, w.plan.Sources[i].Topic)
	}
	return append(names, w.written()...)
}

// goOn starts the program on what there is and returns everything by which it tells that something is wrong.
func (w *world) goOn() (signals []string) {
	say := func(what string, err error) {
		if err != nil {
			signals = append(signals, what+": "+err.Error())
		}
	}
	w.produce(len(w.log))
	_, err := w.toEnd()
	say("stream", err)
	_, err = w.apply()
	say("reconcile", err)
	a, err := w.reconciler().Audit(w.t.Context())
	say("audit", err)
	if err == nil && a.Difference != nil {
		say("audit", fmt.Errorf("%+v", *a.Difference))
	}
	return append(signals, w.said.take()...)
}

// wrong is what is wrong with the results, whatever was said.
func (w *world) wrong() error {
	var f faults
	w.results(&f)
	return f.err()
}

// named reports whether what was said names something that was altered.
func named(m *mutation, said []string) bool {
	for p := range m.to {
		if slices.ContainsFunc(said, func(s string) bool { return names(s, p) }) {
			return true
		}
	}
	return false
}

// putBack is what an operator does about it: the objects of the bucket as they were. A disk mends itself. An entry of a log that
// was gone from its midst is there again by now, if its range is still in Kafka, and reaches over the next ones: that stays.
func (w *world) putBack(m *mutation, at rest) (overlaps bool) {
	for _, p := range m.to.paths() {
		if strings.HasPrefix(p, "/") {
			continue
		}
		if m.to[p] == nil && strings.HasSuffix(string(m.kind), "log entry") {
			if _, err := w.bucket.Get(w.t.Context(), p); err == nil {
				overlaps = true
				continue
			}
		}
		if at[p] == nil {
			w.t.Fatal(errors.New("a mutation made an object"))
		}
		w.put(p, at[p])
	}
	return overlaps
}
