// Package sourcelog reads the records of a pipeline's source again, in the order of the log, from the raw lake or from the
// topic: for commands that ask what would have been.
//
// The lake holds a partition's records in files by hour of event time; an entry of its log names those of a span of
// offsets, and within an entry the files are merged by offset. So one entry is held in memory at a time.
//
// Invariants:
//
//  1. Records of a partition come in the order of offsets, each once.
//  2. The value is the one that the topic had, byte for byte; of Protobuf behind a registry's header, one that decodes to
//     the same.
package sourcelog
