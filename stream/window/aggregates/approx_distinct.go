package aggregates

import (
	"fmt"

	"github.com/cespare/xxhash/v2"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/window"
)

// approxDistinct is approx_distinct(x): about how many different values there were. Up to 1,536 it is exact, but for
// hashes that collide, one in 10^13; beyond, the standard error is 0.81 % (HyperLogLog with 2^14 registers).
//
// A value is hashed as XXH64 (github.com/Cyan4973/xxHash, seed 0) of its key (form), whatever the field is called; -0
// and 0 are one value, all NaN are one. The hash is no secret: who picks values for their hashes can make the count as
// wrong as he likes. Where that matters, use distinct.
//
// State (hyperloglog): 1 byte, and 8 for each value up to 1,536, then 12,288 (16 KiB in memory). Merging takes the
// union of the lists, or the greater of each two registers.
type approxDistinct struct{ form form }

func (a approxDistinct) Cell() string {
	return fmt.Sprintf("hyperloglog/1 %v p=%d list=%d hash=xxh64", a.form, precision, listMax)
}

func (a approxDistinct) New() window.Accumulator { return &hashed{form: a.form} }

func (approxDistinct) Result() schema.Type { return typeLong }

func (approxDistinct) Value(a window.Accumulator, _ []byte) (schema.Value, error) {
	h, ok := a.(*hashed)
	if !ok {
		return schema.Value{}, fmt.Errorf("approx_distinct of a %T", a)
	}
	return schema.IntValue(h.hashes.estimate()), nil
}

// hashed is the accumulator of approx_distinct.
type hashed struct {
	form   form
	hashes hyperloglog
	next   []byte // room for the key of a value that is being added
}

func (h *hashed) Add(v schema.Value, _ window.Order) error {
	if err := h.form.check(v); err != nil {
		return err
	}
	h.next = h.form.appendEqual(h.next[:0], v)
	h.hashes.add(xxhash.Sum64(h.next))
	return nil
}

func (h *hashed) Merge(other window.Accumulator) error {
	o, ok := other.(*hashed)
	if !ok || o.form != h.form {
		return mismatch(h, other)
	}
	h.hashes.merge(&o.hashes)
	return nil
}

func (h *hashed) Append(dst []byte) []byte { return h.hashes.append(dst) }

func (h *hashed) Decode(src []byte) error { return h.hashes.decode(src) }

func (h *hashed) Bytes() int64 { return 32 + int64(cap(h.next)) + h.hashes.bytes() }

// approxDistinctMade makes approx_distinct(x).
func approxDistinctMade(in schema.Type, _ []window.Literal) (window.Aggregate, error) {
	f, err := formOf(in)
	if err != nil {
		return nil, err
	}
	return approxDistinct{f}, nil
}
