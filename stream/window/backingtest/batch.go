package backingtest

import (
	"bytes"
	"fmt"
)

// Batch collects changes. The zero Batch is empty.
type Batch struct {
	changes []change
}

// change is a key to be set or deleted, or a range from key to val.
type change struct {
	kind     kind
	key, val string
}

type kind uint8

const (
	set kind = iota
	remove
	removeRange
)

// Set is to set a key.
func (b *Batch) Set(k, v []byte) error {
	b.changes = append(b.changes, change{set, string(k), string(v)})
	return nil
}

// Delete is to delete a key.
func (b *Batch) Delete(k []byte) error {
	b.changes = append(b.changes, change{remove, string(k), ""})
	return nil
}

// DeleteRange is to delete the keys of [lo, hi). A range without keys is an error: whoever asks for it has miscounted.
func (b *Batch) DeleteRange(lo, hi []byte) error {
	if bytes.Compare(lo, hi) >= 0 {
		return fmt.Errorf("empty range %x to %x", lo, hi)
	}
	b.changes = append(b.changes, change{removeRange, string(lo), string(hi)})
	return nil
}

// Log is the changes in their order, in words, one each.
func (b *Batch) Log() []string {
	log := make([]string, len(b.changes))
	for i, c := range b.changes {
		switch c.kind {
		case set:
			log[i] = fmt.Sprintf("set %x = %x", c.key, c.val)
		case remove:
			log[i] = fmt.Sprintf("delete %x", c.key)
		case removeRange:
			log[i] = fmt.Sprintf("delete %x to %x", c.key, c.val)
		}
	}
	return log
}
