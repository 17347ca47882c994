package window

import (
	"fmt"
	"math/bits"
)

// addHopping is Add for outputs of which one at least has several windows of a time. What an event misses of an
// output are the windows that end first, and what it fills are the others: so a number says which, and for each
// identity the greatest number of windows that any of its copies has filled is kept, packed in one word. A copy fills
// those that are left between that number and its own.
func (e *Engine) addHopping(in *Input, watermark int64, takes uint64) (Verdict, error) {
	fill, expiry, late := e.judgeHopping(in.Time, watermark, takes)
	if fill == 0 {
		return Verdict{Outcome: Late}, nil
	}
	v := Verdict{Outcome: Aggregated}
	if late {
		v.Misses = e.misses
		for i, n := range e.misses {
			if n > 0 {
				v.Missed |= 1 << i
			}
		}
	}
	if e.openMax > 0 {
		if err := e.checkRoom(in, func(i int) int { return int(e.outs[i].unpack(fill)) }); err != nil {
			return Verdict{}, err
		}
	}
	before := uint64(0)
	if in.HasID {
		var err error
		if before, err = e.count(expiry, identityOf(in.ID[:]), fill); err != nil {
			return Verdict{}, e.fail(err)
		}
		if before != 0 {
			v.Outcome = Duplicate
		}
	}
	e.key.bytes = nil // the caller's slices may hold other keys by now
	for rest := takes; rest != 0; rest &= rest - 1 {
		i := bits.TrailingZeros64(rest)
		o := &e.outs[i]
		if err := e.enterLast(i, in, o.unpack(fill), o.unpack(before)); err != nil {
			return Verdict{}, e.fail(fmt.Errorf("output %q: %w", o.Name, err))
		}
	}
	return v, nil
}

// judgeHopping finds how many windows of each output the event is in time for, packed; the watermark that closes the
// last of all its windows, late or not; and whether it is late for any, by output in e.misses.
func (e *Engine) judgeHopping(t, watermark int64, takes uint64) (fill uint64, expiry int64, late bool) {
	clear(e.misses)
	expiry = NoWatermark
	for rest := takes; rest != 0; rest &= rest - 1 {
		i := bits.TrailingZeros64(rest)
		o := &e.outs[i]
		n, missed := 1, 0
		if o.sess != nil {
			closes, forgets := o.judgeSession(t)
			if watermark >= closes {
				missed = 1
			}
			expiry = max(expiry, forgets)
		} else {
			wins := o.at(t).wins
			n = len(wins)
			for missed < n && watermark >= wins[missed].closes {
				missed++
			}
			expiry = max(expiry, wins[n-1].closes)
		}
		e.misses[i] = int32(missed)
		late = late || missed > 0
		fill |= uint64(n-missed) << o.shift
	}
	return fill, expiry, late
}

// enterLast counts the event in the last fill windows of output i: as one more copy in the last before of them, as a
// new event in the others.
func (e *Engine) enterLast(i int, in *Input, fill, before int) error {
	if fill == 0 {
		return nil
	}
	if err := e.setKey(in.Keys[i]); err != nil {
		return err
	}
	o := &e.outs[i]
	if o.sess != nil {
		return o.sess.enter(in, before == 0)
	}
	wins := o.at(in.Time).wins
	n := len(wins)
	for at := n - fill; at < n; at++ {
		if err := e.enterWindow(i, &wins[at], in, at < n-before); err != nil {
			return err
		}
	}
	return nil
}

// unpack is this output's part of a packed word.
func (o *output) unpack(word uint64) int { return int(word >> o.shift & (1<<o.width - 1)) }

// greatest is, for each output, the greater part of two packed words.
func (e *Engine) greatest(a, b uint64) uint64 {
	if e.single {
		return a | b
	}
	out := uint64(0)
	for i := range e.outs {
		o := &e.outs[i]
		out |= uint64(max(o.unpack(a), o.unpack(b))) << o.shift
	}
	return out
}

// sound says whether a packed word is one that addHopping makes.
func (e *Engine) sound(word uint64) bool {
	for i := range e.outs {
		if o := &e.outs[i]; int64(o.unpack(word)) > o.WindowsPerEvent() {
			return false
		}
	}
	return word&^e.seen.fields == 0
}
