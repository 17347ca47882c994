// Package peers holds Tidemark beside Kafka Streams 4.1: the same records and queries through its TopologyTestDriver and
// through Tidemark's, and what differs where events are late, doubled, stamped far ahead or follow a long silence.
//
// There is nothing but tests here: they want the same rows of both where nothing is late, and keep the tables of README.md
// of where they differ. Both are compared with a truth of their own, which shares no code with either. The jars come from
// Maven Central once, into TIDEMARK_TEST_CACHE or the user's cache directory; Java 17 and Maven must be there.
package peers
