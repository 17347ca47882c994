// Package crashpoint names the moments at which a test ends the real program, between any two steps of which the order
// matters: crashpoint.Hit("commit/flushed") stands right after the flush, so a kill there is one after the flush and
// before whatever follows.
//
// A program built with the tag crashpoints obeys its environment:
//
//	TIDEMARK_CRASH=commit/flushed          SIGKILL to itself at the first hit of the point
//	TIDEMARK_CRASH=commit/flushed:7        at the seventh
//	TIDEMARK_CRASH=land/entry-put,poll/..  whichever comes first
//	TIDEMARK_CRASH=commit/flushed:7:stop   SIGSTOP instead: it lies still until someone sends SIGCONT
//	TIDEMARK_CRASH_TRACE=FILE              appends the name of each hit to a file, a line each
//
// and says "crashpoint NAME hit N" on stderr before it ends. It refuses to run with a name that isn't in All.
//
// Invariants:
//
//  1. In a release Hit is an empty function that the compiler leaves out, names included.
//  2. Every name that is hit anywhere is in All, and every name of All is hit somewhere.
//
// Laws: none; it serves the tests that prove them. Every package may import it, and it imports nothing.
package crashpoint
