// Package sim runs whole lives of a pipeline in one process and in virtual time: a broker in memory, a bucket in memory, disks that
// lose what was not synced, and up to three processes that are started, killed, stopped, frozen and moved while requests,
// bucket calls and disk writes fail at random. A life is a function of its seed, as far as the Go scheduler allows.
//
// # Invariants
//
//  1. What is claimed after the faults is the whole promise (L1 to L5): what is in force equals the oracle; no revision
//     of a window is published twice; every record is counted once and lies in the lake once; no transaction is left
//     open; a second reconcile does nothing; the audit agrees.
//  2. No fault stops a task for good: all of them pass, so a *stream.StoppedError is a failure wherever it comes.
//  3. A killed process does nothing after its death: its connections and its bucket are cut first, and its disk is
//     copied as a power cut leaves it.
//  4. A seed that failed once is in testdata/seeds.txt, which every run begins with.
//
// # Where to read
//
// All of it is tests. sim_test.go is the campaign: seeds in chunks, each chunk a process of its own, which child_test.go is.
// mutex_channel_test.go builds the Kafka client with mutexes that virtual time passes in. life_test.go is one life: what is drawn,
// and what happens in it. process_test.go is a process that can die at any request, bucket call or disk operation; network_test.go
// its connections in memory, link_test.go the fates of its requests, broker_test.go the errors that the broker answers,
// bucket_test.go the bucket as it sees it. subject_test.go is what runs: pipelines, logs and their oracles, and shapes_test.go those of
// the large lives. verdict_test.go is what is held against the oracle.
// matrix_test.go is a second campaign: in each of its lives one chosen request meets one chosen fault (matrix_life_test.go), for
// every request and fault of matrix_table_test.go; matrix_cell_test.go names them, matrix_strike_test.go makes them happen.
package sim
