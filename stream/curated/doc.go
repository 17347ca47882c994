// Package curated owns the record of a curated topic: the Avro schemas of its key and value, the bytes of both, the
// canonical bytes of a group key, the hash by which results are compared, and the partition that a group goes to.
//
// The stream publishes with it when a window closes, the reconciler when it corrects, and both lanes read with it. So
// two rows are equal in one lane exactly if they are in the other.
//
// The package is pure: it holds no connection and no clock. A Codec is immutable and safe for concurrent use.
//
// Invariants:
//
//  1. One group has one key: the canonical group key is the Avro encoding of the group's fields in the order of
//     group_by, and nothing else. Key bytes are equal exactly if the fields are.
//  2. A record's Kafka key is its group key, then window start and end. Its value begins with the same bytes, and
//     Decode refuses a record in which they differ.
//  3. The row hash covers key and aggregates only. Revision, status, cause, counts of late and duplicate events, run
//     and time of publication may depend on timing and stay out of it.
//  4. All windows of a group go to one partition: Partition takes the group key without the window, and is Kafka's
//     own murmur2, so that the number never depends on a client library.
//  5. The bytes are plain Avro under KeySchema and ValueSchema; any Avro library reads them. A format once written
//     stays readable: FORMAT.md fixes it and testdata holds old bytes.
//
// Laws: L1, since equal sets of events give equal bytes of key and aggregates; L2, since stream and reconciler write
// rows of one form, ordered by revision.
package curated
