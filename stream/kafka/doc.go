// Package kafka is Tidemark's way to Kafka, and the only importer of its client, franz-go. It owns membership of a
// pipeline's group and the transaction around a commit (Session), publishing outside a group
// (TxnProducer, Producer), reading an exact range (ReadRange), and asking about topics and groups (Admin).
// It knows nothing of windows, state or the lake.
//
// Invariants:
//
//  1. Commit returns nil only when the broker has confirmed the end of the transaction. No error says that the
//     transaction was not committed: only the committed offsets, fetched with require-stable, can tell.
//  2. A session has at most one assignment of partitions. A rebalance, a fence, a fetch error or a failed
//     commit ends it; what is left is Close and a new session. So the client's cached offsets, to which it
//     rewinds after a failed commit, are never read from.
//  3. The offsets and the metadata that a transaction commits are the caller's, word for word,
//     whatever was polled.
//  4. Nothing is fetched from an offset that the caller did not name: no reset, no rewind, no skip. An
//     offset out of range, an unknown topic or a missing permission is an error with its topic and partition.
//  5. Constructing a Session or a TxnProducer fences every older one of its transactional id before it
//     returns, so before committed offsets are read.
//  6. Close does not hang, and does not leave the group.
//  7. Every buffer, retry and wait has a limit.
//
// They uphold L4 (a commit names its cut, and only that) and L5 (a decision rides in the same transaction and
// in the metadata of the commit), and the fence on which L2 rests.
package kafka
