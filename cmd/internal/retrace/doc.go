// Package retrace replays a pipeline's source in memory and follows one window of one group: what each event that belongs to
// it has changed, or why it hasn't (`tidemark replay`).
//
// The records run through the stream's own code (stream/flow), each task with its partitions, in the order in which they
// were sent; within a partition in that of the log. What the journal decided for silent partitions in the past is left out.
//
// Invariants:
//
//  1. The value after the last event that was aggregated is what the stream gives out when the window closes (laws L1, L4).
//  2. Verdicts and values are those of the log: neither the order of partitions nor batches show in them.
//  3. What is held in memory is the open windows, and at most StepsMax steps.
//  4. An exported fixture has passed before it is given out, with the row that was followed.
package retrace
