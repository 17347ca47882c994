// Package state keeps a task's state: a Pebble database on the disk of whoever
// owns the task, and checkpoints of it in the bucket. It is the only importer
// of Pebble. It knows nothing of windows, Kafka or the lake: keys and values
// are bytes, and the place they belong to is a Cut.
//
// The life of a store: Open; per commit Apply, after the broker has confirmed;
// every 30 to 60 seconds Checkpoint; Close. What a caller does about an error
// of Open, Get, Scan or Restore is in its type: *CorruptError is SetAside and
// Restore from the newest valid of Manifests; ErrLocked and ErrNewerVersion
// stop the task; anything else is a disk or bucket that does not answer.
//
// # Invariants
//
//  1. Prefix: whatever happens to process, disk or power, the store opens with
//     the effect of the first n batches for some n, whole, and none of the
//     rest; or Open says it is corrupt. n is at least what the last flush,
//     checkpoint or Close held. There is no WAL: Kafka is the log.
//  2. One batch: state and the cut that it was brought to are written in the
//     same batch. There is no state without a cut, and no cut without its
//     state. (KAFKA-20685, KIP-1035: offsets belong with the state.)
//  3. Forward: within one store no next offset, journal position, watermark or
//     total ever falls, and the subject (pipeline, task, fingerprint, topic and
//     its id) never changes. What begins anew begins in an empty directory.
//  4. Pairs: every cut is checked when it is written and when it is read, with
//     the same code: its counters balance, its version is known. Every file is
//     summed when it is uploaded and when it is restored, and a checkpoint is
//     named by the cut that is read back from its files.
//  5. Last: a manifest is put, if absent, after every file that it names. Who
//     finds an equal cut there has succeeded: the same cut is the same state.
//     Unequal state under an equal cut is an error, since the law is broken.
//  6. Content: a file's object is named by its SHA-256 and the upload that put
//     it; a name is never used twice. File numbers name nothing outside one
//     open store: after a restore Pebble uses them again.
//  7. By reference: a checkpoint that was confirmed to its owner stays whole
//     until its manifest is deleted, whoever else checkpoints and collects the
//     same task at the same time, however long he was paused: collect.go says
//     how. A file goes one checkpoint after it was first seen without a name.
//     Manifests go before their files. One above the manifest just made never
//     goes.
//     What this process, or a note or manifest of another, knows to be damaged
//     is condemned: nobody names it anew, its content is put again. Only tables
//     are shared between checkpoints, and some of those are read back at each
//     (readback.go): damage in the bucket reaches no more checkpoints than it
//     takes to come round. A damaged checkpoint isn't counted among those kept.
//  8. Whole or none: a restored store is renamed into place, synced and
//     verified; Restore writes over nothing that has a cut.
//  9. Fail stop: the first failure stops a store; nothing reaches its disk
//     afterwards, and every call says so. It never stops the process or
//     another store.
//  10. Bounds: memory (cache, memtables) is one budget for all stores of the
//     process; keys, values, batches, cuts, manifests and the bytes of files
//     in flight have limits of their own.
//
// # Laws
//
// L4, the cut law: invariants 2 and 5. L2: a watermark that falls is refused
// (3). L3: counters that do not balance are refused (4). L5: the cut holds the
// journal position in the same batch (2). "The same cut means the same state"
// is asserted wherever two cuts meet: SameState.
//
// # What is not obvious
//
//   - Pebble's Checkpoint does not flush: without a flush before it, keys are
//     missing. It is taken while the task goes on; so its cut is read from the
//     copy and not from memory.
//   - Pebble means to die when its MANIFEST cannot be written, panics when a
//     directory cannot be synced and retries a failed flush for ever. failStop
//     is why it doesn't. What reads a bad table it repeats for ever, too:
//     compactions, which turns ends, and the count of what tables hold, which
//     pacing.go holds up.
//   - Tables without the marker that names the MANIFEST would be opened as a
//     new, empty database. Open refuses.
//   - A MANIFEST whose tail is torn reads as an older prefix, as after a crash.
//
// Locks, in this order: Store.use, Store.checkpointing, Shared.mu, Store.cutMu.
// Pebble's own are below all of them; its callbacks only touch atomics, and
// turns.mu, under which nothing is called.
package state
