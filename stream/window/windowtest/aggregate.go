package windowtest

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/window"
)

// Aggregate runs the suite. draw makes a value of the aggregate's argument type, never null, from r alone.
func Aggregate(t *testing.T, agg window.Aggregate, draw func(r *rand.Rand) schema.Value) {
	t.Helper()
	for _, l := range laws {
		t.Run(l.name, func(t *testing.T) {
			if err := hold(l, agg, draw); err != nil {
				t.Error(err)
			}
		})
	}
}

// law is one law of the suite, checked with one multiset of values.
type law struct {
	name  string
	check func(c *trial) error
}

var laws = []law{
	{"order", inAnyOrder},
	{"split", howeverSplit},
	{"merge", mergesFreely},
	{"decode", goesOnAfterDecode},
	{"bytes", takesItsOwnBytesOnly},
	{"keep", keepsNothing},
	{"value", hasValue},
	{"memory", ownsUpToMemory},
	{"cell", hasCell},
}

// sizes are the numbers of values that each law is checked with.
var sizes = []int{0, 1, 2, 3, 4, 6, 10, 20, 50, 200, 1000}

// hold checks a law with multisets of all sizes.
func hold(l law, agg window.Aggregate, draw func(*rand.Rand) schema.Value) error {
	for seed, n := range sizes {
		c := &trial{agg: agg, draw: draw, rand: rand.New(rand.NewPCG(uint64(seed), 0x7469646d61726b))}
		c.events = c.some(n)
		if err := c.try(l); err != nil {
			return fmt.Errorf("law %q, %d values, seed %d: %w", l.name, n, seed, err)
		}
	}
	return nil
}

// try checks a law; a panic breaks it.
func (c *trial) try(l law) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return l.check(c)
}

// trial is an aggregate and a multiset.
type trial struct {
	agg    window.Aggregate
	draw   func(*rand.Rand) schema.Value
	rand   *rand.Rand
	events []event
}

// event is a value and its place.
type event struct {
	value schema.Value
	at    window.Order
}

// some draws n events. Few times and few identities, so that there are ties.
func (c *trial) some(n int) []event {
	events := make([]event, n)
	for i := range events {
		v := c.draw(c.rand)
		v.Bytes = bytes.Clone(v.Bytes)
		at := window.Order{Time: c.rand.Int64N(7) - 3}
		at.ID[0], at.ID[15] = byte(c.rand.IntN(3)), byte(c.rand.IntN(3))
		events[i] = event{v, at}
	}
	return events
}

// shuffled is the multiset in another order.
func (c *trial) shuffled(events []event) []event {
	out := append([]event(nil), events...)
	c.rand.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

// of is an accumulator with events.
func (c *trial) of(events []event) (window.Accumulator, error) {
	a := c.agg.New()
	return a, add(a, events)
}

func add(a window.Accumulator, events []event) error {
	for _, e := range events {
		if err := a.Add(e.value, e.at); err != nil {
			return fmt.Errorf("Add(%v): %w", e.value, err)
		}
	}
	return nil
}

// merged is what merging copies of the accumulators, in their order, comes to.
func (c *trial) merged(parts ...window.Accumulator) (window.Accumulator, error) {
	a := c.agg.New()
	for _, p := range parts {
		if err := a.Merge(p); err != nil {
			return nil, fmt.Errorf("merge: %w", err)
		}
	}
	return a, nil
}

// same compares bytes and value of two accumulators.
func (c *trial) same(what string, want, got window.Accumulator) error {
	w, g := want.Append(nil), got.Append(nil)
	if !bytes.Equal(w, g) {
		return fmt.Errorf("%s: the bytes are %s, want %s", what, show(g), show(w))
	}
	wv, err := c.agg.Value(want, nil)
	if err != nil {
		return fmt.Errorf("%s: value: %w", what, err)
	}
	wv.Bytes = bytes.Clone(wv.Bytes)
	gv, err := c.agg.Value(got, nil)
	if err != nil {
		return fmt.Errorf("%s: value: %w", what, err)
	}
	if !equal(wv, gv) {
		return fmt.Errorf("%s: the value is %v, want %v, with equal bytes", what, gv, wv)
	}
	return nil
}

func equal(a, b schema.Value) bool {
	return a.Kind == b.Kind && a.Num == b.Num && bytes.Equal(a.Bytes, b.Bytes)
}

// show is the beginning of b in hex.
func show(b []byte) string {
	if len(b) > 48 {
		return fmt.Sprintf("%x... (%d bytes)", b[:48], len(b))
	}
	return fmt.Sprintf("%x", b)
}
