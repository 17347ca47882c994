// Package blob owns the small object store that everything durable outside
// Kafka and Pebble is kept in: the raw lake, checkpoints, reports.
//
// # Invariants
//
//  1. An object is visible whole or not at all. No reader ever sees a prefix.
//  2. Of any number of concurrent PutIfAbsent of one key, exactly one returns
//     nil; all others return ErrExists, and by then the object is durable.
//     (Of writers of equal bytes several may be told nil, by a store behind a
//     network: see the package cloud.)
//  3. What Put or PutIfAbsent confirmed survives a crash of the machine: the
//     bytes, the name and every directory on the way to it were synced first.
//  4. A call that failed may have taken effect or not (the answer may be
//     lost); the caller finds out by repeating it.
//  5. No key reaches outside the bucket: keys are validated, and the local
//     directory resolves names inside an os.Root.
//  6. What a crash leaves of an unfinished put is never listed nor read.
//
// # Laws
//
// README.md says what a bucket needs and must not do: permissions, lifecycle.
//
// L3 (store first) and L4 (the cut law) rest on invariants 2 and 3: a log
// entry, a manifest or a certificate is a claim that must not vanish or be
// replaced. The package decides nothing about results.
package blob
