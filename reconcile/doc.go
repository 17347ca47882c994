// Package reconcile is the slow lane. It recomputes windows from the raw lake with the code of the fast lane, compares them with
// what is published, publishes what differs as new revisions, and certifies the result. It is started, does what is due, and ends; it
// shares nothing with a running stream but the bucket and the topics.
//
// A unit is an output and a lake hour. Plan only reads. Apply goes, for each due unit, through the steps of slot.go: fence, read,
// land, compare, publish, land, certify. Audit repeats the computation; Explain shows it for one window.
//
// Invariants:
//
//  1. Every window has one unit: that of the hour in which it starts, or of a session, in which its aligned span does. A unit
//     reads every lake hour that its windows depend on (flow.Reads) and ignores what belongs to others. There is a unit where
//     an event or a published row is, and nowhere else, so none waits for a window that no event will close.
//  2. A unit is touched only when its windows are closed in every task's newest valid checkpoint, by this very fingerprint, that is,
//     passed by each of the task's inputs, the repartition topic's too, and the lake has landed all that these checkpoints have
//     read. What is closed never opens again, so reading that once is enough.
//  3. What is compared is a function of a set of files: recomputing never judges late, and deduplicates over the whole. Rows hash and
//     root depend on nothing else. The input digest names that set. Of a table that enriches events it is all versions up to the
//     unit's end: a late one makes every later unit dirty, until it is known which of them it changes. Of the versions from before
//     the unit's hour only those in force then are held, and a run reads them once for all its units (table.go).
//  4. Any number of workers may run. Behind the fence of a unit's slot the order is: the number of its next certificate, the raw
//     logs, the high watermark of the curated topic, all below it decided and landed, fold, publish. Each step is
//     there because its absence, or another order, publishes a revision twice or puts an old value back (see race_test.go).
//  5. A second run over the same input publishes nothing and certifies nothing.
//  6. A crash between any two steps is repaired by running again: what was published is found by the fold, what was not is published,
//     and only a unit that is equal is certified. Equal is a window whose value in force is the batch's and final: a provisional one
//     (OPEN), left behind by a stream that was changed, is published anew.
//  7. Revisions rise: a correction's is above the highest known of its window, and above what the stream would have given it. What is
//     published of a window is the last record of its key, which is what an upsert and compaction keep. Where that hasn't the highest
//     revision, or this has two values, the window differs, whatever its values; and a unit of which anything was published after its
//     certificate is due again (touched.go).
//  8. A certificate is put once, by put-if-absent, after all that it states; number n names the hash of n - 1. It names every loss that
//     an operator accepted and that may have touched its unit (givenup.go); an audit checks that it does.
//  9. Nothing is published that a guard holds, except units of an approved plan that are still as they were approved.
//  10. Causes are evidence: places that the journal names and the last certificate had not seen, copies that were counted, another
//     fingerprint. Without evidence the cause is OTHER. An event is evidence for a window that each of its copies missed; one of a
//     pair, for the windows of the pair; for a session that is no more, what merged it; for an event that a late version has moved
//     to another group, that version, in both groups.
//  11. No result depends on the clock. It decides when to look (settle), and stamps.
//  12. A lake file that is damaged or missing keeps the units that need it from being published for, certified or audited, and no
//     others. They are named, and the call ends in an error (damaged.go). Damage to a lake log or to a certificate ends it at once.
//
// Laws: L1, by running stream/window to the end of the input; L2, since it touches closed windows only and owns them from then on; L3, since every
// late event is in a raw file and so in some unit's input, and consumed = aggregated + duplicate + filtered + invalid holds in every certificate; L4, since
// certificates name both cuts; L5 is the stream's: this package takes no decisions.
package reconcile
