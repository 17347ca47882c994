// Package exact adds doubles without rounding, so that a sum is a function of the set of values and of nothing else
// (law L1): not of their order, of how they were split, or of where the sum was written down and read again.
//
// A finite double is an integer of at most 53 bits times a power of two. A [Sum] holds the exact total as a 128-bit
// two's-complement integer S times 2^e. Values of ordinary data never leave it. Those that would (exponents far
// apart) move the total into a [Wide]: a fixed-point integer that spans all doubles, in the manner of Kulisch's long
// accumulator (U. Kulisch, Computer Arithmetic and Validity, 2008).
//
// Invariants:
//
//  1. The total is exact at all times. It is rounded once, to nearest even, when it is read.
//  2. The encoding is a function of the total and of which of NaN, +Inf and -Inf have been added: S is made odd
//     before it is written. Whether the total ever was in a Wide can't be told from it.
//  3. A total that fits 128 bits is read back into 128 bits.
//  4. Any NaN, or +Inf and -Inf both, make the result NaN (bits 0x7ff8000000000001); else an infinity makes it that
//     infinity. A total of zero is +0, whatever zeros were added;
//     a mean below zero that underflows is -0.
//  5. At most 2^64 values: the Wide has 78 bits above the highest bit of a double.
//
// An addition allocates only when a total first leaves 128 bits.
package exact
