package join

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tidemark-io/tidemark/stream/window"
)

// memBacking is a Backing in a sorted slice of keys, with the caller's side of Write: apply.
type memBacking struct {
	keys []string // in order; nil: to be sorted
	vals map[string]string
	fail error // returned by every call if set
	gets int
	scan int
}

var (
	_ window.Backing = (*memBacking)(nil)
	_ window.Writer  = (*memBatch)(nil)
)

func newBacking() *memBacking { return &memBacking{vals: map[string]string{}} }

func (b *memBacking) Get(key []byte) ([]byte, bool, error) {
	b.gets++
	v, ok := b.vals[string(key)]
	return []byte(v), ok, b.fail
}

func (b *memBacking) Scan(lo, hi []byte, fn func(k, v []byte) error) error {
	b.scan++
	if b.fail != nil {
		return b.fail
	}
	keys := b.sorted()
	from, _ := slices.BinarySearch(keys, string(lo))
	for _, k := range keys[from:] {
		if k >= string(hi) {
			return nil
		}
		key, val := []byte(k), []byte(b.vals[k])
		err := fn(key, val)
		clear(key) // valid during the call only
		clear(val)
		if err != nil {
			return fmt.Errorf("scan: %w", err)
		}
	}
	return nil
}

// apply writes the operator's changes as one batch: none of them is seen before Write has returned.
func (b *memBacking) apply(op Operator) error {
	var batch memBatch
	if err := op.Write(&batch); err != nil {
		return err
	}
	for _, change := range batch.ops {
		change(b.vals)
	}
	b.keys = nil
	return nil
}

func (b *memBacking) sorted() []string {
	if b.keys == nil {
		b.keys = slices.Sorted(maps.Keys(b.vals))
	}
	return b.keys
}

// dump is every key and value: the serialised state.
func (b *memBacking) dump() string {
	var s strings.Builder
	for _, k := range b.sorted() {
		fmt.Fprintf(&s, "%x = %x\n", k, b.vals[k])
	}
	return s.String()
}

// memBatch collects changes.
type memBatch struct {
	ops []func(map[string]string)
	log []string
}

func (w *memBatch) Set(k, v []byte) error {
	key, val := string(k), string(v)
	w.log = append(w.log, fmt.Sprintf("set %x = %x", k, v))
	w.ops = append(w.ops, func(m map[string]string) { m[key] = val })
	return nil
}

func (w *memBatch) Delete(k []byte) error {
	key := string(k)
	w.log = append(w.log, fmt.Sprintf("delete %x", k))
	w.ops = append(w.ops, func(m map[string]string) { delete(m, key) })
	return nil
}

func (w *memBatch) DeleteRange(lo, hi []byte) error {
	from, to := string(lo), string(hi)
	if bytes.Compare(lo, hi) >= 0 {
		return fmt.Errorf("empty range %x to %x", lo, hi)
	}
	w.log = append(w.log, fmt.Sprintf("delete from %x to %x", lo, hi))
	w.ops = append(w.ops, func(m map[string]string) {
		maps.DeleteFunc(m, func(k, _ string) bool { return k >= from && k < to })
	})
	return nil
}
