package schema

import "math"

// blocks walks an array or a map: blocks of items up to an empty one. A block
// with a negative count also says its size in bytes, which must be right: some
// readers skip by it, and would then see another datum than we do.
func (w *walk) blocks(o *op, pos int) int {
	for {
		count, at := w.long(pos)
		if at < 0 || count == 0 {
			return at
		}
		end := -1
		if count < 0 {
			if count == math.MinInt64 {
				return w.fail(ReasonBadBlock, pos, count)
			}
			count = -count
			var size int64
			if size, at = w.long(at); at < 0 {
				return at
			}
			if uint64(size) > uint64(len(w.buf)-at) {
				return w.length(size, at)
			}
			end = at + int(size)
		}
		if pos = w.block(o, count, at); pos < 0 {
			return pos
		}
		if end >= 0 && pos != end {
			return w.fail(ReasonBadBlock, pos, int64(end))
		}
	}
}

// block walks the items of one block. Before the first it is known that they
// can be there: an item that varies takes at least one byte.
func (w *walk) block(o *op, count int64, pos int) int {
	if w.items += min(count, MaxItems+1); w.items > MaxItems {
		return w.fail(ReasonTooManyItems, pos, MaxItems)
	}
	size := w.p.programs[o.sub].size
	if size == 0 && o.code != opMap {
		if w.empty += count; w.empty > MaxEmptyItems {
			return w.fail(ReasonTooManyItems, pos, MaxEmptyItems)
		}
	}
	if o.code == opElements {
		return w.elementBlock(o, count, pos)
	}
	if o.code == opArray && size == 0 {
		return pos
	}
	if count > int64(len(w.buf)-pos) {
		return w.fail(ReasonTruncated, pos, count)
	}
	if o.code == opArray && size > 0 {
		if count*size > int64(len(w.buf)-pos) { // below 2^24 * 2^31
			return w.fail(ReasonTruncated, pos, count*size)
		}
		return pos + int(count*size)
	}
	for range count {
		if o.code == opMap {
			if pos = w.key(pos); pos < 0 {
				return pos
			}
		}
		if pos = w.call(o.sub, pos); pos < 0 {
			return pos
		}
	}
	return pos
}

// elementBlock walks the items of one block of the unnested array into rows of
// their own. Those beyond MaxElements are validated and counted.
func (w *walk) elementBlock(o *op, count int64, pos int) int {
	if w.p.programs[o.sub].size != 0 && count > int64(len(w.buf)-pos) {
		return w.fail(ReasonTruncated, pos, count)
	}
	outer := w.row
	for range count {
		w.row = w.elements.add()
		if pos = w.call(o.sub, pos); pos < 0 {
			break
		}
	}
	w.row = outer
	return pos
}

// key walks the key of a map's item.
func (w *walk) key(pos int) int {
	n, pos := w.long(pos)
	if pos < 0 {
		return pos
	}
	if uint64(n) > uint64(len(w.buf)-pos) {
		return w.length(n, pos)
	}
	if !validUTF8(w.buf[pos : pos+int(n)]) {
		return w.fail(ReasonBadUTF8, pos, n)
	}
	return pos + int(n)
}
