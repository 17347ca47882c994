package trial

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

// EnvInt is a number that the environment may set for a campaign.
func EnvInt(tb testing.TB, name string, def int) int {
	tb.Helper()
	s := os.Getenv(name)
	if s == "" {
		return def
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 {
		tb.Fatalf("%s=%q: want a number", name, s)
	}
	return n
}

// KeptSeeds reads the seeds that failed once, a line each, with a remark behind #.
func KeptSeeds(tb testing.TB, file string) (seeds []uint64) {
	tb.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		tb.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "#")
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		seed, err := strconv.ParseUint(line, 10, 64)
		if err != nil {
			tb.Fatalf("%s: %v", file, err)
		}
		seeds = append(seeds, seed)
	}
	return seeds
}
