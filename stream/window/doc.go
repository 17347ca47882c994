// Package window owns windows and aggregates: which windows an event belongs to, whether it is late or a duplicate,
// what a closed window's values are, the state of what is open, and the watermark of a source partition. It is pure
// (no clock, no I/O but the Backing it is given), and both lanes import it: the stream with its state store behind
// it, the reconciler with nothing.
//
// # Tumbling windows
//
// Every instant is in exactly one window of Size: they start at the multiples of Size since the epoch, or as Zone has
// it. Late: when the event's own partition's watermark >= the window's end + Lateness. Kept: a record for each group,
// and the identities of its events. Let go: when the task's watermark >= end + Lateness, with the window's results.
// Function of the set: the window is a function of the event's time, whether it is late of its partition's log, and
// the record of the set of events in time (invariant 1).
//
// # Hopping windows
//
// Windows of Size that start every Every; an instant is in up to Size/Every of them, rounded up, and at most
// WindowsMax. Each is a window of its own, with a record for each group and a result: an event is added to every
// window that it is in time for, so work and state grow with Size/Every. (Folding panes of Every once and merging them
// at the close would be cheaper to add to and dearer to close, to update, and to account for.)
//
// Late: judged for each window as if it were a tumbling one. What is missed are those windows that end first, and
// Verdict.Misses tells how many; the event is Late only if it misses them all, of all outputs that take it. Kept and
// let go: each window by itself; an identity until the last of its windows, late or not, has closed, and beside it the
// number of windows that it has filled. Function of the set: a copy may come by a partition that is less far ahead.
// It then fills the windows that the copies before it missed, whichever came first; so a window's set is what is in
// time by any copy (model copies.py).
//
// # Sessions
//
// Events of a group that lie less than Gap apart, within an aligned span of Size: see the comment of type sessions.
// Late: when the event's own partition's watermark >= its time + Lateness, whatever sessions there are. Kept: a record
// for each open session; identities until time + Lateness, rounded up (FORMAT.md). Let go: when the task's watermark
// >= the session's end + Lateness. They are cut at spans so that a session has a longest length, and the reconciler
// can recompute a span without its neighbours.
//
// # Time zones
//
// With a Zone, windows are aligned to its calendar days: 23 or 25 hours where clocks change. See Zone for what a day is
// where they change at midnight, or a day is left out, and for which Sizes there are. All else is as above, with the
// end that the calendar gives each window. Which zones there are and what they say is part of the program
// (internal/zoneinfo), and of the layout of state and of fingerprints (Zone.Hash): a window's bounds are a function of
// the program and the time.
//
// # Several outputs, some outputs
//
// An event may be taken by some of the outputs only (Input.Outputs). It is then as if the others weren't there.
//
// # Provisional results
//
// Output.Updates lets the caller ask for the results of open windows' groups that have changed (Engine.Updates). They
// are what Close would emit if nothing more came. What has changed is remembered in memory alone: no stored byte, no
// verdict and no closing result depends on when anyone asked, or whether (law L1). A restart forgets it, and asks for
// all. Sessions have none: a session that joins two others would have to take both back.
//
// # Limits
//
// EngineOptions.MemoryMax bounds memory, EngineOptions.OpenMax the results to come. An event that would open a group
// beyond it is refused with ErrOpenWindows before anything is counted, and the engine goes on: the caller holds the
// event and its partition back, and tries it again after a Close. Late events, copies and events of groups that are
// open are taken all the same. Where a limit strikes depends on how partitions interleave; what is counted doesn't,
// since nothing is skipped. OutputsMax, AggsMax, WindowsMax, SpanMax and KeyMax are refused by NewEngine or Add; so are
// hopping outputs that overlap so much that the numbers of windows an event has filled don't fit 64 bits together.
//
// # Invariants
//
//  1. A window's results, and the bytes of its state, are functions of the set of distinct events in it (law L1):
//     every cell of a record is an associative, commutative fold, sums are exact (internal/exact), encodings are
//     canonical, and the record of a union is the merge of its parts' records. An Accumulator of one's own must keep
//     the same (package windowtest checks it).
//  2. An event is judged late by the watermark it is given, its own source partition's, against end + lateness of
//     each of its windows (of sessions: its own time + lateness), before anything else: the verdict depends on that
//     partition's log alone. What it misses of an output are always the windows that end first.
//  3. Copies of an event share an identity, and an identity includes the event's time, so copies share windows and
//     expiry. An identity is kept at least until the latest close of any of the event's windows; later copies are
//     late.
//  4. A copy fills those windows that no earlier copy was in time for, and is a Duplicate nevertheless; misses are
//     counted before dedup. So results, state and counters don't depend on which copy comes first, even when copies
//     come by several source partitions.
//  5. A closed window never opens again (law L2): watermarks below the highest that Close was given are refused,
//     across restarts too, since that watermark is part of the state. Every open window closes above it.
//  6. What is in memory and what only in the Backing is invisible but for time: evictions, restarts and the places
//     of Writes change neither results nor verdicts nor stored bytes (the cut law, L4). Nor do Updates.
//  7. A record in memory is newer than, and replaces, the stored record of its key. A pane that isn't partial has
//     all of its window's groups in memory.
//  8. The engine reads the Backing only as of the last applied Write, and writes only in Write. A window that opens
//     and closes between two Writes leaves no trace.
//  9. Results leave Close in the order (output, start, key bytes). A window partly in the Backing is merged while it
//     streams; neither side is loaded as a whole.
//  10. The number of groups of an open window is known without reading it, and checked when it closes.
//  11. At a steady rate Add allocates nothing, but for accumulators of one's own: panes are slabs of words without
//     pointers, found by open addressing, and go as a whole.
//  12. A watermark never falls, and fewer than Confirm + 1 events can't move it beyond MaxFuture.
//  13. Windows are a function of time and of the output's settings: they are in the order of their starts in that of
//     their ends too, no two start together, tumbling ones tile time, and a start tells its end.
//
// # Files
//
//	window.go, assign.go, agg.go,
//	aggregate.go, backing.go, errors.go what callers see
//	zone.go, internal/zoneinfo          the days of time zones
//	engine.go, add.go, hopping.go,
//	limit.go, closing.go, updates.go,
//	open.go                             the life of an event and of a window
//	write.go, discover.go, evict.go     state: out, in, and out of memory
//	output.go, slot.go, pane.go, slab.go,
//	table.go, arena.go, groupkey.go,
//	cold.go, pending.go, memory.go      open windows in memory
//	session*.go                         sessions, for which the engine asks instead of its panes
//	layout.go, fold.go, beside.go,
//	result.go                           aggregates as cells of words, and what words refer to
//	record.go, statekey.go              bytes: FORMAT.md
//	dedup.go, identities.go, filter.go  copies
//	watermark.go                        the watermark of a source partition
//	internal/exact                      sums of doubles
package window
