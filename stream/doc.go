// Package stream is the fast lane: it turns Kafka topics into windowed results, exactly once, while every record
// lands in the lake. A task's inputs are the partitions of its number: of the pipeline's sources, and of the repartition
// topic if there is one. What becomes of a record is package flow's; here is what that needs around it.
//
// Read it in this order: loop.go (one turn: poll, process, commit), task.go (what happens to one record), commit.go (the
// only place that orders outputs, transaction, state and lake), then recover.go, reach.go and replay.go (how a task
// comes to its committed cut) and finish.go and idle.go (decisions). publish.go is how large commits are divided, change.go and
// unstick.go how a life ends and another begins, pause.go and outage.go what happens while records can't be stored.
//
// # Invariants
//
//  1. State is never ahead of Kafka. A task applies state and cut in one batch, after the broker has confirmed the
//     transaction that carries the same cut (L4).
//  2. One error path. Whatever kept a commit from being confirmed, the client is closed, uncommitted state is dropped, a
//     new client fences the old one, and every task starts from the offsets that the broker names. No code
//     concludes from an error that a transaction was aborted. What fails again and again ends the process (patience.go).
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
//  9. What a commit publishes may take several transactions, which end at portions (publish.go). Between two of them the cut
//     at the broker has the offsets and decisions of the whole, and says how many results of the closing are published.
//     The order of results is a function of the state, so whoever goes on passes over exactly those. Until the closing
//     is committed the task takes no record and no decision, and state that was written meanwhile is copied nowhere: there a
//     watermark would say "closed" of windows that aren't (L2, L4). A process that is told to stop ends at the next portion,
//     and leaves the rest to its successor.
//  10. A change decision begins a new life: its number is in the metadata and in every cut after it, and state of one life is
//     never continued in another, though offsets and fingerprint be the same (change.go). All tasks change in one
//     transaction; an operator's order that a loss is accepted changes one (unstick.go). What an order does besides, to the
//     lake, is done again until its decision is committed (L5).
//  11. A replay reads what the topic no longer has from the lake, whole entries at a time, and goes on in the topic at the
//     end of an entry: every record once (lakegap.go). It writes no state at its own end, since that is the caller's.
//  12. An outage of the bucket ends no session and loses nothing: landings are repeated (landings.go, outage.go), and a task
//     pauses where its records can't be stored, before their retention ends (pause.go, retention.go). Commits go on (L3).
//  13. A task is born by itself only beside tasks of the same definition, topics and number of partitions, as their committed
//     metadata says (checkBirth). That the pipeline's own topics have grown means nothing: a change decision makes them grow
//     before it is committed, and may die between (L2, L5).
//
// # Goroutines
//
// The loop owns the tasks. Assignments arrive on a goroutine of the Kafka client and only add tasks whose records
// have not been fetched yet. Within a turn each task runs on a goroutine of its own and all are awaited before
// anything else happens. Landings run beside the loop on sealed batches, which nobody else touches.
//
// # Files
//
//	options.go, run.go, setup.go, errors.go,
//	patience.go                                  what callers see; sessions one after the other, and until when; topics
//	loop.go, memory.go, update.go                one turn, and what asks for a commit
//	task.go, taskcut.go, emit.go                 a task: a record, its cut, what it publishes
//	refuse.go, grown.go                          why a task stops before a record
//	commit.go, publish.go, metadata.go           the commit, its portions, the cut at the broker
//	assign.go, recover.go, reach.go, replay.go,
//	lakegap.go, restoring.go, damaged.go         to the committed cut
//	decision.go, idle.go, finish.go              decisions
//	change.go, change_time.go, change_table.go,
//	orders.go, unstick.go, stops.go, forgone.go  lives: change decisions, orders of operators
//	landings.go, pause.go, outage.go,
//	retention.go, unlanded.go                    storing comes first
//	checkpoints.go, repartition.go               what the bucket holds, and what nobody needs any more
//	status.go                                    for whoever looks
package stream
