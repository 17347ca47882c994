// Package servers starts object stores for tests: versitygw (S3), fake-gcs-server (GCS) and Azurite (Azure), each a process
// of its own, empty, on a free port, until the test ends. It is for tests only.
//
//  1. What S3, GCS and Azure return is a bucket's URL, and the environment of the test has what its client needs.
//  2. A server that can't be had or started fails the test.
//
// The servers of Go are built from the module in program/, apart from Tidemark's own so that none of their dependencies
// becomes one of ours. Azurite comes from npm; its Node from PyPI, so that no machine must have one. All are made once and
// kept in the cache of lake/testcache.
//
// Laws: none; it serves the tests that prove them.
package servers
