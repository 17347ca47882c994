package damage_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/tidemark-io/tidemark/lake/blob"
	"github.com/tidemark-io/tidemark/state/statetest"
	"github.com/tidemark-io/tidemark/stream"
)

// evenly gives a log in which both partitions have equally many records at every even place, so that their tasks are at the same
// offsets.
func evenly(log []sent) (even []sent) {
	var waiting [width][]sent
	for _, m := range log {
		waiting[m.partition] = append(waiting[m.partition], m)
		if len(waiting[0]) > 0 && len(waiting[1]) > 0 {
			even = append(even, waiting[0][0], waiting[1][0])
			waiting[0], waiting[1] = waiting[0][1:], waiting[1][1:]
		}
	}
	return even
}

// Two tasks whose state directories, or checkpoints, were put in each other's place are at the same offsets, and still neither
// takes the other's state for its own: what came of it would be published with the next commit.
func TestStateOfAnotherTask(t *testing.T) {
	plan := compiled(t, "tumbling")
	for _, what := range []string{"state", "checkpoints"} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				log := evenly(generate(plan, 4, 150))
				w := newWorld(t, plan, log, blob.NewMemory(), statetest.NewMem())
				w.produce(len(log) / 4 * 2)
				w.must(w.toHere())
				at := w.rest()
				from, to := "/state/shape/a/0/", "/state/shape/a/1/"
				if what == "checkpoints" {
					from, to = "checkpoints/shape/0/", "checkpoints/shape/1/"
					w.must(w.disk.RemoveAll("/state"))
				}
				m := exchange(at, from, to)
				for _, p := range m.to.paths() {
					w.put(p, m.to[p])
				}
				if err := w.finish(); err != nil {
					t.Errorf("%v\nsaid %q", err, w.said.take())
				}
				if said := strings.Join(w.said.take(), "\n"); !strings.Contains(said, "task") {
					t.Errorf("nobody said that the %s are another task's: %q", what, said)
				}
			})
		})
	}
}

// A damaged log of a result topic stops the process, and is named; a session after the other would meet it again, and each would
// send its watermark into the repartition topic before it does.
func TestDamagedResultsStop(t *testing.T) {
	plan := compiled(t, "rekeyed")
	synctest.Test(t, func(t *testing.T) {
		log := generate(plan, 1, 100)
		w := newWorld(t, plan, log, blob.NewMemory(), statetest.NewMem())
		w.produce(len(log) / 2)
		w.must(w.toHere())
		const start = "raw/by-page/_log/_start/0000000000.json"
		good := w.rest()[start]
		w.put(start, []byte("{}"))
		w.produce(len(log))
		_, err := w.toEnd()
		var stop *stream.StopError
		if !errors.As(err, &stop) || !strings.Contains(err.Error(), start) || strings.Contains(err.Error(), hangs) {
			t.Errorf("the stream ended with %v", err)
		}
		w.put(start, good)
		if err := w.finish(); err != nil {
			t.Error(err)
		}
	})
}
