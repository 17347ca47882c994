package damage_test

import (
	"os"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/tidemark-io/tidemark/stream/streamtest/trial"
)

// campaign is how many cases there are, and the seed of the first.
func campaign(t testing.TB, usual int) (n int, seed uint64) {
	t.Helper()
	n, seed = trial.EnvInt(t, "TIDEMARK_N", usual), uint64(trial.EnvInt(t, "TIDEMARK_SEED", 1))
	t.Logf("%d cases from seed %d", n, seed)
	return n, seed
}

// seeds are n of them from the first on.
func seeds(n int, first uint64) []uint64 {
	all := make([]uint64, n)
	for i := range all {
		all[i] = first + uint64(i)
	}
	return all
}

const keptSeeds = "testdata/seeds.txt"

// kept are the seeds of TestCorruption that failed once: every run begins with them, but for one that asks for a seed.
func kept(t testing.TB) []uint64 {
	t.Helper()
	if os.Getenv("TIDEMARK_SEED") != "" {
		return nil
	}
	return trial.KeptSeeds(t, keptSeeds)
}

// tally counts what came of the cases, which run side by side.
type tally struct {
	mu       sync.Mutex
	counts   map[string]int64
	failures int
}

// run is one case, in virtual time. What it returns is counted.
func (y *tally) run(t *testing.T, name string, do func(*testing.T) string) {
	t.Run(name, func(t *testing.T) {
		t.Parallel()
		what := "no outcome"
		synctest.Test(t, func(t *testing.T) { what = do(t) })
		y.mu.Lock()
		defer y.mu.Unlock()
		y.counts[what]++
		if t.Failed() {
			y.failures++
		}
	})
}
