// Package structure holds the tests of the whole repository's shape: which package may import which, how large files
// and functions may grow, where the wall clock may be read. It has no code of its own.
//
// Invariants, each with a test:
//
//  1. Imports point downward, as ARCHITECTURE.md draws them; whatever is not allowed is refused.
//  2. A dependency that a package owns (Kafka client, Pebble, CEL, ...) has one importer.
//  3. Files and functions stay small; what is larger may only shrink (testdata/ratchet.txt).
//  4. Decisions that the source log doesn't determine take a clock that was passed in (law L5): the engine never reads
//     the wall clock itself.
//  5. No test is skipped, nothing is left for later, no error is dropped.
//  6. A package comment that has a map of its files (# Files) has all of them, each once, and no others.
package structure
