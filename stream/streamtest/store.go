package streamtest

import (
	"bytes"
	"slices"
	"sort"

	"github.com/tidemark-io/tidemark/stream/window"
)

// Store is state in memory: what a task's Pebble database is in a running stream.
type Store struct {
	keys   []string // sorted, once ordered
	values map[string][]byte
	dirty  bool
}

var (
	_ window.Backing = (*Store)(nil)
	_ window.Writer  = (*Store)(nil)
)

// NewStore is an empty store.
func NewStore() *Store { return &Store{values: map[string][]byte{}} }

// Get returns a key's value.
func (s *Store) Get(key []byte) ([]byte, bool, error) {
	v, ok := s.values[string(key)]
	return v, ok, nil
}

// Scan calls fn with every key of [lo, hi) in order.
func (s *Store) Scan(lo, hi []byte, fn func(k, v []byte) error) error {
	s.sort()
	from, to := sort.SearchStrings(s.keys, string(lo)), sort.SearchStrings(s.keys, string(hi))
	for i := from; i < to; i++ {
		if err := fn([]byte(s.keys[i]), s.values[s.keys[i]]); err != nil {
			return err
		}
	}
	return nil
}

// Apply carries out what a Batch has collected.
func (s *Store) Apply(b *Batch) error {
	for i := range b.ops {
		var err error
		switch op := &b.ops[i]; op.kind {
		case opSet:
			err = s.Set(op.key, op.value)
		case opDelete:
			err = s.Delete(op.key)
		case opDeleteRange:
			err = s.DeleteRange(op.key, op.value)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Batch collects writes, as a Pebble batch does: the Store shows none of them before Apply, to who reads while writing
// neither.
type Batch struct{ ops []batchOp }

var _ window.Writer = (*Batch)(nil)

type batchOp struct {
	kind       opKind
	key, value []byte
}

type opKind uint8

const (
	opSet opKind = iota
	opDelete
	opDeleteRange
)

// Set is to keep a copy of a value.
func (b *Batch) Set(k, v []byte) error {
	b.ops = append(b.ops, batchOp{opSet, bytes.Clone(k), bytes.Clone(v)})
	return nil
}

// Delete is to forget a key.
func (b *Batch) Delete(k []byte) error {
	b.ops = append(b.ops, batchOp{opDelete, bytes.Clone(k), nil})
	return nil
}

// DeleteRange is to forget the keys of [lo, hi).
func (b *Batch) DeleteRange(lo, hi []byte) error {
	b.ops = append(b.ops, batchOp{opDeleteRange, bytes.Clone(lo), bytes.Clone(hi)})
	return nil
}

// Set keeps a copy of a value.
func (s *Store) Set(k, v []byte) error {
	if _, ok := s.values[string(k)]; !ok {
		s.keys, s.dirty = append(s.keys, string(k)), true
	}
	s.values[string(k)] = bytes.Clone(v)
	return nil
}

// Delete forgets a key.
func (s *Store) Delete(k []byte) error {
	if _, ok := s.values[string(k)]; ok {
		s.sort()
		delete(s.values, string(k))
		at := sort.SearchStrings(s.keys, string(k))
		s.keys = slices.Delete(s.keys, at, at+1)
	}
	return nil
}

// DeleteRange forgets the keys of [lo, hi).
func (s *Store) DeleteRange(lo, hi []byte) error {
	s.sort()
	from, to := sort.SearchStrings(s.keys, string(lo)), sort.SearchStrings(s.keys, string(hi))
	if from >= to {
		return nil
	}
	for _, k := range s.keys[from:to] {
		delete(s.values, k)
	}
	s.keys = slices.Delete(s.keys, from, to)
	return nil
}

// Bytes is all keys and values in order, each led by its length.
func (s *Store) Bytes() []byte {
	s.sort()
	var b bytes.Buffer
	for _, k := range s.keys {
		for _, part := range [][]byte{[]byte(k), s.values[k]} {
			b.WriteByte(byte(len(part) >> 16))
			b.WriteByte(byte(len(part) >> 8))
			b.WriteByte(byte(len(part)))
			b.Write(part)
		}
	}
	return b.Bytes()
}

func (s *Store) sort() {
	if s.dirty {
		slices.Sort(s.keys)
		s.dirty = false
	}
}
