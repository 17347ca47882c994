package aggregates

import "github.com/tidemark-io/tidemark/stream/window"

// Definitions are the built-in aggregates of this package, sorted by name. min, max, sum and mean are those of what the
// engine's words (window.Min, ...) don't hold, strings, bytes and decimals: they refuse ints and floats, for which a
// caller takes the words.
func Definitions() []window.Definition {
	return []window.Definition{
		truthOf("all", true),
		truthOf("any", false),
		{Name: "approx_distinct", Params: "(value)", New: approxDistinctMade},
		{Name: "distinct", Params: "(value[, limit])", Max: 1, New: distinctMade},
		positionOf("first", false),
		{Name: "histogram", Params: "(number, [bounds])", Min: 1, Max: 1, New: histogramMade},
		positionOf("last", true),
		extremeOf("max", true),
		decimalSumOf("mean", true),
		extremeOf("min", false),
		{Name: "quantile", Params: "(number, quantile)", Min: 1, Max: 1, New: quantileMade},
		varianceOf("stddev", false, true),
		varianceOf("stddev_pop", true, true),
		decimalSumOf("sum", false),
		{Name: "top_k", Params: "(value, k[, limit])", Min: 1, Max: 2, New: topKMade},
		{Name: "top_values", Params: "(value, k)", Min: 1, Max: 1, New: topValuesMade},
		varianceOf("variance", false, false),
		varianceOf("variance_pop", true, false),
	}
}
