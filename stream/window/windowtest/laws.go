package windowtest

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
	"unicode"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/window"
)

func inAnyOrder(c *trial) error {
	want, err := c.of(c.events)
	if err != nil {
		return err
	}
	for range 4 {
		got, err := c.of(c.shuffled(c.events))
		if err != nil {
			return err
		}
		if err := c.same("in another order", want, got); err != nil {
			return err
		}
	}
	return nil
}

// howeverSplit splits the events over up to 9 accumulators, some of which were written down and read again, and merges
// any two until one is left.
func howeverSplit(c *trial) error {
	want, err := c.of(c.events)
	if err != nil {
		return err
	}
	for range 4 {
		parts := make([]window.Accumulator, 1+c.rand.IntN(9))
		for i := range parts {
			parts[i] = c.agg.New()
		}
		for _, e := range c.shuffled(c.events) {
			if err := parts[c.rand.IntN(len(parts))].Add(e.value, e.at); err != nil {
				return fmt.Errorf("Add(%v): %w", e.value, err)
			}
		}
		for len(parts) > 1 {
			c.rand.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
			last := parts[len(parts)-1]
			parts = parts[:len(parts)-1]
			if c.rand.IntN(2) == 0 {
				if last, err = c.again(last); err != nil {
					return err
				}
			}
			if err := parts[0].Merge(last); err != nil {
				return fmt.Errorf("merge: %w", err)
			}
		}
		if err := c.same("split and merged", want, parts[0]); err != nil {
			return err
		}
	}
	return nil
}

// again is a, written down and read again.
func (c *trial) again(a window.Accumulator) (window.Accumulator, error) {
	b := c.agg.New()
	if err := b.Decode(a.Append(nil)); err != nil {
		return nil, fmt.Errorf("decode of what Append wrote, %s: %w", show(a.Append(nil)), err)
	}
	return b, nil
}

func mergesFreely(c *trial) error {
	cut := len(c.events) / 3
	x, err1 := c.of(c.events[:cut])
	y, err2 := c.of(c.events[cut : 2*cut])
	z, err3 := c.of(c.events[2*cut:])
	xy, err4 := c.merged(x, y)
	yx, err5 := c.merged(y, x)
	yz, err6 := c.merged(y, z)
	if err := errors.Join(err1, err2, err3, err4, err5, err6); err != nil {
		return err
	}
	if err := c.same("merged the other way round", xy, yx); err != nil {
		return err
	}
	left, err1 := c.merged(xy, z)
	right, err2 := c.merged(x, yz)
	neutral, err3 := c.merged(c.agg.New(), xy, c.agg.New())
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}
	if err := c.same("merged (xy)z and x(yz)", left, right); err != nil {
		return err
	}
	if err := c.same("merged with nothing", xy, neutral); err != nil {
		return err
	}
	return c.mergeLeavesOther(y, z)
}

// mergeLeavesOther merges z into a copy of y and goes on with both: neither shows in the other.
func (c *trial) mergeLeavesOther(y, z window.Accumulator) error {
	before := z.Append(nil)
	into, err := c.again(y)
	if err != nil {
		return err
	}
	if err := into.Merge(z); err != nil {
		return fmt.Errorf("merge: %w", err)
	}
	together := into.Append(nil)
	if !bytes.Equal(before, z.Append(nil)) {
		return errors.New("merge changes the other accumulator")
	}
	more := c.some(20)
	if err := add(z, more); err != nil {
		return err
	}
	if !bytes.Equal(together, into.Append(nil)) {
		return errors.New("merge keeps part of the other accumulator: what is added to it shows in both")
	}
	after := z.Append(nil)
	if err := add(into, more); err != nil {
		return err
	}
	if !bytes.Equal(after, z.Append(nil)) {
		return errors.New("merge keeps part of the other accumulator: what is added to the merged one shows in both")
	}
	return nil
}

