package window

import (
	"errors"
	"fmt"
	"math/bits"
	"slices"
)

// Add judges one event and aggregates it. watermark is that of the event's own source partition, as it was before
// the event. The event is late for an output when watermark >= end + lateness of its window (judged first, so that
// it depends on the partition's log alone); then it is a duplicate if one of its identity has been counted; then it
// is counted in the windows that it isn't late for.
//
// It fails, and counts nothing, when the watermark is below one that Close was given (ErrWatermarkFell), when in
// doesn't fit the outputs, and when the Backing fails or is corrupt (*CorruptError).
func (e *Engine) Add(in *Input, watermark int64) (Verdict, error) {
	if err := e.admit(in, watermark); err != nil {
		return Verdict{}, e.fail(err)
	}
	missed, expiry := e.judge(in.Time, watermark)
	if missed == e.all {
		return Verdict{Outcome: Late}, nil
	}
	v := Verdict{Outcome: Aggregated, Missed: missed}
	fill, again := e.all&^missed, uint64(0)
	if in.HasID {
		before, err := e.count(expiry, identityOf(in.ID[:]), fill)
		if err != nil {
			return Verdict{}, e.fail(err)
		}
		if before != 0 {
			v.Outcome = Duplicate
			fill, again = fill&^before, fill&before
		}
	}
	e.key.bytes = nil // the caller's slices may hold other keys by now
	for rest := fill | again; rest != 0; rest &= rest - 1 {
		i := bits.TrailingZeros64(rest)
		if err := e.enter(i, in, fill&(1<<i) != 0); err != nil {
			return Verdict{}, e.fail(fmt.Errorf("output %q: %w", e.outs[i].Name, err))
		}
	}
	return v, nil
}

// admit checks what the caller must uphold.
func (e *Engine) admit(in *Input, watermark int64) error {
	switch {
	case e.err != nil:
		return e.err
	case watermark < e.closed:
		return fmt.Errorf("%w: %d, windows are closed up to %d", ErrWatermarkFell, watermark, e.closed)
	case in.Time < TimeMin || in.Time > TimeMax:
		return fmt.Errorf("event time %d ms is outside the years 1 to 9999", in.Time)
	case len(in.Keys) != len(e.outs) || len(in.Args) != len(e.outs):
		return fmt.Errorf("an event with %d keys and %d argument lists for %d outputs", len(in.Keys), len(in.Args), len(e.outs))
	case e.limit > 0 && e.back == nil && e.mem.held() > e.limit:
		return fmt.Errorf("%w: %d bytes, at most %d", ErrMemory, e.mem.held(), e.limit)
	}
	return nil
}

// judge finds the windows of a time, as the near windows of the outputs; which of them are late; and the watermark
// that closes the last of them, late or not.
func (e *Engine) judge(t, watermark int64) (missed uint64, expiry int64) {
	expiry = NoWatermark
	for i := range e.outs {
		w := e.outs[i].at(t)
		if watermark >= w.closes {
			missed |= 1 << i
		}
		expiry = max(expiry, w.closes)
	}
	return missed, expiry
}

var errIdentity = errors.New("copies of an event differ in their group key: an identity must cover every field that the key is made of")

// enter counts the event in its window of output i: as a new one, or as one more copy.
func (e *Engine) enter(i int, in *Input, fresh bool) error {
	o := &e.outs[i]
	key := in.Keys[i]
	if !e.key.is(key) {
		if len(key) > KeyMax {
			return fmt.Errorf("a group key of %d bytes: at most %d", len(key), KeyMax)
		}
		e.key.set(key, e.seed)
	}
	p := o.near.pane
	if p == nil {
		p = o.open(&o.near, &e.mem)
	}
	p.touched = e.epoch
	at := p.find(&e.key, &o.layout.shape)
	if at < 0 && p.partial {
		var err error
		if at, err = e.readThrough(i, p, o.near.start); err != nil {
			return err
		}
	}
	if at < 0 {
		if !fresh && p.partial {
			return &CorruptError{Key: slices.Clone(e.keyBuf), What: "no such record, though an event of it has been counted", Err: errIdentity}
		}
		if !fresh {
			return errIdentity
		}
		at = p.insert(&e.key, &o.layout.shape, &e.mem)
		p.groups++
		o.groups++
	}
	rec := p.recs.at(at, &o.layout.shape)
	p.mark(at, rec, &e.mem)
	if !fresh {
		rec[recDuplicates]++
		return nil
	}
	rec[recEvents]++
	if args := in.Args[i]; len(args) >= o.layout.args {
		return o.layout.fold(rec, args, in, &p.beside)
	}
	return fmt.Errorf("%d arguments, its aggregates need %d", len(in.Args[i]), o.layout.args)
}

// readThrough brings the record of e.key from the Backing into memory, and returns its index, or -1 if the Backing
// has none.
func (e *Engine) readThrough(i int, p *pane, start int64) (int, error) {
	o := &e.outs[i]
	e.keyBuf = append(appendWindowKey(e.keyBuf[:0], prefixWindow, i, start), e.key.bytes...)
	val, ok, err := e.back.Get(e.keyBuf)
	if err != nil {
		return -1, fmt.Errorf("read a group of the window at %d: %w", start, err)
	}
	if !ok {
		return -1, nil
	}
	at := p.insert(&e.key, &o.layout.shape, &e.mem)
	if err := o.layout.decodeRecord(val, p.recs.at(at, &o.layout.shape), &p.beside); err != nil {
		return -1, &CorruptError{Key: slices.Clone(e.keyBuf), What: "record of a group", Err: err}
	}
	return at, nil
}
