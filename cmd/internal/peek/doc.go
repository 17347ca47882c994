// Package peek looks into tasks' state that nobody has open, on the disk or in a checkpoint, without changing it
// (`tidemark state get`).
//
// The windows are found and read by the stream's own code (stream/window) over the state's keys.
//
// Invariants:
//
//  1. A row is what the stream would give out if the window closed now, at the state's cut (laws L1, L4).
//  2. Nothing is written: neither to the state nor to the bucket. A checkpoint is restored into a directory of its own,
//     which is removed again.
package peek
