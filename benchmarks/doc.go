// Package benchmarks measures the whole of both lanes, in CPU-seconds of this process per million events: the machines that
// it runs on are noisy, and wall time says little. The broker runs in a process of its own, so that its work isn't counted.
//
// The parts have benchmarks beside their code: decode in schema, aggregate in stream/window, commit in state, landing in
// lake, recompute in reconcile. `make bench` runs all of them.
package benchmarks
