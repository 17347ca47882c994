// Package broker is the embedded broker of the quickstart and of fast tests: kfake, on loopback only, one
// node, with its topics, groups and transactions kept in a directory. It calls itself a fake for testing, and so do we: it
// is never the sole proof of anything claimed of Kafka.
//
// Invariants:
//
//  1. It listens on 127.0.0.1 and nowhere else.
//  2. A directory has one broker at a time: a second one is refused.
//  3. With a directory, what was acknowledged is on disk (fsync of segments, index, groups and transactions) before
//     the acknowledgement, so it outlives kill -9 and, as far as the file system keeps its word, a power cut.
//  4. Nothing expires unless a topic says so: no default retention of records or offsets. (An idle
//     transactional id is kept 24 days, the most that the setting can say; Kafka keeps it seven.)
//  5. What could not be saved on Close is an error of Close.
//
// What differs from Kafka, as the tests of stream/kafka met it on both:
//
//   - A transaction is over, markers and offsets included, when its end is confirmed. Kafka confirms first and
//     writes them a few milliseconds later, so on Kafka a reader may not see yet what was just committed.
//   - A fenced producer that ends its transaction is told INVALID_TXN_STATE, where Kafka says PRODUCER_FENCED.
//   - A static member that comes back with other words about itself (metadata of the same protocol) causes a
//     rebalance; Kafka looks at the protocol alone.
//   - Any topic name is taken, and metadata of offsets of any size.
//   - Compaction does not wait for a segment to be closed, and moves the log's start when it removes the first records.
//     It and retention run once an hour, and only when some topic asks for either.
//   - One goroutine answers all requests: two requests never race inside the broker.
//   - Opening a directory reads all of it into memory.
package broker
