package streamtest_test

import (
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/tidemark-io/tidemark/stream/streamtest/realkafka"
	"github.com/tidemark-io/tidemark/stream/streamtest/trial"
)

// TestCrashedShapesLoseNothing kills the real program, two processes of it in turn, while events come into a real broker,
// for pipelines whose tasks have several inputs: a repartition topic, and two sources of a join. A disk is lost now and then.
// A tenth of TIDEMARK_CRASHES sets how often for each shape (at least 3), TIDEMARK_SEED the moments.
func TestCrashedShapesLoseNothing(t *testing.T) {
	crashes, seed := max(trial.EnvInt(t, "TIDEMARK_CRASHES", 0)/10, 3), uint64(trial.EnvInt(t, "TIDEMARK_SEED", 1))
	t.Logf("crashes %d, seed %d", crashes, seed)
	program := trial.Program(t)
	for _, name := range []string{"rekeyed", "enriched"} {
		t.Run(name, func(t *testing.T) {
			s := newShape(t, []string{realkafka.Start(t).Addr()}, name)
			s.Generate(seed, 300*(crashes+1))
			s.Produce(0, 10)
			seen := s.Watch()
			var producing sync.WaitGroup
			producing.Go(func() { s.Trickle(10, time.Duration(crashes)*700*time.Millisecond) })
			moments := rand.New(rand.NewPCG(seed, 10))
			for i := range crashes {
				id := []string{"a", "b"}[moments.IntN(2)]
				s.KillAfter(program, time.Duration(200+moments.IntN(1300))*time.Millisecond, "run", "-f", "shape.yaml", "--id", id)
				if i%3 == 2 {
					s.LoseDisk(id)
				}
			}
			producing.Wait()
			sum := s.RunBoth()
			if !sum.Balanced() || sum.Counters.Consumed != int64(len(s.Sent)) {
				t.Errorf("%d records: %+v", len(s.Sent), sum.Counters)
			}
			s.Judge(len(s.Sent))
			t.Logf("a reader saw %d records meanwhile", seen.Stop())
		})
	}
}
