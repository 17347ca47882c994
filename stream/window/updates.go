package window

import (
	"fmt"
	"slices"
)

// Updates emits a provisional Result (Result.Open) for each group of an open window of an output that has changed
// since the last Updates of this output: that has counted an event or one more copy of one. With all it emits every
// open group: as after a restart, since what has changed is remembered in memory only and is no part of the state.
// The order is (start, key bytes). The output must have Output.Updates.
//
// When Updates is called is the caller's to decide, and shows in nothing but what it emits: neither in state nor in
// what Close emits. What it emits of a group is a function of the events that the group holds then.
func (e *Engine) Updates(output int, all bool, emit func(*Result) error) error {
	if e.err != nil {
		return e.err
	}
	if output < 0 || output >= len(e.outs) || !e.outs[output].Updates {
		return fmt.Errorf("updates of output number %d, which was not made for it: set Output.Updates", output)
	}
	o := &e.outs[output]
	for at := range o.panes {
		ref := &o.panes[at]
		c := e.reading(output, ref, emit)
		c.result.Open = true
		if err := c.update(all || ref.pending != nil && ref.pending.all); err != nil {
			return e.fail(fmt.Errorf("updates of output %q: %w", o.Name, err))
		}
		ref.forgetUpdates(&o.layout.shape, &e.mem)
	}
	return nil
}

// update emits what has changed in a window, or all.
func (c *closing) update(all bool) error {
	if all {
		return c.run()
	}
	p := c.ref.p
	if p != nil && len(p.updated) > 0 {
		c.order = c.e.sorted(p, p.updated, &c.o.layout.shape)
	}
	for _, key := range c.ref.pending.sorted() {
		if err := c.passPending([]byte(key)); err != nil {
			return err
		}
	}
	for c.next < len(c.order) {
		if err := c.emitHot(); err != nil {
			return err
		}
	}
	return nil
}

// passPending emits what is due up to and with a group that changed before its pane was evicted.
func (c *closing) passPending(key []byte) error {
	if done, err := c.emitUpTo(key); done || err != nil {
		return err
	}
	e, sh := c.e, &c.o.layout.shape
	if p := c.ref.p; p != nil {
		e.key.set(key, e.seed)
		if at := p.find(&e.key, sh); at >= 0 {
			return c.give(p.recs.at(at, sh), &p.beside)
		}
	}
	e.keyBuf = append(appendWindowKey(e.keyBuf[:0], prefixWindow, c.result.Output, c.ref.Start), key...)
	val, ok, err := e.back.Get(e.keyBuf)
	if err != nil {
		return fmt.Errorf("read a group of the window at %d: %w", c.ref.Start, err)
	}
	if !ok {
		return &CorruptError{Key: slices.Clone(e.keyBuf), What: "no such record, though it was written"}
	}
	return c.giveStored(e.keyBuf, val)
}

// forgetUpdates notes that Updates has told of all changes.
func (r *paneRef) forgetUpdates(sh *shape, m *memory) {
	r.pending.release(m)
	r.pending = nil
	if r.p == nil {
		return
	}
	for _, at := range r.p.updated {
		r.p.recs.at(int(at), sh)[recKey] &^= updatedBit
	}
	r.p.updated = r.p.updated[:0]
}
