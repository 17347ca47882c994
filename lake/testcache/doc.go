// Package testcache keeps what tests fetch or build once, for all runs: jars, Python environments, extracted data. It lies
// in $TIDEMARK_TEST_CACHE, or in tidemark in the user's cache directory. It is for tests only, and for all of them: it
// knows nothing of what it keeps.
//
// Invariants:
//
//  1. A directory of the cache is complete or not there: it is filled beside its place and then renamed.
//  2. Of several processes that want a directory one fills it, and the others wait.
//  3. What can't be had fails the test: a check that is skipped proves nothing.
//
// Laws: none; it serves the tests that prove them.
package testcache
