package window

import (
	"encoding/binary"
	"fmt"
)

const metaVersion = 1

// Write hands w all changes since the last Write: sets, and deletions of what has closed. Afterwards the engine
// counts them as stored, so the caller must apply them before it uses the engine again, or drop it. Then, with a
// Backing, what isn't needed in memory is evicted if there is too much of it.
func (e *Engine) Write(w Writer) error {
	if e.err != nil {
		return e.err
	}
	if err := e.writeAll(w); err != nil {
		return e.fail(fmt.Errorf("write window state: %w", err))
	}
	e.evict()
	e.epoch++
	return nil
}

func (e *Engine) writeAll(w Writer) error {
	if err := e.writeDeletions(w); err != nil {
		return err
	}
	if err := e.writeMeta(w); err != nil {
		return err
	}
	for i := range e.outs {
		o := &e.outs[i]
		if o.sess != nil {
			if err := o.sess.write(w); err != nil {
				return fmt.Errorf("sessions of output %q: %w", o.Name, err)
			}
		}
		for j := range o.panes {
			if p := o.panes[j].p; p != nil && len(p.dirty) > 0 {
				if err := e.writePane(w, i, o.panes[j].Start, p); err != nil {
					return err
				}
			}
		}
	}
	for i := range e.seen.buckets {
		if b := e.seen.buckets[i].b; b != nil && (b.clean < b.ids.recs.n || len(b.changed) > 0) {
			if err := e.writeBucket(w, e.seen.buckets[i].expiry, b); err != nil {
				return err
			}
		}
	}
	return nil
}

// writeDeletions deletes closed windows and expired identities, as ranges: all windows of an output between two
// closed ones are closed, and so with identities.
func (e *Engine) writeDeletions(w Writer) error {
	for i := range e.outs {
		gone := &e.outs[i].gone
		if !gone.any {
			continue
		}
		for _, prefix := range []byte{prefixWindow, prefixWindowHeader} {
			lo, hi := appendWindowKey(nil, prefix, i, gone.lo), appendWindowKey(nil, prefix, i, gone.hi+1)
			if err := w.DeleteRange(lo, hi); err != nil {
				return fmt.Errorf("delete closed windows: %w", err)
			}
		}
		*gone = timeRange{}
	}
	gone := &e.seen.gone
	if !gone.any {
		return nil
	}
	for _, prefix := range []byte{prefixEvent, prefixEventHeader} {
		if err := w.DeleteRange(appendEventKey(nil, prefix, gone.lo), appendEventKey(nil, prefix, gone.hi+1)); err != nil {
			return fmt.Errorf("delete expired identities: %w", err)
		}
	}
	*gone = timeRange{}
	return nil
}

func (e *Engine) writeMeta(w Writer) error {
	if e.wroteMeta && e.meta == e.closed {
		return nil
	}
	e.valBuf = append(e.valBuf[:0], metaVersion)
	e.valBuf = append(e.valBuf, e.hash[:]...)
	e.valBuf = appendTime(e.valBuf, e.closed)
	if err := w.Set([]byte{prefixMeta}, e.valBuf); err != nil {
		return fmt.Errorf("set meta: %w", err)
	}
	e.wroteMeta, e.meta = true, e.closed
	return nil
}

// writePane writes the changed records of a pane, and its header if groups have come.
func (e *Engine) writePane(w Writer, i int, start int64, p *pane) error {
	l := &e.outs[i].layout
	e.keyBuf = appendWindowKey(e.keyBuf[:0], prefixWindow, i, start)
	for _, at := range p.dirty {
		rec := p.recs.at(int(at), &l.shape)
		rec[recKey] &^= dirtyBit
		e.keyBuf = p.keyOf(e.keyBuf[:windowPrefixLen], int(at), &l.shape)
		e.valBuf = l.appendRecord(e.valBuf[:0], rec, &p.beside)
		if err := w.Set(e.keyBuf, e.valBuf); err != nil {
			return fmt.Errorf("set a group of output %q: %w", e.outs[i].Name, err)
		}
	}
	p.dirty = p.dirty[:0]
	if p.groups == p.written {
		return nil
	}
	e.keyBuf[0] = prefixWindowHeader
	if err := e.setCount(w, e.keyBuf[:windowPrefixLen], p.groups); err != nil {
		return fmt.Errorf("set a window of output %q: %w", e.outs[i].Name, err)
	}
	p.written = p.groups
	return nil
}

// writeBucket writes the changed identities of a bucket, and its header if there are more.
func (e *Engine) writeBucket(w Writer, expiry int64, b *bucket) error {
	for _, at := range b.changed {
		if err := e.writeIdentity(w, expiry, b, int(at)); err != nil {
			return err
		}
	}
	for at := b.clean; at < b.ids.recs.n; at++ {
		if err := e.writeIdentity(w, expiry, b, at); err != nil {
			return err
		}
	}
	b.changed, b.clean = b.changed[:0], b.ids.recs.n
	if b.count == b.written {
		return nil
	}
	e.keyBuf = appendEventKey(e.keyBuf[:0], prefixEventHeader, expiry)
	if err := e.setCount(w, e.keyBuf, b.count); err != nil {
		return fmt.Errorf("set the number of identities: %w", err)
	}
	b.written = b.count
	return nil
}

func (e *Engine) writeIdentity(w Writer, expiry int64, b *bucket, at int) error {
	sh := &e.seen.shape
	e.keyBuf = b.ids.at(at, sh).append(appendEventKey(e.keyBuf[:0], prefixEvent, expiry))
	e.valBuf = appendWord(e.valBuf[:0], b.ids.outputs(at, sh), e.seen.all)
	if err := w.Set(e.keyBuf, e.valBuf); err != nil {
		return fmt.Errorf("set an identity: %w", err)
	}
	return nil
}

// Unwritten is about how many bytes the next Write will set.
func (e *Engine) Unwritten() (n int64) {
	for i := range e.outs {
		o := &e.outs[i]
		size := int64(o.layout.stride)*8 + unwrittenKey
		for j := range o.panes {
			if p := o.panes[j].p; p != nil {
				n += int64(len(p.dirty)) * size
			}
		}
		if o.sess != nil {
			n += o.sess.unwritten()
		}
	}
	for i := range e.seen.buckets {
		if b := e.seen.buckets[i].b; b != nil {
			n += int64(b.ids.recs.n-b.clean+len(b.changed)) * unwrittenID
		}
	}
	return n
}

// About what a record's key, and an identity, take in a batch.
const (
	unwrittenKey = 48
	unwrittenID  = 40
)

const headerVersion = 1

func (e *Engine) setCount(w Writer, key []byte, n int64) error {
	e.valBuf = binary.AppendUvarint(append(e.valBuf[:0], headerVersion), uint64(n))
	return w.Set(key, e.valBuf)
}
