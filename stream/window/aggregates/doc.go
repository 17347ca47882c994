// Package aggregates owns the built-in aggregates beyond those that the engine of stream/window keeps in words:
// variance and standard deviation, first and last, quantiles, distinct counts, the most frequent and the greatest
// values, histograms, any and all, and what decimals, strings and bytes come to. [Definitions] names them. README.md
// has a table of all, FORMAT.md their bytes.
//
// # Invariants
//
//  1. What an accumulator holds, its bytes and its value are functions of the multiset of what was added (law L1): not
//     of order, split, merges, restarts, or machine. Where something is let go of (a limit exceeded, a bin too low, a
//     NaN), whether it is depends on the multiset alone, and what exceeds a limit goes on exceeding it.
//  2. Bytes are canonical; Decode takes what Append writes and nothing else.
//  3. Memory is bounded whatever the values: every list, sketch and table has a limit, beyond which the result is null,
//     or an approximation with a stated error.
//  4. Sums are exact, and rounded once when they are read. Nothing wraps: what doesn't fit its result is null.
//  5. No result depends on how a machine fuses or approximates floating-point operations.
//  6. NaN, infinities and -0 have a rule in each doc comment.
//
// Each aggregate's doc comment says what it means, how exact it is, what its state takes, and how it merges. All pass
// stream/window/windowtest, and are compared with independent oracles.
//
// # Files
//
//	definitions.go, params.go          names, parameters, types
//	form.go, reader.go, raw.go         values as keys, strict reading, composite results
//	integer.go, quotient.go            exact integers and rounding
//	variance.go, moments_*.go          variance, stddev
//	decimal_sum.go, extreme.go         sum, mean, min, max of what isn't in words
//	position.go                        first, last
//	quantile.go, bins.go               quantile
//	approx_distinct.go, hyperloglog.go approx_distinct
//	distinct.go, tally.go, top_k.go    distinct, top_k
//	top_values.go, histogram.go        top_values, histogram
//	truth.go                           any, all
package aggregates
