// Package stream is the fast lane: it turns Kafka topics into windowed results, exactly once, while every record
// lands in the lake. A task's inputs are the partitions of its number: of the pipeline's sources, and of the repartition
// topic if there is one. What becomes of a record is package flow's; here is what that needs around it.
//
// Read it in this order: loop.go (one turn: poll, process, commit), task.go (what happens to one record), commit.go (the
// only place that orders outputs, transaction, state and lake), then recover.go, reach.go and replay.go (how a task
// comes to its committed cut) and finish.go and idle.go (decisions).
//
// # Invariants
//
//  1. State is never ahead of Kafka. A task applies state and cut in one batch, after the broker has confirmed the
//     transaction that carries the same cut (L4).
//  2. One error path. Whatever kept a commit from being confirmed, the client is closed, uncommitted state is dropped, a
//     new client fences the old one, and every task starts from the offsets that the broker names. No code
//     concludes from an error that a transaction was aborted.
//  3. A task is a function of its log and its journal (L1, L5). It reads no clock, it judges lateness by the watermark of
//     the event's own partition as it stood before the event, and everything else that changes it is a
//     decision, journalled in the transaction of the cut at which it holds.
//  4. Each data record has one fate: aggregated, duplicate, late, filtered, invalid or forwarded; the counters are part
//     of the cut, and the state package refuses cuts that don't balance (L3).
//  5. A watermark never falls, so a closed window never opens again: the reconciler owns it (L2).
//  6. A record is handed to the lander before it counts, unless the lake log has passed it. A task whose record can neither
//     be landed nor declared invalid stops before it (L3).
//  7. What is not understood stops the task it concerns, never resets it: offsets lost or reset, topics recreated or
//     grown, journals with gaps, letters of a repartition topic that are none of ours. So does a limit of the task's own. The
//     other tasks go on (refuse.go).
//  8. The cut is one over all inputs: their offsets are committed together, each with the number of the task's last
//     decision. Decisions are numbered for the task, and hold at an offset of one input each; replayed, inputs may be
//     interleaved in any way (L4, L5).
//
// # Goroutines
//
// The loop owns the tasks. Assignments arrive on a goroutine of the Kafka client and only add tasks whose records
// have not been fetched yet. Within a turn each task runs on a goroutine of its own and all are awaited before
// anything else happens. Landings run beside the loop on sealed batches, which nobody else touches.
package stream
