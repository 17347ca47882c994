package join

import (
	"crypto/sha256"
	"slices"
)

// probe emits the pairs of an event that has just been taken with the other side's, in the order (time, identity).
func (j *Interval) probe(side Side, ev *event, emit func(*Pair) error) error {
	other := &j.sides[1-side]
	lo, hi := ev.t+j.opts.Lower, ev.t+j.opts.Upper
	if side == Right {
		lo, hi = ev.t-j.opts.Upper, ev.t-j.opts.Lower
	}
	j.matches = 0
	hash := hashKey(j.seed, ev.key)
	at, _ := other.search(other.startOf(lo))
	for ; at < len(other.buckets) && other.buckets[at].start <= hi; at++ {
		b := other.buckets[at]
		if err := other.use(b); err != nil {
			return err
		}
		j.found = b.within(j.found[:0], hash, ev.key, lo, hi)
		give := func(partner *event) error { return j.give(side, ev, partner, emit) }
		if err := other.merge(b, ev.key, lo, hi, j.found, give); err != nil {
			return err
		}
	}
	if cap(j.found) > 4*pageItems {
		j.found = nil
	}
	return nil
}

// merge gives the events of a key with a time from lo to hi: `found`, those in memory, and those that only the Backing
// has among them.
func (s *shelf) merge(b *bucket, key []byte, lo, hi int64, found []event, give func(*event) error) error {
	if b.partial {
		c := s.core
		prefix := appendJoinKey(appendTime(append(c.keyBuf[:0], s.head...), b.start), key)
		from := appendTime(slices.Clone(prefix), lo)
		to := appendTime(slices.Clone(prefix), hi+1)
		c.keyBuf = prefix
		var ev event
		err := c.eachStored(from, to, func(k, v []byte) error {
			if err := s.parse(b, k, v, &ev); err != nil {
				return err
			}
			for len(found) > 0 {
				order := compareEvents(&found[0], &ev)
				if order > 0 {
					break
				}
				first := &found[0]
				found = found[1:]
				if err := give(first); err != nil || order == 0 {
					return err
				}
			}
			return give(&ev)
		})
		if err != nil {
			return err
		}
	}
	for i := range found {
		if err := give(&found[i]); err != nil {
			return err
		}
	}
	return nil
}

// give emits one pair of an event of a side.
func (j *Interval) give(side Side, ev, partner *event, emit func(*Pair) error) error {
	if j.matches++; j.matches > j.opts.MatchesMax {
		return &MatchesError{Side: side, Key: slices.Clone(ev.key), Time: ev.t, Max: j.opts.MatchesMax}
	}
	left, right := ev, partner
	if side == Right {
		left, right = partner, ev
	}
	j.pair = Pair{
		Left: present(left.row), Right: present(right.row), Time: max(left.t, right.t), ID: pairID(&left.id, &right.id),
		LeftID: left.id, RightID: right.id,
	}
	return emit(&j.pair)
}

// present is a row that isn't nil.
func present(row []byte) []byte {
	if row == nil {
		return []byte{}
	}
	return row
}

// pairID is the identity of a pair; right may be nil.
func pairID(left, right *[idLen]byte) [idLen]byte {
	var both [2 * idLen]byte
	n := copy(both[:], left[:])
	if right != nil {
		n += copy(both[n:], right[:])
	}
	sum := sha256.Sum256(both[:n])
	return [idLen]byte(sum[:])
}
