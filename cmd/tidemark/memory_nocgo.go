//go:build !cgo

package main

// pebbleOffHeap says that Pebble's cache and memtables lie outside of Go's heap: without cgo they don't.
const pebbleOffHeap = false
