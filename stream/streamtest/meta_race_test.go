//go:build race

package streamtest

// metaCases is fewer than without the race detector, which makes each ten times as long.
const metaCases = 2_000
