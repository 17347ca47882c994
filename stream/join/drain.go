package join

import "slices"

// drain hands fn every event with a time up to `to`, in the order (time, identity, key), and lets go of them. It is for
// shelves by time. The event is valid during the call. fn must not use the shelf.
func (s *shelf) drain(to int64, fn func(*event) error) error {
	done := 0
	for _, b := range s.buckets {
		if b.start > to {
			break
		}
		if err := s.drainBucket(b, min(to, s.end(b)), fn); err != nil {
			return err
		}
		if s.end(b) > to {
			break
		}
		if b.count != (count{}) {
			return s.miscounted(b, count{})
		}
		done++
	}
	s.drop(done)
	if to+1 > s.from {
		s.from = to + 1
	}
	return nil
}

// drop lets go of the first buckets, which are empty or not needed any more.
func (s *shelf) drop(done int) {
	if done == 0 {
		return
	}
	for _, b := range s.buckets[:done] {
		if b.written.n > 0 {
			s.goneBuckets.add(b.start)
			if s.order == byKey {
				s.goneEvents.add(b.start)
			}
		}
		s.core.used -= b.held
		s.n -= b.n
	}
	s.buckets = slices.Delete(s.buckets, 0, done)
	s.near = nil
}

func (s *shelf) drainBucket(b *bucket, to int64, fn func(*event) error) error {
	if b.n == 0 {
		return nil
	}
	if err := s.use(b); err != nil {
		return err
	}
	b.heap(s.from)
	if b.partial {
		lo, hi := s.rangeOf(b, max(b.start, s.from), to)
		var ev event
		err := s.core.eachStored(slices.Clone(lo), slices.Clone(hi), func(k, v []byte) error {
			if err := s.parse(b, k, v, &ev); err != nil {
				return err
			}
			return s.passDue(b, &ev, fn)
		})
		if err != nil {
			return err
		}
	}
	for len(b.due) > 0 && b.entries[b.due[0]].t <= to {
		if err := s.giveDue(b, fn); err != nil {
			return err
		}
	}
	s.account(b)
	return nil
}

// passDue gives what is due in memory before a stored event, and the event, which memory may have too.
func (s *shelf) passDue(b *bucket, stored *event, fn func(*event) error) error {
	for len(b.due) > 0 {
		first := b.event(int(b.due[0]))
		order := compareEvents(&first, stored)
		if order > 0 {
			break
		}
		if err := s.giveDue(b, fn); err != nil || order == 0 {
			return err
		}
	}
	s.goneEvents.add(stored.t)
	return s.give(b, stored, fn)
}

// giveDue gives the first of those in memory.
func (s *shelf) giveDue(b *bucket, fn func(*event) error) error {
	i := int(b.due[0])
	ev := b.event(i)
	b.popDue()
	if i < b.clean {
		s.goneEvents.add(ev.t)
	}
	return s.give(b, &ev, fn)
}

func (s *shelf) give(b *bucket, ev *event, fn func(*event) error) error {
	b.n, b.count.bytes = b.n-1, b.count.bytes-int64(len(ev.key)+len(ev.row))
	s.n--
	if b.n < 0 || b.count.bytes < 0 {
		return s.miscounted(b, count{n: 1, bytes: int64(len(ev.key) + len(ev.row))})
	}
	return fn(ev)
}

// latest is the highest time up to limit of an event on the shelf.
func (s *shelf) latest(limit int64) (t int64, ok bool, err error) {
	for i := len(s.buckets) - 1; i >= 0; i-- {
		b := s.buckets[i]
		if b.start > limit || b.n == 0 {
			continue
		}
		for j := range b.entries {
			if at := b.entries[j].t; at >= s.from && at <= limit && (!ok || at > t) {
				t, ok = at, true
			}
		}
		if b.partial {
			lo, hi := s.rangeOf(b, max(b.start, s.from), min(limit, s.end(b)))
			var ev event
			err = s.core.eachStored(slices.Clone(lo), slices.Clone(hi), func(k, v []byte) error {
				if err := s.parse(b, k, v, &ev); err != nil {
					return err
				}
				if !ok || ev.t > t {
					t, ok = ev.t, true
				}
				return nil
			})
		}
		if ok || err != nil {
			return t, ok, err
		}
	}
	return 0, false, nil
}
