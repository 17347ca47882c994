// Package window owns windows and aggregates: which window an event belongs to, whether it is late or a duplicate,
// what a closed window's values are, and the watermark of a source partition. It is pure: both lanes import it.
package window
