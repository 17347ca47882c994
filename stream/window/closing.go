package window

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/tidemark-io/tidemark/schema"
)

// Close closes the windows whose end + lateness <= watermark, which is the task's: the minimum of its partitions'.
// It emits one Result for each of their groups in the order (output, start, key bytes), and forgets the identities
// that can't come again but late. It fails when the watermark is below an earlier one (ErrWatermarkFell), with the
// error of emit, and when the Backing fails or is corrupt (*CorruptError).
func (e *Engine) Close(watermark int64, emit func(*Result) error) error {
	if e.err != nil {
		return e.err
	}
	if watermark < e.closed {
		return e.fail(fmt.Errorf("%w: close to %d, windows are closed up to %d", ErrWatermarkFell, watermark, e.closed))
	}
	e.closed = watermark
	for i := range e.outs {
		if err := e.closeOutput(i, watermark, emit); err != nil {
			return e.fail(fmt.Errorf("close windows of output %q: %w", e.outs[i].Name, err))
		}
	}
	e.forgetIdentities(watermark)
	return nil
}

func (e *Engine) closeOutput(i int, watermark int64, emit func(*Result) error) error {
	o := &e.outs[i]
	if o.sess != nil {
		return o.sess.close(watermark, emit)
	}
	done := 0
	for done < len(o.panes) && o.closes(&o.panes[done]) <= watermark {
		c := e.reading(i, &o.panes[done], emit)
		if err := c.run(); err != nil {
			return err
		}
		o.groups -= c.ref.groupsOf()
		if p := c.ref.p; p == nil || p.written > 0 {
			o.gone.add(c.ref.Start)
		}
		c.ref.pending.release(&e.mem)
		c.ref.cold.release(&e.mem)
		if c.ref.p != nil {
			c.ref.p.release(&e.mem)
		}
		done++
	}
	if done > 0 {
		o.panes = slices.Delete(o.panes, 0, done)
		e.mem.note(-int64(done) * refBytes)
		o.forget()
	}
	return nil
}

// reading is a window of output i whose results are to be emitted.
func (e *Engine) reading(i int, ref *paneRef, emit func(*Result) error) *closing {
	o := &e.outs[i]
	e.result = Result{Output: i, Start: ref.Start, End: ref.End, Key: e.result.Key, Values: e.values(len(o.Aggs))}
	return &closing{e: e, o: o, ref: ref, emit: emit, result: &e.result}
}

// values is room for n results.
func (e *Engine) values(n int) []schema.Value {
	if cap(e.result.Values) < n {
		return make([]schema.Value, n)
	}
	return e.result.Values[:n]
}

// forgetIdentities drops the buckets that the watermark has passed.
func (e *Engine) forgetIdentities(watermark int64) {
	d := &e.seen
	done := 0
	for done < len(d.buckets) && d.buckets[done].expiry <= watermark {
		ref := &d.buckets[done]
		if ref.b == nil || ref.b.written > 0 {
			d.gone.add(ref.expiry)
		}
		if ref.b != nil {
			ref.b.release(&e.mem)
		}
		done++
	}
	if done > 0 {
		d.buckets = slices.Delete(d.buckets, 0, done)
		e.mem.note(-int64(done) * refBytes)
		d.near = nil
	}
}

// closing is one window that is being closed, or looked at for Updates.
type closing struct {
	e      *Engine
	o      *output
	ref    *paneRef
	emit   func(*Result) error
	result *Result

	order []sortKey // records in memory, in the order of their keys
	next  int       // in order: the first that hasn't been emitted
	n     int64     // results emitted
	hot   []byte    // key of the next record in memory

	stored []uint64 // a record from the Backing
	aside  beside   // and what its words refer to
}

