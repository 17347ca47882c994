// Package damage breaks what a pipeline keeps, and shows that nothing wrong comes of it unnoticed: disks that lose power, file
// systems and buckets of which any one operation fails, bytes at rest that change. Everything runs in one process: the real
// stream and the real reconciler, over a broker in memory, a bucket in memory and a disk in memory, in virtual time.
//
// # Invariants
//
//  1. Power: after power is lost at any moment, with any part of what was not synced, the state that opens is the state of a run
//     without that loss at the same cut, byte for byte, and its cut is at or below the committed one; or it says that it is
//     corrupt, and what a checkpoint gives is. Laws L4 and L2.
//  2. Operations: whichever operation of the disk or the bucket fails, done or not, once or from then on until a restart, stream +
//     corrections = batch truth in the end, no revision is published twice, the lake holds every record once, a second
//     reconcile publishes nothing. Laws L1 and L3.
//  3. Bytes: whichever file or object is altered, swapped, missing or of an older day, what follows is right, or somebody says what
//     is wrong and where; with the original back in its place, it is right. Bytes that may change unnoticed are listed one kind
//     by one, with the reason.
//
// # What is where
//
//	shapes_test.go     the pipelines, and events for them
//	world_test.go      a broker, a bucket, a disk, and runs of the program over them
//	judge_test.go      what must hold in the end
//	campaign_test.go   how many and from which seed; what is recorded
//	atrest_test.go     what is at rest, sorted by kind
//	mutate_test.go     how bytes at rest are altered
//	corrupt_test.go    invariant 3, and harmless_test.go its list of what may go unnoticed
//	found_test.go      what these have found
//	nth_test.go        invariant 2
//	power_test.go      invariant 1, on a machine (machine_life_test.go) that runs a task (machine_test.go), held against the run
//	                   without a loss (history_test.go)
package damage
