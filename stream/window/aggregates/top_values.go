package aggregates

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/window"
)

// topValues is top_values(x, k): the k greatest values, the greatest first; a value that occurs several times is there
// several times. Values order as their keys do (form): numbers and decimals by value, a NaN above all, -0 below 0,
// strings by code points. It is exact. Null when there were none, or when a string, or bytes, of more than 4 KiB was
// among all values of the group (not only among the greatest, so that the answer is a function of the set). k is
// from 1 to 1,000.
//
// The result is an Avro array.
//
// State: 2 bytes and at most k values; 1 byte beyond 4 KiB. Merging keeps the k greatest of both.
type topValues struct {
	form form
	k    int
	typ  schema.Type
}

const topValueMax = 4 << 10 // bytes of a key

func (a topValues) Cell() string { return fmt.Sprintf("top_values/1 %v k=%d", a.form, a.k) }

func (a topValues) New() window.Accumulator { return &greatest{form: a.form, k: a.k} }

func (a topValues) Result() schema.Type { return a.typ }

func (a topValues) Value(acc window.Accumulator, scratch []byte) (schema.Value, error) {
	g, ok := acc.(*greatest)
	switch {
	case !ok:
		return schema.Value{}, fmt.Errorf("top_values of a %T", acc)
	case g.beyond || len(g.keys) == 0:
		return schema.NullValue(), nil
	}
	dst := binary.AppendVarint(scratch[:0], int64(len(g.keys)))
	for _, key := range slices.Backward(g.keys) {
		dst = a.form.appendAvro(dst, key)
	}
	return schema.BytesValue(append(dst, 0)), nil
}

// greatest holds the k greatest keys.
type greatest struct {
	form   form
	k      int
	beyond bool
	keys   []string // ascending
	size   int      // bytes of all keys
	next   []byte   // room for the key of a value that is being added
}

func (g *greatest) Add(v schema.Value, _ window.Order) error {
	if err := g.form.check(v); err != nil {
		return err
	}
	if g.beyond {
		return nil
	}
	g.next = g.form.append(g.next[:0], v)
	if len(g.next) > topValueMax {
		g.exceed()
		return nil
	}
	if len(g.keys) == g.k && string(g.next) <= g.keys[0] {
		return nil
	}
	g.offer(string(g.next))
	return nil
}

// offer puts a key among the greatest, if it is one of them.
func (g *greatest) offer(key string) {
	i, _ := slices.BinarySearch(g.keys, key)
	if len(g.keys) < g.k {
		g.size += len(key)
		g.keys = slices.Insert(g.keys, i, key)
		return
	}
	if i == 0 {
		return
	}
	g.size += len(key) - len(g.keys[0])
	copy(g.keys, g.keys[1:i])
	g.keys[i-1] = key
}

func (g *greatest) clear() { *g = greatest{form: g.form, k: g.k} }

func (g *greatest) exceed() {
	g.clear()
	g.beyond = true
}

func (g *greatest) Merge(other window.Accumulator) error {
	o, ok := other.(*greatest)
	switch {
	case !ok || o.form != g.form || o.k != g.k:
		return mismatch(g, other)
	case g.beyond:
	case o.beyond:
		g.exceed()
	default:
		for _, key := range o.keys {
			g.offer(key)
		}
	}
	return nil
}

// Append writes 1 if a value was too long; else 0, the number of values, and each, ascending: its length unless the
// type has one, and its key.
func (g *greatest) Append(dst []byte) []byte {
	if g.beyond {
		return append(dst, 1)
	}
	dst = append(dst, 0)
	dst = binary.AppendUvarint(dst, uint64(len(g.keys)))
	for _, key := range g.keys {
		if g.form.size() == 0 {
			dst = binary.AppendUvarint(dst, uint64(len(key)))
		}
		dst = append(dst, key...)
	}
	return dst
}

func (g *greatest) Decode(src []byte) error {
	g.clear()
	r := reader{src: src}
	switch flag := r.byte(); flag {
	case 0:
		g.read(&r)
	case 1:
		g.beyond = true
	default:
		r.fail("flags %#x", flag)
	}
	return r.end()
}

// read reads values into an empty accumulator.
func (g *greatest) read(r *reader) {
	n := r.uvarint(uint64(g.k))
	for i := range n {
		size := uint64(g.form.size())
		if size == 0 {
			size = r.uvarint(topValueMax)
		}
		key := r.take(size)
		if r.err != nil {
			return
		}
		switch err := g.form.valid(key); {
		case err != nil:
			r.fail("value %d: %w", i, err)
		case i > 0 && g.keys[i-1] > string(key):
			r.fail("value %d is below the one before", i)
		default:
			g.keys = append(g.keys, string(key))
			g.size += len(key)
		}
	}
}

func (g *greatest) Bytes() int64 {
	return 96 + int64(cap(g.keys))*16 + int64(len(g.keys))*4 + int64(g.size) + int64(cap(g.next))
}

// topValuesMade makes top_values(x, k).
func topValuesMade(in schema.Type, params []window.Literal) (window.Aggregate, error) {
	f, err := formOf(in)
	if err != nil {
		return nil, err
	}
	k, err := wholeParam(params[0], "k", 1, topMax)
	if err != nil {
		return nil, fmt.Errorf("top_values: %w", err)
	}
	return topValues{form: f, k: k, typ: rawOf(`{"type":"array","items":` + avroOf(in) + `}`)}, nil
}
