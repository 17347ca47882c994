// Package join owns the buffers of a task's joins: an interval join and an enrichment of events by the versions of a
// table. It is pure: no clock, no I/O but the Backing it is given.
package join
