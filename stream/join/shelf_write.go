package join

import (
	"fmt"
	"slices"

	"github.com/tidemark-io/tidemark/stream/window"
)

// write hands w the changes since the last Write.
func (s *shelf) write(w window.Writer) error {
	if err := s.writeDeletions(w); err != nil {
		return err
	}
	for _, b := range s.buckets {
		if b.clean < len(b.entries) {
			if err := s.writeEvents(w, b); err != nil {
				return err
			}
		}
		if err := s.writeHeader(w, b); err != nil {
			return err
		}
	}
	return nil
}

// writeDeletions deletes what has gone, as ranges: nothing that is left lies between two that have gone.
func (s *shelf) writeDeletions(w window.Writer) error {
	for _, gone := range []struct {
		times *timeRange
		head  []byte
	}{{&s.goneEvents, s.head}, {&s.goneBuckets, s.header}} {
		if !gone.times.any {
			continue
		}
		lo := appendTime(slices.Clone(gone.head), gone.times.lo)
		hi := appendTime(slices.Clone(gone.head), gone.times.hi+1)
		if err := w.DeleteRange(lo, hi); err != nil {
			return fmt.Errorf("delete from the buffers of a join: %w", err)
		}
		*gone.times = timeRange{}
	}
	return nil
}

func (s *shelf) writeEvents(w window.Writer, b *bucket) error {
	c := s.core
	for i := b.clean; i < len(b.entries); i++ {
		ev := b.event(i)
		if s.order == byTime && ev.t < s.from {
			continue // it has come and gone since the last Write
		}
		c.keyBuf = s.order.appendEventKey(c.keyBuf[:0], s.head, b.start, &ev)
		c.valBuf = append(append(c.valBuf[:0], rowVersion), ev.row...)
		if err := w.Set(c.keyBuf, c.valBuf); err != nil {
			return fmt.Errorf("set an event of a join: %w", err)
		}
	}
	b.clean = len(b.entries)
	return nil
}

func (s *shelf) writeHeader(w window.Writer, b *bucket) error {
	if b.count == b.written {
		return nil
	}
	c := s.core
	c.keyBuf = appendTime(append(c.keyBuf[:0], s.header...), b.start)
	if b.n == 0 {
		if err := w.Delete(c.keyBuf); err != nil {
			return fmt.Errorf("delete the header of a join's bucket: %w", err)
		}
	} else {
		c.valBuf = b.count.append(c.valBuf[:0])
		if err := w.Set(c.keyBuf, c.valBuf); err != nil {
			return fmt.Errorf("set the header of a join's bucket: %w", err)
		}
	}
	b.written = b.count
	return nil
}

// evictBuckets lets go of the buckets in memory that were last used before an epoch, longest unused first, until
// memory is down to the goal. All of them are stored: a Write has just ended.
func (c *core) evictBuckets(before uint64, shelves ...*shelf) {
	type candidate struct {
		s *shelf
		b *bucket
	}
	var all []candidate
	for _, s := range shelves {
		for _, b := range s.buckets {
			if b.touched < before && len(b.entries) > 0 {
				all = append(all, candidate{s, b})
			}
		}
	}
	slices.SortStableFunc(all, func(x, y candidate) int {
		switch {
		case x.b.touched < y.b.touched:
			return -1
		case x.b.touched > y.b.touched:
			return 1
		}
		return 0
	})
	for _, x := range all {
		if c.used <= c.goal() {
			return
		}
		x.b.evict()
		x.s.account(x.b)
	}
}
