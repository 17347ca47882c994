// Package windowtest is the suite that an aggregate must pass before an engine may rely on it: the built-in ones
// (stream/window/aggregates) pass it, and one's own must.
//
//	func TestLongest(t *testing.T) {
//		windowtest.Aggregate(t, longest{}, func(r *rand.Rand) schema.Value { ... })
//	}
//
// It draws multisets of values and events' places, and checks with each of them the laws that window.Aggregate and
// window.Accumulator state:
//
//  1. order: the bytes and the value don't depend on the order of Adds (law L1).
//  2. split: nor on how the values were split over accumulators, or on the order in which those were merged.
//  3. merge: commutative, associative, an empty accumulator changes nothing, the other one is unchanged and nothing of
//     it is kept.
//  4. decode: an accumulator that was written down and read again, into whatever was there before, goes on as if it
//     hadn't been.
//  5. bytes: Append keeps what is in front of it; Decode takes what Append writes and nothing else, without a panic and
//     without memory out of proportion.
//  6. keep: neither Add nor Decode keeps the bytes it was given.
//  7. value: of the declared type, a function of the state that leaves the state alone.
//  8. memory: Bytes is what the heap says, within a factor of three.
//  9. cell: a name in one line of print, always the same; accumulators have nothing in common.
//
// A failure names the law and the seed; the same seed draws the same values. The draw should make what is rare in life
// common: equal values, extremes, NaN, empty strings, whatever exceeds a limit of the aggregate.
//
// The suite is for tests only. It upholds no law of its own; it checks L1.
package windowtest
