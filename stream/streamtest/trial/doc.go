// Package trial puts a pipeline on trial: it holds what a broker, a bucket and a machine are left with after faults against
// what is promised. The tests of both lanes and the campaigns of faults use it; it works over the embedded broker, the fake
// one and a real Kafka alike.
//
//	w := trial.New(t, []string{broker.Addr()}, trial.Usual())     // the orders pipeline, in a directory of its own
//	program := trial.Program(t, "crashpoints")                    // the real binary, built once for a test binary
//	seen := w.Watch()                                             // reads committed results while everything goes wrong
//	w.Produce(log)
//	w.CrashAt(program, "commit/flushed:3", "run", "-f", w.File)   // dies there, or the test fails
//	w.Must(program, 0, "run", "-f", w.File, "--until", "end")
//	w.Judge(log)                                                  // everything that is promised, at the end of the log
//	seen.Stop()                                                   // nothing that it saw is gone or different
//
// World is the orders pipeline, whose truth is the oracle's; Shape is a pipeline of another shape (rekeyed, joined, enriched,
// sessions), whose truth is a batch of the driver's. Site is what both have in common: the place, and the checks that need no
// truth. Both can be made over buckets and brokers of the caller's: set Bucket and Kafka after New.
//
// A binary whose tests use Program wraps its tests:
//
//	func TestMain(m *testing.M) { goleak.VerifyTestMain(trial.Tests(m)) }
//
// Record appends what a campaign did to benchmarks/results/faults.jsonl when TIDEMARK_RECORD is set.
//
// Invariants:
//
//  1. A check that can't be made fails: nothing is passed over because it isn't there.
//  2. The watcher uses a consumer of the client library's, not the engine's reader, and remembers each record by its place.
//  3. The oracle shares no code with the engine (package streamtest).
//
// Laws: none of its own; Judge is what the campaigns hold L1 to L5 to.
//
// # Files
//
// The place: site.go, world.go, shape.go, pipelines.go, disk.go. Results: published.go, truth.go, batch.go, fold.go.
// Programs: program.go, crash.go. Faults seen: watch.go, judge.go. What is kept: record.go, env.go.
package trial
