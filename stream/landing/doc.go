// Package landing moves records from Kafka topics into the raw lake. It is the one place where a Kafka
// record becomes a lake record, so the stream, which lands what it fetches anyway, and the reconciler, which
// lands what it needs before it compares, cannot disagree about what a record is in the lake.
//
// Law L3 (store first) rests on two invariants:
//
//  1. Every data record of a topic is handed to the lander with exactly one fate: its payload, under its
//     event-time hour, or its original bytes with a reason, for the quarantine. Control records carry no
//     data and only move the position.
//  2. A record whose schema id is unknown is neither: its partition stops before it, because any
//     fate given to it now would depend on when the schema became known.
//
// Landing is safe for any number of writers; the lake log decides.
package landing
