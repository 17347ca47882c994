package join

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/tidemark-io/tidemark/stream/window"
)

// shelf is a set of events, in buckets of equal spans of time: those of one side of an interval join, the held
// events of an enrichment, its unsettled versions.
type shelf struct {
	core   *core
	order  order
	head   []byte // beginning of the state keys of its events
	header []byte // of those of its buckets
	width  int64  // ms of a bucket
	from   int64  // what is below has been emitted (byTime)

	buckets []*bucket // ascending
	near    *bucket   // last used
	n       int64     // events

	goneEvents, goneBuckets timeRange // to be deleted by the next Write
}

// timeRange is a range of times, both ends included; the zero timeRange is empty.
type timeRange struct {
	any    bool
	lo, hi int64
}

func (r *timeRange) add(t int64) {
	if !r.any {
		*r = timeRange{any: true, lo: t, hi: t}
		return
	}
	r.lo, r.hi = min(r.lo, t), max(r.hi, t)
}

func newShelf(c *core, o order, head, header []byte, width int64) shelf {
	return shelf{core: c, order: o, head: head, header: header, width: width, from: window.NoWatermark}
}

// startOf is the start of the bucket of a time.
func (s *shelf) startOf(t int64) int64 {
	r := t % s.width
	if r < 0 {
		r += s.width
	}
	return t - r
}

// end is the last time of a bucket.
func (s *shelf) end(b *bucket) int64 { return b.start + s.width - 1 }

// search is the place of the first bucket that doesn't start before.
func (s *shelf) search(start int64) (int, bool) {
	return slices.BinarySearchFunc(s.buckets, start, func(b *bucket, start int64) int { return cmp.Compare(b.start, start) })
}

// at is the bucket of a time, made if there is none.
func (s *shelf) at(t int64) *bucket {
	start := s.startOf(t)
	if s.near != nil && s.near.start == start {
		return s.near
	}
	i, found := s.search(start)
	if !found {
		s.buckets = slices.Insert(s.buckets, i, s.newBucket(start))
	}
	s.near = s.buckets[i]
	return s.near
}

func (s *shelf) newBucket(start int64) *bucket {
	b := &bucket{start: start, salt: s.core.salt, touched: s.core.epoch}
	s.account(b)
	return b
}

// account brings the memory accounted for to what a bucket has.
func (s *shelf) account(b *bucket) {
	size := b.size()
	s.core.used += size - b.held
	b.held = size
}

// use notes that a bucket is read, and reads all of it into memory if there is room.
func (s *shelf) use(b *bucket) error {
	b.touched = s.core.epoch
	if b.partial && len(b.entries) == 0 && s.core.roomFor(b.weight()) {
		return s.load(b)
	}
	return nil
}

// weight is about what a bucket would take in memory.
func (b *bucket) weight() int64 { return b.count.bytes + b.n*(entryBytes+groupBytes+32) }

// add takes an event unless it is there. Without hasID it can't be.
func (s *shelf) add(ev *event, hasID bool) (added bool, err error) {
	b := s.at(ev.t)
	if err := s.use(b); err != nil {
		return false, err
	}
	hash := hashKey(s.core.seed, ev.key)
	g := b.findGroup(hash, ev.key)
	known := b.find(g, ev) >= 0
	if !known && b.partial && hasID {
		c := s.core
		c.keyBuf = s.order.appendEventKey(c.keyBuf[:0], s.head, b.start, ev)
		if _, known, err = c.back.Get(c.keyBuf); err != nil {
			return false, fmt.Errorf("look for a copy in the buffers of a join: %w", err)
		}
	}
	if known && !hasID {
		return false, fmt.Errorf("%w: time %d ms, place %x", ErrSamePlace, ev.t, ev.id)
	}
	if known {
		return false, nil
	}
	b.insert(g, hash, ev)
	b.n, b.count.bytes = b.n+1, b.count.bytes+int64(len(ev.key)+len(ev.row))
	s.n++
	s.account(b)
	return true, nil
}

// load reads a stored bucket of which nothing is in memory.
func (s *shelf) load(b *bucket) error {
	lo, hi := s.rangeOf(b, max(b.start, s.from), s.end(b))
	var ev event
	var read count
	err := s.core.back.Scan(lo, hi, func(k, v []byte) error {
		if err := s.parse(b, k, v, &ev); err != nil {
			return err
		}
		hash := hashKey(s.core.seed, ev.key)
		b.insert(b.findGroup(hash, ev.key), hash, &ev)
		read.n, read.bytes = read.n+1, read.bytes+int64(len(ev.key)+len(ev.row))
		return nil
	})
	if err != nil {
		return fmt.Errorf("read the buffers of a join: %w", err)
	}
	if read != b.count {
		return s.miscounted(b, read)
	}
	b.clean, b.partial = len(b.entries), false
	s.account(b)
	return nil
}

// parse reads a stored event of a bucket.
func (s *shelf) parse(b *bucket, k, v []byte, ev *event) error {
	if err := s.order.parseEvent(k, v, len(s.head), ev); err != nil {
		return err
	}
	if s.startOf(ev.t) != b.start {
		return &window.CorruptError{Key: slices.Clone(k), What: fmt.Sprintf("an event of a join at %d in the bucket at %d", ev.t, b.start)}
	}
	return nil
}

func (s *shelf) miscounted(b *bucket, read count) error {
	return &window.CorruptError{
		Key:  appendTime(slices.Clone(s.header), b.start),
		What: fmt.Sprintf("%d events of %d bytes, where the header of a join's bucket and memory have %d of %d", read.n, read.bytes, b.n, b.count.bytes),
	}
}

// rangeOf is the state keys of the events of a bucket with times from lo to hi, or of all if they lie by key.
func (s *shelf) rangeOf(b *bucket, lo, hi int64) (from, to []byte) {
	if s.order == byKey {
		lo, hi = b.start, b.start
	}
	c := s.core
	c.keyBuf = appendTime(append(c.keyBuf[:0], s.head...), lo)
	c.endBuf = appendTime(append(c.endBuf[:0], s.head...), hi+1)
	return c.keyBuf, c.endBuf
}

// discover finds the buckets that an earlier operator has left. least is the lowest start that one can have.
func (s *shelf) discover(least int64) error {
	lo, hi := s.header, append(slices.Clone(s.header[:len(s.header)-1]), s.header[len(s.header)-1]+1)
	err := s.core.back.Scan(lo, hi, func(k, v []byte) error {
		corrupt := func(format string, args ...any) error {
			return &window.CorruptError{Key: slices.Clone(k), What: "header of a join's bucket: " + fmt.Sprintf(format, args...)}
		}
		if len(k) != len(s.header)+timeLen {
			return corrupt("a key of %d bytes", len(k))
		}
		start := timeAt(k[len(s.header):])
		if start < window.TimeMin-s.width || start > window.TimeMax || s.startOf(start) != start {
			return corrupt("no bucket of %d ms starts at %d", s.width, start)
		}
		if start < least {
			return corrupt("the bucket at %d should have gone, the first is at %d", start, least)
		}
		c, err := readCount(v)
		if err != nil {
			return corrupt("%v", err)
		}
		b := s.newBucket(start)
		b.count, b.written, b.partial, b.touched = c, c, true, 0
		s.buckets = append(s.buckets, b)
		s.n += c.n
		return nil
	})
	if err != nil {
		return fmt.Errorf("find the buffers of a join: %w", err)
	}
	return nil
}
