// Package realkafka runs a real Apache Kafka broker for tests: KRaft, one node, on loopback, from the artefacts on
// Maven Central. What is claimed of Kafka is proven on Kafka; the embedded broker is for the quickstart and for fast tests.
//
// A test binary has one shared broker:
//
//	func TestMain(m *testing.M) { goleak.VerifyTestMain(realkafka.Tests(m)) }
//	func TestX(t *testing.T)    { addr := realkafka.Shared(t).Addr(); ... }
//
// and a test that stops or kills a broker starts its own with Start.
//
// The jars (about 60 MB) are copied once, by `mvn dependency:copy-dependencies` over the pom.xml of this package, into
// $TIDEMARK_TEST_CACHE, or tidemark in the user's cache directory. TIDEMARK_TEST_KAFKA names another version than 4.1.0.
// Java and Maven are needed; a test fails without them, it does not skip.
//
// Invariants:
//
//  1. The cache holds a version's jars completely or not at all: they are copied beside it under a
//     lock, then renamed.
//  2. No broker outlives the test binary, however that ends (on Linux), and no data directory outlives a test that passed;
//     after a failure directory and logs stay and are named.
package realkafka
