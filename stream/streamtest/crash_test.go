package streamtest_test

import (
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/tidemark-io/tidemark/stream/streamtest"
	"github.com/tidemark-io/tidemark/stream/streamtest/realkafka"
	"github.com/tidemark-io/tidemark/stream/streamtest/trial"
)

// TestCrashesLoseNothing kills the real program at random moments while events keep coming into a real broker, then kills the reconciler,
// and holds what is left against everything that is promised. A tenth of TIDEMARK_CRASHES sets how often (at least 8, a quarter of
// it more for the reconciler), TIDEMARK_SEED the moments.
func TestCrashesLoseNothing(t *testing.T) {
	crashes, seed := max(trial.EnvInt(t, "TIDEMARK_CRASHES", 0)/10, 8), uint64(trial.EnvInt(t, "TIDEMARK_SEED", 1))
	t.Logf("crashes %d, seed %d", crashes, seed)
	moments := rand.New(rand.NewPCG(seed, 9))
	program := trial.Program(t)
	w := newWorld(t, []string{realkafka.Start(t).Addr()}, trial.Settings{Commit: 20 * time.Millisecond, Checkpoint: time.Second, Roll: "300ms", Partitions: 4})
	p := streamtest.Profile{Seed: seed, Events: 400 * (crashes + 1), Customers: 20, Late: 0.08, Duplicates: 0.05, Conflicts: 0.02, Invalid: 0.01}
	log := p.Log()
	w.Produce(log[:10])

	seen := w.Watch()
	var producing sync.WaitGroup
	producing.Go(func() { w.Trickle(log[10:], time.Duration(crashes)*800*time.Millisecond) })
	for range crashes {
		w.KillAfter(program, time.Duration(100+moments.IntN(1400))*time.Millisecond, "run", "-f", "orders.yaml", "--id", "a")
		if moments.IntN(5) == 0 {
			w.LoseDisk()
		}
	}
	producing.Wait()
	w.Must(program, 0, "run", "-f", "orders.yaml", "--id", "a", "--until", "end")

	for range max(crashes/4, 1) {
		w.KillAfter(program, time.Duration(20+moments.IntN(500))*time.Millisecond, "reconcile", "run", "-f", "orders.yaml")
	}
	w.Must(program, 0, "reconcile", "run", "-f", "orders.yaml")
	w.Must(program, 0, "audit", "-f", "orders.yaml")
	w.Judge(log)
	t.Logf("a reader saw %d records meanwhile", seen.Stop())
}
