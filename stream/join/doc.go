// Package join owns the buffers of a task's joins: the interval join of two sources, and the enrichment of events by
// the versions of a table. It is pure (no clock, no I/O but the Backing it is given): a step in front of the windows,
// with the same life as a window.Engine, over keys of the same store (FORMAT.md).
//
// Words: t is an event's time, L the join's lateness, W the watermark of the event's own source partition, T the
// task's watermark that Close has been given. T is never above any W: Add refuses it (window.ErrWatermarkFell).
//
// # Both operators
//
// An event is late iff W >= t + L: the verdict depends on its partition's log alone, and is given before anything
// else. An event that isn't late is taken, unless one of its identity has been: then it is a duplicate. An identity
// includes side, key and time, and is remembered as long as T < t + L at least. From then on W >= T >= t + L, so every
// copy is late: forgetting an identity can't let a copy in. So the taken events of a side are the set of distinct
// events that weren't late in at least one of their copies: a function of the logs, whatever their interleaving. What
// is late is the reconciler's, on both sides.
//
// # Interval join
//
// Semantics: the pairs (l, r) of taken events with equal key bytes and Lower <= r.t - l.t <= Upper. A pair's time is
// the later of both. (Inner join; without a partner there is no pair.)
//
// Kept: an event of the left side until T >= t + max(0, Upper) + L, of the right side until T >= t + max(0, -Lower) +
// L: the latest time that a partner can have, or that a copy has, + lateness. Events go in buckets of equal spans of
// time, each when its last event may, so that letting go costs one range deletion; the span is a sixteenth of the
// time that events are kept, or half the interval if that is longer, or a second.
//
// Complete: let l be taken before r (the other case is its mirror). When r is taken, W < r.t + L <= l.t + Upper + L,
// and T <= W, so l hasn't gone. Once: a pair is emitted when the second of its events is taken, and each is taken
// once. An event that is kept for longer than it must meets nothing: a partner after l.t + Upper doesn't match, one
// before is late.
//
// # Enrichment
//
// Semantics: each taken left event with the version in force at its time: of the taken right events with its key
// and a time <= t the one with the highest (time, identity), or nothing. A pair's time is the left event's.
//
// Kept: a left event until T >= t + L; then Close emits it, in the order (time, identity). By then the version is
// certain: another with a time u <= t has W >= T >= t + L >= u + L, and is late. A version is settled when T >= u + L.
// Unsettled versions are all kept: they have copies and contemporaries to come. Of the settled versions of a key
// only the newest is: a left event that is held or may still be taken has t + L > T, so it lies after every settled
// version and needs the newest of them at most. Close emits first and lets go of versions then. The newest settled
// version of a key is kept for ever: it is the table.
//
// # Invariants
//
//  1. Pairs, verdicts and the bytes of state are functions of the cut (laws L1 and L4): not of the interleaving of the
//     sides, nor of where Close and Write fall, restarts, evictions. State is compared after Close with the watermark
//     of the cut, as for windows.
//  2. Each event has one verdict (law L3): Aggregated (taken), Duplicate or Late.
//  3. When a pair is emitted, T' < pair.Time + L, where T' is the watermark of the last Close that has returned. In
//     Add: T' <= W < t + L <= pair.Time + L. In Close: what was due at T' has been emitted by it, and what was taken
//     since had W < t + L. So no window is closed (law L2) that ends after pair.Time and has a lateness >= L, if
//     windows are closed after the join and no further; a pair is never late there if it is given to the engine
//     with T'. An interval join even has W < pair.Time + L.
//  4. Nothing is cut off in silence: an event with more partners than the limit is an error (*MatchesError), like
//     keys and rows above KeyMax and RowMax. Whether it happens may depend on the interleaving; what is published
//     can't, for the join has failed and its task stands.
//  5. What is in memory and what only in the Backing is invisible but for time. With a Backing, MemoryMax bounds what
//     memory holds after a Write, but for 320 bytes a bucket; buckets are read back when half the limit is free, else
//     probed in place by key and range of time. The unsettled versions of one key must fit memory. Besides there is
//     one piece of a range that is being read: 256 events or 1 MiB and an event.
//  6. The operator reads the Backing only as of the last applied Write, and writes only in Write. What comes and goes
//     between two Writes leaves no trace.
//  7. No callback runs inside a scan of the Backing.
//  8. Stored bytes that no Write has written are a *window.CorruptError, never a panic. Buckets are counted when they
//     are read or emitted as a whole.
//
// The semantics are those of Flink's interval and temporal joins and of Kafka Streams' versioned tables with a grace
// period (KIP-914, KIP-923), but that lateness is judged by the event's own partition and what is late is handed on.
//
// # Files
//
//	operator.go, options.go, errors.go   what callers see
//	interval.go, probe.go                the interval join
//	enrichment.go, table.go              the enrichment, and its versions by key
//	shelf.go, drain.go, shelf_write.go   events by time in buckets: in, out, stored and evicted
//	bucket.go, due.go, index.go, arena.go  one bucket in memory
//	core.go, page.go, statekey.go        what both have; reading ranges; bytes: FORMAT.md
package join
