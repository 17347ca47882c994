package damage_test

import (
	"os"
	"strconv"
	"testing"
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
