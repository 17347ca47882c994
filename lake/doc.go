// Package lake owns the raw lake: it lands every record of a topic as
// immutable Avro files, keeps the log that says which files count, reads them
// back and verifies them. It knows no Kafka; a record is its own type.
//
// FORMAT.md describes every byte that it writes.
//
// # Invariants
//
//  1. Only the log is the truth. Readers see the files that the log names and
//     no others; a file is put before the entry that names it.
//  2. A partition's log is a chain: each entry covers [first, end) and is named
//     by first; the next is named by that end. Entries are put if absent and
//     never changed or deleted, so of any number of writers one wins each
//     offset range, and the others continue at its end.
//  3. Entry n+1 is put only after n is confirmed.
//  4. Files and entries are functions of the records and the range alone: no
//     clock (but for when an entry was put), no writer, no random number. Whoever
//     lands a range again, in however many batches he got its records, writes
//     the same bytes.
//  5. Payload bytes are appended as they came and handed out as they are
//     stored; landing and reading never decode them (Check does).
//  6. What the landers of one budget hold never exceeds its limit by more than
//     one record or block.
//  7. A roll closes all files of a partition at once: by age or by bytes of the
//     whole, so a late event neither closes another hour's file nor makes an
//     object of its own before its time.
//  8. What is checked when written is checked again when read: range, name,
//     counts, place and checksum of an entry; checksum, counts, order and
//     header of a file. A mismatch is a *CorruptError that names the object.
//  9. A range without records says whether it never had any, or whether they
//     were given up: an operator accepted that they are lost (Lander.GiveUp).
//
// # Laws
//
// L3 (store first): Append takes every record, those that do not decode
// included (quarantine). L4 (the cut law): an entry names the offset range it
// reflects, and counts records rather than offsets. L1 (the set law) holds
// across the lake because of invariants 1, 2 and 5: readers get each record of
// a range exactly once, with its original bytes.
package lake
