// Package curve is the lateness curve of one's own data: how many events would have been late, how many windows they would
// have corrected and how many hours of the lake that touches, for several bounds at once (`tidemark lateness`).
//
// An event is judged as the stream judges it (stream/flow, invariant 3): by the watermark of its own source partition as
// it was before it, far-future guard included, after the rules. One pass over the log serves all settings. What the journal
// decided for silent partitions is left out: a decision is of the run, not of the data.
//
// Invariants:
//
//  1. An event counts once: copies of it, as its event id tells, are left out, if fewer than CopiesApart events lie between.
//  2. Memory is bounded by the settings, not by the log: above WindowsMax windows the counts of windows are at least.
//  3. The order in which partitions are read makes no difference.
package curve
