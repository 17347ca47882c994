// Package status tells how a pipeline is doing, in one document for the command, the page and the HTTP interface. The
// running process tells it of itself (FromStream); anyone else reads it from what is durable (Collect): the group's
// committed offsets, the newest checkpoints, the lake's log and certificates.
//
// Invariants:
//
//  1. Both ways give the same document: what one of them can't know is left out, never guessed.
//  2. Lag is counted in records against the last stable offset, never as the clock less event time: a replay of 2013
//     would be thirteen years behind.
//  3. Nothing is changed by looking.
//
// It shows law L3: the accounting says whether every consumed record has exactly one fate.
package status
