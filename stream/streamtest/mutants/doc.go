// Package mutants tests the tests: it plants one bug at a time, of each kind that an engine with the promise of exactly
// once must not have, and shows that a test of the repository catches it.
//
// A bug is a file in testdata: what it is (bug:), the source file (file:), what it replaces there (pairs of old and new text),
// and the cheapest test that must fail (test:, the arguments of go test; several lines are tried in turn, with the variables
// of env:). The sources are never touched: the compiler is given the planted file in the other's place (go test -overlay). A
// build tag would put every bug into the sources, and let a build of the program have it; so no build can.
//
// # Invariants
//
//  1. Every bug still fits: each text that it replaces stands exactly once in its file, and what results is Go. Who changes
//     such a text changes the bug with it.
//  2. A bug is caught when a test that it names is built, runs and fails. One that does not compile, or whose tests
//     pass, is an escape, and the run fails.
//  3. The named tests pass without any bug: `make test` shows it.
//
// `make mutants` plants all and prints what caught each, and how long that took; BUGS=REGEXP names some. `make test` sees
// that all fit and plants a few cheap ones.
package mutants
