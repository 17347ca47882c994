// Package flow is the core of a task without its surroundings: what becomes of a record, from its bytes to the windows
// that it is counted in. It knows neither broker nor disk nor clock; the stream's tasks, the reconciler, the test
// driver and `tidemark test` all run it, so all of them mean the same.
//
// A Flow has inputs. The first ones are the partitions of the pipeline's sources that have the task's number; a
// rekeyed pipeline has one more, that partition of its repartition topic. A record is first looked at (Look: decoded,
// nothing changes), so that the caller can store it, and then taken (Take: judged, deduplicated, joined, aggregated,
// accounted).
//
// # Shapes
//
//   - Single, CoGroup: each event goes to the windows. Several sources share windows, each with its own watermark; what
//     another source would give is null.
//   - IntervalJoin, Enrich: an event goes to the join (package join), and what that emits goes to the windows. A joined
//     event has the later of the two times and isn't judged again: it can't be late (lemma below).
//   - Rekeyed: an event is judged here, by its own partition's watermark, and forwarded to the partition of the
//     repartition topic that its group belongs to, one record for all elements and outputs that meet there. Behind the topic it is
//     deduplicated, per output and window, and aggregated: copies of an event from two source partitions meet there.
//     Records carry their source partition and its watermark; markers carry the watermark to partitions that get no
//     records. The windows behind the topic close by the lowest watermark of all source partitions.
//
// Lemma: a joined event enters windows that are open. It is made when the later of the two is taken, or, enriched, when
// the task's watermark passes its time + the join's lateness; then the watermark was below that time + lateness, and its
// windows end after its time and close with at least the same lateness, which the pipeline file's check sees to.
//
// # Invariants
//
//  1. Every record of a source that is taken has exactly one outcome: consumed + received = aggregated + duplicate +
//     late + filtered + invalid + forwarded (law L3). What is received is an element of an event, by the repartition topic.
//  2. Outcomes, windows and counters are functions of the inputs' prefixes (law L4): not of how they are interleaved, of
//     batches, of where Write and Close come between.
//  3. An event is late by the watermark of its own source partition as it was before the event, judged before dedup. Every
//     event that can be decoded moves that watermark, whatever rules say of it.
//  4. Closed windows stay closed (law L2): the task's watermark is the lowest of its inputs', and none of them falls.
//  5. Of a record with several elements, one outcome counts, the best of its elements': aggregated or forwarded, then
//     duplicate, late, invalid, filtered. Elements that are invalid are reported one by one nevertheless.
//
// A Flow is used by one goroutine at a time. After an error of Take, Raise or Close it is unusable.
package flow
