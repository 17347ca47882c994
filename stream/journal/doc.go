// Package journal owns the record of the topic <pipeline>-journal: its fields, its Avro schema and its bytes.
//
// The journal keeps, for ever and one partition per task, two sorts of entries. Decisions are what the source log
// does not determine: a task begins at a cut (BORN), a partition is declared idle (IDLE), the input ends (END), the
// pipeline's code or its partitions change (CHANGE). Places are where the late, missed and invalid events lie (LATE,
// MISSED, INVALID); the reconciler and explain read them as evidence.
//
// The package is pure: it holds no connection, no clock and no state. Everything in it is safe for concurrent use.
//
// Invariants:
//
//  1. The bytes of an entry are a function of its fields alone; Decode(Append(e)) gives e back.
//  2. Decode accepts nothing but a whole, canonical entry: no trailing bytes, no unknown kind, strings of valid UTF-8.
//  3. The bytes are plain Avro under Schema; any Avro library reads them.
//  4. A format once written stays readable: FORMAT.md fixes it and testdata holds old bytes.
//
// Laws: L5, since a decision takes effect only by an entry of this form, written in the transaction of the commit at
// whose cut it holds; L3, since what was late or invalid keeps its place here.
package journal