func goesOnAfterDecode(c *trial) error {
	want, err := c.of(c.events)
	if err != nil {
		return err
	}
	got, err := c.again(want)
	if err != nil {
		return err
	}
	if err := c.same("written and read", want, got); err != nil {
		return err
	}
	used, err := c.of(c.some(30))
	if err != nil {
		return err
	}
	if err := used.Decode(want.Append(nil)); err != nil {
		return fmt.Errorf("decode into an accumulator with values: %w", err)
	}
	if err := c.same("read into one with values", want, used); err != nil {
		return err
	}
	more := c.some(1 + len(c.events)/2)
	if err := errors.Join(add(want, more), add(got, more), add(used, more)); err != nil {
		return err
	}
	if err := c.same("went on after it was read", want, got); err != nil {
		return err
	}
	return c.same("went on after it was read into one with values", want, used)
}

// keepsNothing overwrites what Add and Decode were given.
func keepsNothing(c *trial) error {
	want, err := c.of(c.events)
	if err != nil {
		return err
	}
	got := c.agg.New()
	var buf []byte
	for _, e := range c.events {
		buf = append(buf[:0], e.value.Bytes...)
		v := e.value
		if v.Bytes != nil {
			v.Bytes = buf
		}
		if err := got.Add(v, e.at); err != nil {
			return fmt.Errorf("Add(%v): %w", v, err)
		}
		scribble(buf)
	}
	if err := c.same("Add keeps the value's bytes: with those overwritten", want, got); err != nil {
		return err
	}
	src := want.Append(nil)
	if err := got.Decode(src); err != nil {
		return fmt.Errorf("decode: %w", err)
	}
	scribble(src)
	return c.same("Decode keeps its argument: with that overwritten", want, got)
}

func scribble(b []byte) {
	for i := range b {
		b[i] ^= 0xa5
	}
}

func hasValue(c *trial) error {
	a, err := c.of(c.events)
	if err != nil {
		return err
	}
	before := a.Append(nil)
	first, err := c.agg.Value(a, nil)
	if err != nil {
		return fmt.Errorf("value: %w", err)
	}
	first.Bytes = bytes.Clone(first.Bytes)
	if !bytes.Equal(before, a.Append(nil)) {
		return errors.New("the accumulator is changed by Value")
	}
	scratch := bytes.Repeat([]byte{0xa5}, 7)
	second, err := c.agg.Value(a, scratch[:3])
	if err != nil {
		return fmt.Errorf("value: %w", err)
	}
	if !equal(first, second) {
		return fmt.Errorf("the value is %v, then %v", first, second)
	}
	return c.typed(first)
}

// typed says whether v is of the declared type.
func (c *trial) typed(v schema.Value) error {
	typ := c.agg.Result()
	switch {
	case typ.Kind == schema.KindNull:
		return fmt.Errorf("the result's type is %v, of no kind", typ)
	case (typ.Avro == "raw") != (typ.Raw != ""):
		return fmt.Errorf("the result's type is %q with the schema %q: raw has one, others none", typ.Avro, typ.Raw)
	case v.IsNull() && !typ.Nullable:
		return fmt.Errorf("the value is null, which %v doesn't allow", typ)
	case !v.IsNull() && v.Kind != typ.Kind:
		return fmt.Errorf("the value is of kind %v, the result's type is %v", v.Kind, typ)
	case v.Kind == schema.KindFloat && !equal(v, schema.FloatValue(v.Float())):
		return errors.New("the value is a NaN other than schema.CanonicalNaN")
	}
	return nil
}

// hasCell checks the name, and uses the aggregate from several goroutines (for the race detector).
func hasCell(c *trial) error {
	cell := c.agg.Cell()
	if cell == "" || len(cell) > 4096 {
		return fmt.Errorf("the cell's name has %d bytes: from 1 to 4096", len(cell))
	}
	for _, r := range cell {
		if !unicode.IsPrint(r) {
			return fmt.Errorf("the cell's name %q has what can't be printed", cell)
		}
	}
	var all sync.WaitGroup
	errs := make([]error, 4)
	for i := range errs {
		all.Go(func() {
			a, err := c.of(c.events)
			if err == nil {
				_, err = c.agg.Value(a, nil)
			}
			if err == nil && c.agg.Cell() != cell {
				err = fmt.Errorf("the cell's name is %q, then %q", cell, c.agg.Cell())
			}
			errs[i] = err
		})
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	empty := c.agg.New().Append(nil)
	if !bytes.Equal(empty, c.agg.New().Append(nil)) {
		return errors.New("two new accumulators have other bytes: they have something in common")
	}
	return nil
}
