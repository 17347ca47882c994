// Package schema owns what an event is: its Avro schema, its fields, its time
// and its identity.
//
// Events are never decoded whole. A [Projection] is compiled once from a schema
// and the names of the wanted fields: a short program that walks every byte of a
// datum, validates it, and fills a row of [Value] structs that alias the payload.
// A [Decoder] adds the wire header, the event time and the identity. JSON is for
// the edges (what people type and read) and goes through goavro, so that two
// codes that share nothing have to agree on every record.
//
// Invariants:
//
//  1. Decode and Identity allocate nothing for a valid event.
//  2. What Decode takes, it reads as goavro does, and goavro takes it too, except
//     a map with one key twice. goavro and twmb/avro take more; the reasons of
//     what they alone take are listed in differential_test.go.
//  3. Decode takes a payload only if all of it is one datum: lengths within the
//     payload, varints of at most ten bytes and 64 bits, ints within 32 bits and
//     five bytes, booleans 0 or 1, indexes of enums and unions within their
//     symbols and branches, strings in UTF-8, sizes of blocks right, no byte left.
//     Every proper prefix of a datum is refused.
//  4. No bytes cost more than linear time or any memory before they are found
//     bad, and no schema takes more than linear time to compile: see limits.go.
//  5. JSON keeps what it says: integers are exact to 64 bits, doubles to the bit,
//     and what cannot be kept (a fraction in an int, digits finer than a
//     timestamp's unit, a key given twice) is an error that names the field.
//  6. The same row has the same identity for ever: the encoding is versioned,
//     drawn in FORMAT.md and held by golden bytes. It depends on the values of the
//     fields that are read and on nothing else: not on the schema id, the place, the
//     time of arrival or other fields.
//  7. Everything is immutable and safe for concurrent use, save Event.
//
// Laws: L1 (the identity makes windows functions of a set; a NaN is one value),
// L3 (a bad record is a *RecordError with a reason, never a panic, so it can be
// landed and counted; an unknown schema id is another error, for it pauses).
//
// The package knows no Kafka, no file and no clock.
package schema
