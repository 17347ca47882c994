package rough_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tidemark-io/tidemark/stream/streamtest/trial"
)

// TestRaces has everything at work at once: two processes that stream and land, two reconcilers, and whoever verifies the lake
// and prunes checkpoints; each round, one or two of them are killed. TIDEMARK_N sets the rounds.
func TestRaces(t *testing.T) {
	t.Parallel()
	n, seed := trial.EnvInt(t, "TIDEMARK_N", 5), uint64(trial.EnvInt(t, "TIDEMARK_SEED", 1))
	began := time.Now()
	draw := rand.New(rand.NewPCG(seed, 99))
	counts := map[string]int64{}
	w := newWorld(t, scene{seed: seed, session: 6 * time.Second, transaction: 5 * time.Second, events: 20_000 + 1_500*n})
	w.begin(150)
	here := []*supervisor{w.supervise("a"), w.supervise("b")}
	w.allMove(here[0].process(), here[1].process())
	for range n {
		w.race(draw, here, counts)
		if t.Failed() {
			break
		}
	}
	longest, _, moved := stall(w.ledger.snapshot())
	counts["stall max ms"], counts["tasks moved"] = longest.Milliseconds(), int64(moved)
	for _, s := range here {
		s.close()
	}
	w.finish()
	record(t, "lander, task and reconciler racing", n, seed, began, func(yield func(map[string]int64)) { yield(counts) })
}

// race is one round.
func (w *world) race(draw *rand.Rand, here []*supervisor, counts map[string]int64) {
	w.TB.Helper()
	jobs := map[string]*process{
		"reconcile": w.spawn([]string{"reconcile", "run"}),
		"again":     w.spawn([]string{"reconcile", "run"}),
		"verify":    w.spawn([]string{"lake", "verify"}),
		"prune":     w.spawn([]string{"checkpoint", "prune", "--keep", "1"}),
	}
	rest(w.TB.Context(), time.Duration(20+draw.IntN(800))*time.Millisecond)
	if draw.IntN(3) > 0 {
		victim := []string{"reconcile", "again", "prune"}[draw.IntN(3)]
		if !jobs[victim].ended() {
			counts["killed "+victim]++
		}
		jobs[victim].kill()
	}
	if draw.IntN(3) > 0 {
		here[draw.IntN(2)].process().kill()
		counts["killed run"]++
	}
	for name, p := range jobs {
		switch name {
		case "verify":
			p.end(0)
		case "prune":
			p.end(0, -1, exitTryAgain)
		default:
			p.end(0, -1, exitTryAgain)
		}
		counts[name]++
	}
}
