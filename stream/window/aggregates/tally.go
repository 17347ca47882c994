package aggregates

import (
	"encoding/binary"
	"math"
	"slices"
	"strings"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/window"
)

// tally counts values, up to a limit of different ones and of their bytes. Beyond either it lets go of all it holds
// and remembers only that: whether a multiset has more is a function of the multiset, as what exceeds a limit goes on
// exceeding it whatever is added.
type tally struct {
	form    form
	limit   int  // of different values
	counted bool // counts are part of the state; else only which values there are

	beyond  bool
	entries []entry          // as they came
	index   map[string]int32 // of entries, once there are more than a few
	sorted  []int32          // the first entries, ordered by key; later ones aren't in it yet
	size    int              // bytes of all keys
	next    []byte           // room for the key of a value that is being added
}

type entry struct {
	key   string
	count uint64
}

const (
	tallyBytesMax = 1 << 20 // of all keys
	fewEntries    = 8
)

func (t *tally) Add(v schema.Value, _ window.Order) error {
	if err := t.form.check(v); err != nil {
		return err
	}
	if t.beyond {
		return nil
	}
	t.next = t.form.appendEqual(t.next[:0], v)
	t.count(t.next, 1)
	return nil
}

// count adds n occurrences of a key, of which it keeps a copy.
func (t *tally) count(key []byte, n uint64) {
	if i := t.find(key); i >= 0 {
		t.entries[i].count += n
		return
	}
	if len(t.entries) == t.limit || t.size+len(key) > tallyBytesMax {
		t.exceed()
		return
	}
	t.insert(string(key), n)
	if t.index != nil {
		t.index[t.entries[len(t.entries)-1].key] = int32(len(t.entries) - 1)
	}
}

func (t *tally) insert(key string, n uint64) {
	t.entries = append(t.entries, entry{key, n})
	t.size += len(key)
}

// find is the index of a key's entry, or -1. Of more than a few entries it makes a map, which one that was only read
// back to be written or closed never needs.
func (t *tally) find(key []byte) int {
	if t.index == nil && len(t.entries) > fewEntries {
		t.index = make(map[string]int32, 2*len(t.entries))
		for i := range t.entries {
			t.index[t.entries[i].key] = int32(i)
		}
	}
	if t.index != nil {
		if i, ok := t.index[string(key)]; ok {
			return int(i)
		}
		return -1
	}
	for i := range t.entries {
		if t.entries[i].key == string(key) {
			return i
		}
	}
	return -1
}

func (t *tally) clear() {
	*t = tally{form: t.form, limit: t.limit, counted: t.counted}
}

func (t *tally) exceed() {
	t.clear()
	t.beyond = true
}

func (t *tally) Merge(other window.Accumulator) error {
	o, ok := other.(*tally)
	switch {
	case !ok || o.form != t.form || o.limit != t.limit || o.counted != t.counted:
		return mismatch(t, other)
	case t.beyond:
	case o.beyond:
		t.exceed()
	default:
		for i := range o.entries {
			t.next = append(t.next[:0], o.entries[i].key...)
			if t.count(t.next, o.entries[i].count); t.beyond {
				break
			}
		}
	}
	return nil
}

// order sorts the entries that have come since the last time, and merges them into those that are sorted.
func (t *tally) order() []int32 {
	done := len(t.sorted)
	if done == len(t.entries) {
		return t.sorted
	}
	fresh := make([]int32, 0, len(t.entries)-done)
	for i := done; i < len(t.entries); i++ {
		fresh = append(fresh, int32(i))
	}
	slices.SortFunc(fresh, func(a, b int32) int { return strings.Compare(t.entries[a].key, t.entries[b].key) })
	t.sorted = slices.Grow(t.sorted, len(fresh))[:len(t.entries)]
	for at, i, j := len(t.entries)-1, done-1, len(fresh)-1; j >= 0; at-- {
		if i >= 0 && t.entries[t.sorted[i]].key > t.entries[fresh[j]].key {
			t.sorted[at] = t.sorted[i]
			i--
		} else {
			t.sorted[at] = fresh[j]
			j--
		}
	}
	return t.sorted
}

// Append writes 1 if the limit was exceeded; else 0, the number of values, and each: its length unless the type has
// one, its key, and if counted its count.
func (t *tally) Append(dst []byte) []byte {
	if t.beyond {
		return append(dst, 1)
	}
	dst = append(dst, 0)
	dst = binary.AppendUvarint(dst, uint64(len(t.entries)))
	for _, i := range t.order() {
		e := &t.entries[i]
		if t.form.size() == 0 {
			dst = binary.AppendUvarint(dst, uint64(len(e.key)))
		}
		dst = append(dst, e.key...)
		if t.counted {
			dst = binary.AppendUvarint(dst, e.count)
		}
	}
	return dst
}

func (t *tally) Decode(src []byte) error {
	t.clear()
	r := reader{src: src}
	switch flag := r.byte(); flag {
	case 0:
		t.read(&r)
	case 1:
		t.beyond = true
	default:
		r.fail("flags %#x", flag)
	}
	return r.end()
}

// read reads values into an empty tally.
func (t *tally) read(r *reader) {
	n := r.uvarint(uint64(t.limit))
	room := min(n, uint64(len(r.src)))
	t.entries, t.sorted = make([]entry, 0, room), make([]int32, 0, room)
	all := string(r.src) // one piece of memory for all keys
	for i := range n {
		size, count := uint64(t.form.size()), uint64(1)
		if size == 0 {
			size = r.uvarint(tallyBytesMax)
		}
		at := len(all) - len(r.src)
		key := r.take(size)
		if t.counted {
			count = r.uvarint(math.MaxUint64)
		}
		if r.err != nil {
			return
		}
		switch err := t.form.validEqual(key); {
		case err != nil:
			r.fail("value %d: %w", i, err)
		case i > 0 && t.entries[i-1].key >= all[at:at+len(key)]:
			r.fail("value %d isn't above the one before", i)
		case count == 0:
			r.fail("value %d occurs 0 times", i)
		case t.size+len(key) > tallyBytesMax:
			r.fail("values of more than %d bytes", tallyBytesMax)
		default:
			t.insert(all[at:at+len(key)], count)
			t.sorted = append(t.sorted, int32(i))
		}
	}
}

// Bytes counts 16 bytes and the key for each string, and for the map half as much again as its entries.
func (t *tally) Bytes() int64 {
	n := 120 + int64(cap(t.entries))*24 + int64(t.size) + int64(len(t.entries))*4 + int64(cap(t.sorted))*4 + int64(cap(t.next))
	if t.index != nil {
		n += int64(len(t.entries)) * 36
	}
	return n
}
