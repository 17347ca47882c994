// Package feed turns JSON lines into the records of a topic, for `tidemark produce` and the demo.
//
// Invariants:
//
//  1. Records of a partition stand in the topic in the order of their lines.
//  2. A line that is not an event of the schema ends the feed, with the line's number; nothing after it is sent. What
//     was sent before it stays sent, and the error says how many lines that is. A record that the broker refuses is
//     told in the same way, once everything on its way is settled.
//  3. Memory is bounded by the longest allowed line and what the producer has in flight, not by the input.
//  4. The record's time is when it was sent, never the event time: topics expire by record time, and events of the past
//     would be deleted on arrival.
//
// It upholds none of the laws itself; the key that it gives a record is what a pipeline's source.key checks.
package feed
