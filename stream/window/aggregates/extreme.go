package aggregates

import (
	"bytes"
	"fmt"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/window"
)

// extreme is min(x) or max(x) of what the engine's words don't hold: strings (by code points; an enum by its symbol),
// bytes (unsigned) and decimals (by value). It is exact; null if there was no value.
//
// State: one byte and the value; nothing if there was none. Merging keeps the lesser or greater.
type extreme struct {
	max  bool
	form form
	typ  schema.Type
}

func (e extreme) Cell() string {
	if e.max {
		return fmt.Sprintf("max/1 %v", e.form)
	}
	return fmt.Sprintf("min/1 %v", e.form)
}

func (e extreme) New() window.Accumulator { return &outermost{max: e.max, form: e.form} }

func (e extreme) Result() schema.Type { return e.typ }

func (e extreme) Value(a window.Accumulator, _ []byte) (schema.Value, error) {
	c, ok := a.(*outermost)
	switch {
	case !ok:
		return schema.Value{}, fmt.Errorf("%s of a %T", e.Cell(), a)
	case !c.any:
		return schema.NullValue(), nil
	}
	return e.form.value(c.key), nil
}

// outermost is the least or greatest value.
type outermost struct {
	max  bool
	any  bool
	form form
	key  []byte
	next []byte // room for the key of a value that is being added
}

func (c *outermost) Add(v schema.Value, _ window.Order) error {
	if err := c.form.check(v); err != nil {
		return err
	}
	if !c.form.decimal {
		c.offer(v.Bytes)
		return nil
	}
	c.next = c.form.append(c.next[:0], v)
	c.offer(c.next)
	return nil
}

func (c *outermost) offer(key []byte) {
	if c.any && (bytes.Compare(key, c.key) > 0) != c.max {
		return
	}
	c.any = true
	c.key = append(c.key[:0], key...)
}

func (c *outermost) Merge(other window.Accumulator) error {
	o, ok := other.(*outermost)
	if !ok || o.max != c.max || o.form != c.form {
		return mismatch(c, other)
	}
	if o.any {
		c.offer(o.key)
	}
	return nil
}

func (c *outermost) Append(dst []byte) []byte {
	if !c.any {
		return dst
	}
	return append(append(dst, 1), c.key...)
}

func (c *outermost) Decode(src []byte) error {
	*c = outermost{max: c.max, form: c.form}
	if len(src) == 0 {
		return nil
	}
	if src[0] != 1 {
		return fmt.Errorf("%d values where there is one", src[0])
	}
	c.any = true
	c.key = append(c.key, src[1:]...)
	return c.form.valid(c.key)
}

func (c *outermost) Bytes() int64 { return 64 + int64(cap(c.key)) + int64(cap(c.next)) }

// extremeOf defines min or max.
func extremeOf(name string, max bool) window.Definition {
	return window.Definition{
		Name: name, Params: "(value)",
		New: func(in schema.Type, _ []window.Literal) (window.Aggregate, error) {
			switch in.Kind {
			case schema.KindString, schema.KindBytes:
			case schema.KindInt, schema.KindFloat:
				return nil, fmt.Errorf("%s of %v is one of the engine's own functions", name, in)
			default:
				return nil, fmt.Errorf("%s of %v: it needs a number, a string, bytes or a decimal", name, in)
			}
			f, err := formOf(in)
			if err != nil {
				return nil, err
			}
			return extreme{max: max, form: f, typ: nullable(in)}, nil
		},
	}
}
