package damage_test

import (
	"os"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
)

// fromEnv is a number that the environment may set.
func fromEnv(t testing.TB, name string, usual int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return usual
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		t.Fatalf("%s=%q: want a number", name, text)
	}
	return n
}

// campaign is how many cases there are, and the seed of the first.
func campaign(t testing.TB, usual int) (n int, seed uint64) {
	t.Helper()
	n, seed = fromEnv(t, "TIDEMARK_N", usual), uint64(fromEnv(t, "TIDEMARK_SEED", 1))
	t.Logf("%d cases from seed %d", n, seed)
	return n, seed
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
