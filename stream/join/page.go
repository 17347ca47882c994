package join

import (
	"errors"
	"fmt"
)

// page is a piece of a range of the Backing. Ranges are read in pieces so that what they hold neither lies in memory
// as a whole nor is handed on inside a scan, where the receiver may want to read the same Backing.
type page struct {
	bytes []byte
	items []pageItem
	max   int // items of one piece
}

// pageItem is where a key and its value lie in the bytes: one behind the other.
type pageItem struct{ key, val, end int }

const (
	pageItems = 256
	pageBytes = 1 << 20
)

// eachStored calls fn with every key of [lo, hi) in ascending order, outside of any scan. lo and hi are changed.
func (c *core) eachStored(lo, hi []byte, fn func(k, v []byte) error) error {
	p := &c.page
	for {
		p.bytes, p.items = p.bytes[:0], p.items[:0]
		err := c.back.Scan(lo, hi, func(k, v []byte) error {
			if len(p.items) == p.max || len(p.bytes) > pageBytes {
				return errStop
			}
			at := len(p.bytes)
			p.bytes = append(append(p.bytes, k...), v...)
			p.items = append(p.items, pageItem{key: at, val: at + len(k), end: len(p.bytes)})
			return nil
		})
		if err != nil && !errors.Is(err, errStop) {
			return fmt.Errorf("read the buffers of a join: %w", err)
		}
		for _, at := range p.items {
			if err := fn(p.bytes[at.key:at.val:at.val], p.bytes[at.val:at.end:at.end]); err != nil {
				return err
			}
		}
		if err == nil {
			p.shrink()
			return nil
		}
		last := p.items[len(p.items)-1]
		lo = append(append(lo[:0], p.bytes[last.key:last.val]...), 0)
	}
}

// shrink lets go of a buffer that large rows have made large.
func (p *page) shrink() {
	if cap(p.bytes) > 2*pageBytes {
		p.bytes = nil
	}
}
