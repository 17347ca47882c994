// Package nexmark holds the queries of the Nexmark benchmark as pipelines, and proves what they give: README.md has the table.
//
// There is nothing but tests here. A seeded generator makes persons, auctions and bids; every query runs over Tidemark's
// in-memory driver, in two partitions, and its rows must equal those that DuckDB computes from the SQL beside the pipeline
// file: integers, decimals and texts exactly, and doubles to the bit, as sums are exact here and there (law L1). With events
// late and doubled, the stream and its corrections must equal DuckDB over the deduplicated whole.
//
// DuckDB comes from PyPI once, into TIDEMARK_TEST_CACHE or the user's cache directory.
package nexmark
