//go:build !race

package streamtest

// metaCases is how many cases TestMeta runs, unless TIDEMARK_META_CASES says otherwise.
const metaCases = 20_000
