// Package expr compiles and evaluates the expressions of a pipeline (`let`, the
// arguments of aggregates): the Common Expression Language (cel.dev), type-checked
// against the event's schema before anything runs.
//
// Invariants:
//
//  1. A result is a function of the event's fields alone: no clock, no zone
//     database, no iteration order, no state from event to event. (L1)
//  2. Evaluation ends: there are no loops, the length of an expression and the
//     nesting of lets are bounded.
//  3. Nothing is guessed at run time: an expression whose type is not bool, int,
//     double, string, bytes or timestamp is refused when it is compiled, and a
//     result is always of the announced [Program.Type].
//  4. Integer overflow, division of integers by zero, null in arithmetic or in
//     an order (<, <=, >, >=) and failed conversions are errors of the event, a
//     *schema.RecordError; never a wrapped number, zero, or false in silence.
//  5. A let means what its text in parentheses would mean: an error in it counts
//     only where it is reached.
//
// Of CEL's standard library, macros over lists (exists, map, ...) and named time
// zones are missing. `==` and `!=` take null as a value, as CEL has it: where x is
// null, `x == 1` is false and `x != 1` is true. Division of doubles is IEEE 754's.
// An int compared with a double is compared as the nearest double: beyond 2^53
// write int(x) or compare ints with ints.
// `||` and `&&` follow CEL too: `true || e` is true even if e fails, in any order.
package expr
