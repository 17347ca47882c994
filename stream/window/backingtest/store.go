// Package backingtest is state in memory, for tests of what keeps its state behind a window.Backing: engines of windows
// and joins. A Store is the Backing, a Batch the Writer; Apply is the caller's side of a Write. Both hold callers to the
// contract: a slice that is valid during a call is overwritten after it, and nothing of a Batch is seen before Apply.
//
// It doesn't import package window, whose own tests need it. It is for tests only.
package backingtest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Store is keys and values in the order of the keys' bytes. It is used by one goroutine at a time.
type Store struct {
	Gets, Scans int   // calls so far
	Scanned     int   // keys that scans have given
	Fail        error // returned by every call if set

	keys []string // in order; nil: to be sorted
	vals map[string]string
}

// New is an empty store.
func New() *Store { return &Store{vals: map[string]string{}} }

// Get returns the value of a key.
func (s *Store) Get(key []byte) ([]byte, bool, error) {
	s.Gets++
	v, ok := s.vals[string(key)]
	return []byte(v), ok, s.Fail
}

// Scan calls fn with every key of [lo, hi) in order. It wraps fn's error.
func (s *Store) Scan(lo, hi []byte, fn func(k, v []byte) error) error {
	s.Scans++
	if s.Fail != nil {
		return s.Fail
	}
	keys := s.Keys()
	from, _ := slices.BinarySearch(keys, string(lo))
	for _, k := range keys[from:] {
		if k >= string(hi) {
			return nil
		}
		s.Scanned++
		key, val := []byte(k), []byte(s.vals[k])
		err := fn(key, val)
		clear(key) // valid during the call only
		clear(val)
		if err != nil {
			return fmt.Errorf("scan: %w", err)
		}
	}
	return nil
}

// Keys is all keys in order, not to be changed.
func (s *Store) Keys() []string {
	if s.keys == nil {
		s.keys = slices.Sorted(maps.Keys(s.vals))
	}
	return s.keys
}

// Value is that of a key; "" if there is none.
func (s *Store) Value(key string) string { return s.vals[key] }

// Put sets a key, past all writers: to damage what is stored.
func (s *Store) Put(key, val string) { s.vals[key], s.keys = val, nil }

// Remove deletes a key, past all writers.
func (s *Store) Remove(key string) {
	delete(s.vals, key)
	s.keys = nil
}

// Clone is a store of its own with the same keys and values.
func (s *Store) Clone() *Store { return &Store{vals: maps.Clone(s.vals)} }

// String is every key and value in hexadecimal digits, one a line: the serialised state.
func (s *Store) String() string {
	var out strings.Builder
	for _, k := range s.Keys() {
		fmt.Fprintf(&out, "%x = %x\n", k, s.vals[k])
	}
	return out.String()
}

// Apply carries out what a batch has collected.
func (s *Store) Apply(b *Batch) {
	for _, c := range b.changes {
		switch c.kind {
		case set:
			s.vals[c.key] = c.val
		case remove:
			delete(s.vals, c.key)
		case removeRange:
			maps.DeleteFunc(s.vals, func(k, _ string) bool { return k >= c.key && k < c.val })
		}
	}
	s.keys = nil
}
