// Package window owns windows and aggregates: which window an event belongs to, whether it is late or a duplicate,
// what a closed window's values are, the state of what is open, and the watermark of a source partition. It is pure
// (no clock, no I/O but the Backing it is given), and both lanes import it: the stream with its state store behind
// it, the reconciler with nothing.
//
// # Invariants
//
//  1. A window's results, and the bytes of its state, are functions of the set of distinct events in it (law L1):
//     every cell of a record is an associative, commutative fold, sums are exact (internal/exact), encodings are
//     canonical.
//  2. An event is judged late by the watermark it is given, its own source partition's, against end + lateness of
//     its window, before anything else: the verdict depends on that partition's log alone.
//  3. Copies of an event share an identity, and an identity includes the event's time, so copies share windows and
//     expiry. An identity is kept until the latest close of any of the event's windows; later copies are late.
//  4. A copy fills those windows that an earlier copy was too late for, and is a Duplicate nevertheless; misses are
//     counted before dedup. So results, state and counters don't depend on which copy comes first, even when copies
//     come by several source partitions.
//  5. A closed window never opens again (law L2): watermarks below the highest that Close was given are refused,
//     across restarts too, since that watermark is part of the state. Every open window closes above it.
//  6. What is in memory and what only in the Backing is invisible but for time: evictions, restarts and the places
//     of Writes change neither results nor verdicts nor stored bytes (the cut law, L4).
//  7. A record in memory is newer than, and replaces, the stored record of its key. A pane that isn't partial has
//     all of its window's groups in memory.
//  8. The engine reads the Backing only as of the last applied Write, and writes only in Write. A window that opens
//     and closes between two Writes leaves no trace.
//  9. Results leave Close in the order (output, start, key bytes). A window partly in the Backing is merged while it
//     streams; neither side is loaded as a whole.
//  10. The number of groups of an open window is known without reading it, and checked when it closes.
//  11. At a steady rate Add allocates nothing: panes are slabs of words without pointers, found by open addressing,
//     and go as a whole.
//  12. A watermark never falls, and fewer than Confirm + 1 events can't move it beyond MaxFuture.
//
// # Files
//
//	window.go, agg.go, backing.go      what callers see
//	engine.go, add.go, closing.go      the life of an event and of a window
//	write.go, discover.go, evict.go    state: out, in, and out of memory
//	output.go, pane.go, slab.go,
//	table.go, arena.go, groupkey.go    open windows in memory
//	layout.go, fold.go, result.go      aggregates as cells of words
//	record.go, statekey.go             bytes: FORMAT.md
//	dedup.go, identities.go, filter.go copies
//	watermark.go                       the watermark of a source partition
//	internal/exact                     sums of doubles
package window
