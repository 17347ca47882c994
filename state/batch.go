package state

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
)

// Limits of what one Apply writes.
const (
	keyBytesMax   = 128 << 10
	valueBytesMax = 64 << 20
	batchBytesMax = 1 << 30 // Pebble's own limit, at which it panics, is 4 GiB
)

// Batch is what the fill function of Apply writes into; it is good for the
// duration of that call. Keys that begin with 0x00 are the store's own and
// refused. Keys and values are copied.
type Batch interface {
	Set(key, value []byte) error
	Delete(key []byte) error
	DeleteRange(lo, hi []byte) error // the keys in [lo, hi)
}

type batch struct {
	b    *pebble.Batch
	over bool // fill has returned
}

var _ Batch = (*batch)(nil)

func checkKey(key []byte) error {
	switch {
	case len(key) == 0:
		return errors.New("empty key")
	case key[0] == prefixMeta:
		return fmt.Errorf("key %x is the store's own", key)
	case len(key) > keyBytesMax:
		return fmt.Errorf("key of %d bytes, at most %d", len(key), keyBytesMax)
	}
	return nil
}

// room reports why n more bytes cannot be written, or nil.
func (w *batch) room(n int) error {
	if w.over {
		return errors.New("batch is used after fill returned")
	}
	if w.b.Len()+n > batchBytesMax {
		return fmt.Errorf("batch of more than %d bytes: commit more often", batchBytesMax)
	}
	return nil
}

func (w *batch) Set(key, value []byte) error {
	if err := checkKey(key); err != nil {
		return err
	}
	if len(value) > valueBytesMax {
		return fmt.Errorf("value of %d bytes under key %x, at most %d", len(value), key, valueBytesMax)
	}
	if err := w.room(len(key) + len(value)); err != nil {
		return err
	}
	return w.b.Set(key, value, nil)
}

func (w *batch) Delete(key []byte) error {
	if err := checkKey(key); err != nil {
		return err
	}
	if err := w.room(len(key)); err != nil {
		return err
	}
	return w.b.Delete(key, nil)
}

func (w *batch) DeleteRange(lo, hi []byte) error {
	if err := checkKey(lo); err != nil {
		return err
	}
	if err := checkKey(hi); err != nil {
		return err
	}
	if bytes.Compare(lo, hi) > 0 {
		return fmt.Errorf("range ends at %x, before it begins at %x", hi, lo)
	}
	if err := w.room(len(lo) + len(hi)); err != nil {
		return err
	}
	return w.b.DeleteRange(lo, hi, nil)
}

// Apply writes what fill writes, and the cut that it brings the state to, in
// one batch: after a crash either all of it is there or nothing, and the same
// holds for every later one (doc.go, invariant 1). Nothing is synced: Kafka is
// the log.
//
// The cut is checked first: it must balance and follow the one before it. An
// error of the check or of fill leaves the store as it was. After any other
// error the store has stopped (Err); close it.
func (s *Store) Apply(cut *Cut, fill func(Batch) error) error {
	if s.closed.Load() {
		return fmt.Errorf("state %s: apply: %w", s.dir, errClosed)
	}
	if err := s.Err(); err != nil {
		return err
	}
	prev := s.lastCut()
	data, err := cut.encode()
	if err == nil && prev != nil {
		err = cut.follows(prev)
	}
	if err != nil {
		return fmt.Errorf("state %s: apply: %w", s.dir, err)
	}
	bytesApplied, err := s.write(data, prev == nil, fill)
	if err != nil {
		return err
	}
	// What is kept is read back from the bytes that were written, so that a
	// field lost in encoding shows at the next Apply and not after a restart.
	kept, err := decodeCut(data)
	if err != nil {
		return fmt.Errorf("state %s: apply: read the cut back: %w", s.dir, err)
	}
	s.cutMu.Lock()
	s.cut = kept
	s.cutMu.Unlock()
	s.applied.Add(1)
	return s.sh.grew(s, bytesApplied)
}

// write commits the batch and returns its size.
func (s *Store) write(cut []byte, first bool, fill func(Batch) error) (int64, error) {
	b := s.db.NewBatch()
	w := &batch{b: b}
	err := func() error {
		if fill != nil {
			if err := fill(w); err != nil {
				return err
			}
		}
		w.over = true
		if first {
			if err := b.Set(keySchema, encodeSchema(), nil); err != nil {
				return err
			}
		}
		return b.Set(keyCut, cut, nil)
	}()
	n := int64(b.Len())
	if err != nil {
		return 0, fmt.Errorf("state %s: apply: %w", s.dir, join(err, b.Close()))
	}
	if err := join(b.Commit(pebble.NoSync), b.Close()); err != nil {
		s.fs.stop(err) // nobody knows how much of it is there
	}
	return n, s.Err()
}
