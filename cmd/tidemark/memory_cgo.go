//go:build cgo

package main

// pebbleOffHeap says that Pebble's cache and memtables lie outside of Go's heap: with cgo it allocates them itself.
const pebbleOffHeap = true
