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
// What differs from Kafka, found by running the tests of stream/kafka on both or by reading:
//
//   - A transaction ends at once, so CONCURRENT_TRANSACTIONS, and an offset fetch that has to wait for markers
//     that are being written, hardly ever happen.
//   - One goroutine answers all requests, so two requests never race inside the broker.
//   - Opening a directory reads all of it into memory.
//   - There are no checks of leader epochs worth the name: one node never changes leaders.
//   - Replication is one whatever a topic asks for; min.insync.replicas means nothing.
//   - Compaction and retention run on a timer of an hour, and only when some topic asks for either.
package broker
