// Package schema owns what an event is: its shape, its fields, its time and
// its identity, whatever the format of the record values (Avro, JSON,
// Protobuf).
//
// A [Source] says how the values of a topic are written; [NewReader] compiles a
// [Reader] of the wanted fields. Events are never decoded whole: a reader goes
// over every byte of a value once, validates it, and fills a row of [Value]
// structs that alias the value. Every format has a shape that is an Avro record
// schema ([Source.Shape]), so names, types and expressions know one type system.
//
// Avro: a [Projection] is a short program over the bytes of a datum; a
// [Decoder] adds the wire header, the event time and the identity.
//
// JSON: the shape is given as an Avro schema, or as a JSON Schema: object with
// properties and required, string (formats date-time and date; enum), integer
// (formats int32, timestamp-millis, timestamp-micros), number, boolean, arrays,
// format decimal with precision and scale, $ref within the document, anyOf and
// oneOf of one type and null, nullable. What narrows values (minimum, pattern,
// ...) is not checked; allOf of several is refused; what can be of several types
// cannot be read; a property whose name is no Avro name cannot be named. A
// missing member is null, or an error where the field is not nullable; members
// that the shape doesn't have are ignored. Integers and decimals are exact,
// decimals from numbers or texts; timestamps are RFC 3339 texts or numbers in the
// type's unit, digits finer than it cut off towards the past.
//
// Protobuf: the shape comes from a FileDescriptorSet. Fields go by their
// Protobuf names; enums are their symbols (a number without one its digits);
// a google.protobuf.Timestamp is a timestamp-micros, an event time may also be
// a 64-bit integer ([Source.TimeUnit]); 64-bit unsigned integers
// beyond 2^63-1 are an error; maps cannot be read. Without presence (proto3) an
// absent field is its zero; optional fields, members of a oneof and messages are
// null. Required fields must be there. Unknown fields are ignored.
//
// An array can be unnested ([Schema.Unnested]): [Event.Load] puts one element's
// fields into the row. Event time and id are the record's; the identity is that
// of the whole record.
//
// JSON at the edges, what people type and read ([Edge]), goes through goavro and
// protojson, so that two codes that share nothing have to agree on every record.
//
// Invariants:
//
//  1. Decode, Load and Identity allocate nothing for a valid event (JSON numbers
//     of more than 18 digits and enum numbers without a name excepted).
//  2. What Decode takes, it reads as goavro does, and goavro takes it too, except
//     a map with one key twice. goavro and twmb/avro take more; the reasons of
//     what they alone take are listed in differential_test.go.
//  3. Decode takes an Avro payload only if all of it is one datum: lengths within
//     the payload, varints of at most ten bytes and 64 bits, ints within 32 bits and
//     five bytes, booleans 0 or 1, indexes of enums and unions within their
//     symbols and branches, strings in UTF-8, sizes of blocks right, no byte left.
//     Every proper prefix of a datum is refused.
//  4. No bytes cost more than linear time (n log n for the keys of one JSON
//     object) or any memory before they are found bad, and no schema takes more
//     than linear time to compile: see limits.go.
//  5. JSON keeps what it says: integers are exact to 64 bits, doubles to the bit,
//     and what cannot be kept (a fraction in an int, at the edge also digits finer
//     than a timestamp's unit, a key given twice) is an error that names the field.
//  6. The same row has the same identity for ever: the encoding is versioned,
//     drawn in FORMAT.md and held by golden bytes. It depends on the values of the
//     fields that are read and on nothing else: not on the schema id, the place, the
//     time of arrival, other fields, or which element is loaded.
//  7. Everything is immutable and safe for concurrent use, save Event.
//  8. A JSON event is exactly one object: RFC 8259, UTF-8, no key twice in any
//     object, no half surrogate, at most MaxJSONDepth deep, nothing behind it.
//     It means what encoding/json says (jsondiff_test.go).
//  9. A Protobuf event means what dynamicpb says, and is taken if proto.Unmarshal
//     takes it, save what protodiff_test.go lists.
//  10. Where an event lies in the lake depends on its bytes and on how its event
//     time is found, and on nothing else of a schema: an event that a reader
//     refuses for another field is [RecordError.Placed], and its lake partition,
//     or the reason of its quarantine, is the same for every reader ([StoredReader]).
//  11. Elements come in the array's order, at most MaxElements of them.
//
// Laws: L1 (the identity makes windows functions of a set; a NaN is one value, a
// decimal has one form), L3 (a bad record is a *RecordError with a reason, never a
// panic, so it can be landed and counted; an unknown schema id is another error,
// for it pauses; invariant 10).
//
// The package knows no Kafka, no file and no clock.
//
// # Files
//
//	schema.go, node.go, type.go,
//	paths.go, logical.go, suggest.go   a schema, its types and names
//	value.go, identity.go, unnest.go   an event's values, what makes it a duplicate, its elements
//	source.go, columns.go, whole.go    readers: what every format has, and what all but Avro have
//	projection.go, program.go,
//	walk.go, blocks.go, fault.go,
//	decoder.go                         Avro: compiled, then walked
//	jsonschema*.go                     JSON Schema as a shape
//	json*.go                           JSON events: reader, plan, walk, leaves, text
//	proto*.go                          Protobuf events: shape, reader, plan, walk
//	stored.go, rewrap.go               what the lake needs to know of any of them, and the way back to record values
//	edge*.go                           JSON that people type and read, by other code
//	errors.go, limits.go               why a record is bad; how much is accepted
package schema