func (c *closing) run() error {
	if p := c.ref.p; p != nil {
		c.order = c.e.sorted(p, nil, &c.o.layout.shape)
	}
	if c.ref.p == nil || c.ref.p.partial {
		if err := c.merge(); err != nil {
			return err
		}
	}
	for c.next < len(c.order) {
		if err := c.emitHot(); err != nil {
			return err
		}
	}
	if want := c.ref.groupsOf(); c.n != want {
		return &CorruptError{
			Key:  appendWindowKey(nil, prefixWindowHeader, c.result.Output, c.ref.Start),
			What: fmt.Sprintf("%d groups, where the header and memory have %d", c.n, want),
		}
	}
	return nil
}

// merge walks the stored records of the window in key order and emits them among those in memory, which are newer:
// neither side is loaded as a whole.
func (c *closing) merge() error {
	lo := appendWindowKey(nil, prefixWindow, c.result.Output, c.ref.Start)
	hi := appendWindowKey(nil, prefixWindow, c.result.Output, c.ref.Start+1)
	err := c.e.back.Scan(lo, hi, func(k, v []byte) error {
		if len(k) < windowPrefixLen {
			return &CorruptError{Key: slices.Clone(k), What: "key of a record"}
		}
		return c.pass(k, v)
	})
	if err != nil {
		return fmt.Errorf("read the window at %d: %w", c.ref.Start, err)
	}
	return nil
}

// pass emits what is due up to and with a stored record.
func (c *closing) pass(k, v []byte) error {
	if done, err := c.emitUpTo(k[windowPrefixLen:]); done || err != nil {
		return err
	}
	return c.giveStored(k, v)
}

// emitUpTo emits the records in memory up to a key. If memory has the key itself, all is done; else the result has it.
func (c *closing) emitUpTo(key []byte) (done bool, err error) {
	for c.next < len(c.order) {
		c.hot = c.ref.p.keyOf(c.hot[:0], c.order[c.next].rec, &c.o.layout.shape)
		order := bytes.Compare(c.hot, key)
		if order > 0 {
			break
		}
		if err := c.emitHot(); err != nil || order == 0 {
			return true, err
		}
	}
	c.result.Key = append(c.result.Key[:0], key...)
	return false, nil
}

// giveStored emits a record of the Backing, whose group key the result has.
func (c *closing) giveStored(k, v []byte) error {
	if c.stored == nil {
		c.stored = make([]uint64, c.o.layout.stride)
	}
	c.aside.reset()
	if err := c.o.layout.decodeRecord(v, c.stored, &c.aside); err != nil {
		return &CorruptError{Key: slices.Clone(k), What: "record of a group", Err: err}
	}
	return c.give(c.stored, &c.aside)
}

// emitHot emits the next record in memory.
func (c *closing) emitHot() error {
	p, i := c.ref.p, c.order[c.next].rec
	c.next++
	c.result.Key = p.keyOf(c.result.Key[:0], i, &c.o.layout.shape)
	return c.give(p.recs.at(i, &c.o.layout.shape), &p.beside)
}

func (c *closing) give(rec []uint64, b *beside) error {
	c.n++
	c.result.Events, c.result.Duplicates = int64(rec[recEvents]), int64(rec[recDuplicates])
	if err := c.o.layout.read(rec, b, c.result.Values); err != nil {
		return err
	}
	return c.emit(c.result)
}

// sorted is the records of a pane, or some of them, in the order of their keys.
func (e *Engine) sorted(p *pane, some []uint32, sh *shape) []sortKey {
	before := cap(e.order)
	n := p.recs.n
	if some != nil {
		n = len(some)
	}
	e.order = slices.Grow(e.order[:0], n)
	for i := range n {
		if some != nil {
			i = int(some[i])
		}
		rec := p.recs.at(i, sh)
		k := sortKey{a: rec[recA], b: rec[recB], rec: i}
		if n := keyLen(rec); n > inlineMax {
			k.b = binary.BigEndian.Uint64(p.keys.at(rec[recB], n)[8:])
		}
		e.order = append(e.order, k)
	}
	e.mem.note(int64(cap(e.order)-before) * 24)
	slices.SortFunc(e.order, func(x, y sortKey) int { return p.compareKeys(x, y, sh) })
	return e.order
}
