package aggregates

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/window"
)

// position is first(x) or last(x): the value of the event with the least or greatest (event time, identity, value),
// among events whose x isn't null. Values compare as their keys do (form); they come into it only when events have time
// and identity in common. So neither the order of arrival nor the place in the log has a say (law L1).
//
// Any type will do. NaN and -0 are values like others. The value is exact; null if there was none.
//
// State: nothing, or 24 bytes and the value. Merging keeps the lesser or greater of the two. first and last share
// nothing.
type position struct {
	last bool
	form form
	typ  schema.Type
}

func (p position) Cell() string {
	if p.last {
		return fmt.Sprintf("last/1 %v", p.form)
	}
	return fmt.Sprintf("first/1 %v", p.form)
}

func (p position) New() window.Accumulator { return &placed{last: p.last, form: p.form} }

func (p position) Result() schema.Type { return p.typ }

// Ordered says that events must have an identity.
func (p position) Ordered() bool { return true }

func (p position) Value(a window.Accumulator, _ []byte) (schema.Value, error) {
	c, ok := a.(*placed)
	switch {
	case !ok:
		return schema.Value{}, fmt.Errorf("%s of a %T", p.Cell(), a)
	case !c.any:
		return schema.NullValue(), nil
	}
	return p.form.value(c.key), nil
}

// placed is a value and where it came from.
type placed struct {
	last bool
	any  bool
	form form
	at   window.Order
	key  []byte
	next []byte // room for the key of a value that is being added
}

func (c *placed) Add(v schema.Value, at window.Order) error {
	if err := c.form.check(v); err != nil {
		return err
	}
	if c.any {
		if before := at.Compare(c.at) < 0; before == c.last && at != c.at {
			return nil
		}
	}
	c.next = c.form.append(c.next[:0], v)
	c.offer(at, c.next)
	return nil
}

// offer keeps (at, key) if it goes before what is kept; of last, if it goes behind.
func (c *placed) offer(at window.Order, key []byte) {
	if c.any {
		order := at.Compare(c.at)
		if order == 0 {
			order = bytes.Compare(key, c.key)
		}
		if order == 0 || order < 0 == c.last {
			return
		}
	}
	c.any, c.at = true, at
	c.key = append(c.key[:0], key...)
}

func (c *placed) Merge(other window.Accumulator) error {
	o, ok := other.(*placed)
	if !ok || o.last != c.last || o.form != c.form {
		return mismatch(c, other)
	}
	if o.any {
		c.offer(o.at, o.key)
	}
	return nil
}

func (c *placed) Append(dst []byte) []byte {
	if !c.any {
		return dst
	}
	dst = binary.BigEndian.AppendUint64(dst, uint64(c.at.Time)^signBit)
	dst = append(dst, c.at.ID[:]...)
	return append(dst, c.key...)
}

func (c *placed) Decode(src []byte) error {
	*c = placed{last: c.last, form: c.form}
	if len(src) == 0 {
		return nil
	}
	r := reader{src: src}
	c.at.Time = int64(r.word() ^ signBit)
	copy(c.at.ID[:], r.take(16))
	if r.err != nil {
		return r.err
	}
	c.any = true
	c.key = append(c.key, r.src...)
	return c.form.valid(c.key)
}

func (c *placed) Bytes() int64 { return 96 + int64(cap(c.key)) + int64(cap(c.next)) }

// positionOf defines first or last.
func positionOf(name string, last bool) window.Definition {
	return window.Definition{
		Name: name, Params: "(value)",
		New: func(in schema.Type, _ []window.Literal) (window.Aggregate, error) {
			f, err := formOf(in)
			if err != nil {
				return nil, err
			}
			return position{last: last, form: f, typ: nullable(in)}, nil
		},
	}
}
