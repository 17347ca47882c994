// Package expr compiles and evaluates the expressions of a pipeline (`let`,
// rules, the arguments of aggregates): the Common Expression Language (cel.dev),
// type-checked against the event's schema before anything runs.
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
//  6. What is compiled gives what cel-go's evaluator gives: the same value, bit
//     for bit, or a failure where it fails. (L1)
//
// # What is compiled
//
// cel-go parses and checks. The checked tree then becomes typed Go closures over
// the row, as a whole or not at all; [Program.Cost] names the first thing that
// is in the way. Compiled are: names and constants, == != with null tests, < <=
// > >= (an int and a double too), + - * / % and unary -, && || ! and ?:, `in` a
// list written out, size, startsWith, endsWith, contains, matches with a constant
// pattern, the conversions int double string bool bytes timestamp duration, the
// functions of timestamps and durations with fixed offsets, and functions of the
// user's. Left to cel-go's evaluator, some ten times slower, are: lists and maps
// elsewhere, [], uint, dyn and type, patterns that are computed, null written in
// a list, and string() of a timestamp made from a text with an offset, which
// shows it. A let is judged by itself: compiled expressions may read interpreted
// lets and the other way round.
//
// Compiled expressions allocate nothing for an event that succeeds, but for what
// functions of the user's do, and for parsing texts as timestamps.
//
// # Nulls and errors
//
// `==` and `!=` take null as a value, as CEL has it: where x is null, `x == 1` is
// false and `x != 1` is true, and `x in [1, 2]` is false. `||` and `&&` follow
// CEL too: `true || e` is true even if e fails or is null, in any order; else the
// first failure counts. In every other place null is an error, which names the
// field. (One curiosity of CEL's: NaN on the left of an order gives false before
// null on the right is looked at.)
//
// A null written as a branch of a conditional has the type of the other branch:
// `ok ? amount : null` is amount for those events that are ok, and sum, distinct
// or top_k of it take no others. (CEL itself would refuse it.)
//
// Decimals take no part in expressions, but double(amount) of a decimal field is the nearest double.
//
// Division of doubles is IEEE 754's. An int compared with a double is compared as
// the nearest double: beyond 2^53 write int(x) or compare ints with ints. Of
// CEL's standard library, macros over lists (exists, map, ...) and named time
// zones are missing.
//
// # Functions
//
// [Env.Functions] adds functions written in Go. Their errors, panics, and results
// that break their promise are failures of the expression, named after them.
//
// # Files
//
//	expr.go, check.go, errors.go    from text to a checked tree; what is wrong with the text
//	nulls.go, decimals.go           what is rewritten before the check: null branches, double of a decimal
//	cost.go, build.go, node.go      from the tree to closures, if all of it can be
//	read.go                         constants, fields, lets
//	arithmetic.go, order.go,
//	equality.go, logic.go,
//	member.go, text.go, convert.go  operators and functions
//	instant.go, calendar.go         timestamps and durations
//	function.go, call.go            functions of the user's
//	eval.go, fault.go               an event's value, or why it has none
package expr
