package window

import (
	"errors"
	"fmt"
	"math/bits"
	"slices"
)

// Add judges one event and aggregates it. watermark is that of the event's own source partition, as it was before
// the event. The event is late for a window when watermark >= its end + lateness, and for sessions when watermark >=
// its own time + lateness (judged first, so that it depends on the partition's log alone); then it is a duplicate if
// one of its identity has been counted; then it is counted in the windows that it isn't late for.
//
// It fails, and counts nothing, when the watermark is below one that Close was given (ErrWatermarkFell), when in
// doesn't fit the outputs, and when the Backing fails or is corrupt (*CorruptError): the engine is then unusable. It
// also fails, and counts nothing, with ErrOpenWindows: that event may be tried again.
func (e *Engine) Add(in *Input, watermark int64) (Verdict, error) {
	if err := e.admit(in, watermark); err != nil {
		return Verdict{}, e.fail(err)
	}
	takes := e.all
	if in.Outputs != 0 {
		takes = in.Outputs
	}
	if !e.single {
		return e.addHopping(in, watermark, takes)
	}
	missed, expiry := e.judge(in.Time, watermark, takes)
	if missed == takes {
		return Verdict{Outcome: Late}, nil
	}
	v := Verdict{Outcome: Aggregated, Missed: missed}
	if missed != 0 {
		v.Misses = e.missesOf(missed)
	}
	fill, again := takes&^missed, uint64(0)
	if e.openMax > 0 {
		if err := e.checkRoom(in, func(i int) int { return int(fill >> i & 1) }); err != nil {
			return Verdict{}, err
		}
	}
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

// missesOf is Verdict.Misses of outputs with one window an event.
func (e *Engine) missesOf(missed uint64) []int32 {
	for i := range e.misses {
		e.misses[i] = int32(missed >> i & 1)
	}
	return e.misses
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
	case in.Outputs&^e.all != 0:
		return fmt.Errorf("an event for outputs %b of %d", in.Outputs, len(e.outs))
	case e.limit > 0 && e.back == nil && e.mem.held() > e.limit:
		return fmt.Errorf("%w: %d bytes, at most %d", ErrMemory, e.mem.held(), e.limit)
	}
	return nil
}

// judge finds which outputs an event comes too late for, each having one window of its time, and the watermark that
// closes the last of these windows, late or not.
func (e *Engine) judge(t, watermark int64, takes uint64) (missed uint64, expiry int64) {
	expiry = NoWatermark
	for rest := takes; rest != 0; rest &= rest - 1 {
		i := bits.TrailingZeros64(rest)
		o := &e.outs[i]
		var closes, forgets int64
		if o.sess != nil {
			closes, forgets = o.judgeSession(t)
		} else {
			closes = o.at(t).wins[0].closes
			forgets = closes
		}
		if watermark >= closes {
			missed |= 1 << i
		}
		expiry = max(expiry, forgets)
	}
	return missed, expiry
}

// An event is late for sessions from its own time + lateness on: if it were from the end of the session that it would
// make alone, results would depend on the order of arrival (model sessions_idle_joins.py). So every event would
// expire at a millisecond of its own. Identities of sessions are kept up to the next multiple of grain instead, so
// that they share buckets. Keeping one longer is harmless: a copy that comes later than time + lateness is late, by
// its own partition's watermark, and judged before dedup.
const (
	grainLeast = 60_000
	grainShare = 32 // so that about as many buckets are open as fit the lateness
)

// judgeSession is the watermark from which on an event of time t is late for sessions, and the one at which its
// identity is forgotten.
func (o *output) judgeSession(t int64) (late, forgets int64) {
	late = t + o.Lateness
	return late, floorTo(late+o.grain-1, o.grain)
}

var errIdentity = errors.New("copies of an event differ in their group key: an identity must cover every field that the key is made of")

// enter counts the event in output i, which has one window of its time: as a new one, or as one more copy.
func (e *Engine) enter(i int, in *Input, fresh bool) error {
	o := &e.outs[i]
	if err := e.setKey(in.Keys[i]); err != nil {
		return err
	}
	if o.sess != nil {
		return o.sess.enter(in, fresh)
	}
	return e.enterWindow(i, &o.at(in.Time).wins[0], in, fresh)
}

// setKey makes key the one that is looked for.
func (e *Engine) setKey(key []byte) error {
	if e.key.is(key) {
		return nil
	}
	if len(key) > KeyMax {
		return fmt.Errorf("a group key of %d bytes: at most %d", len(key), KeyMax)
	}
	e.key.set(key, e.seed)
	return nil
}

// enterWindow counts the event in one window of output i, under e.key.
func (e *Engine) enterWindow(i int, w *win, in *Input, fresh bool) error {
	o := &e.outs[i]
	p := w.pane
	if p == nil {
		p = o.open(w, &e.mem)
	}
	p.touched = e.epoch
	at := p.find(&e.key, &o.layout.shape)
	if at < 0 && p.partial {
		var err error
		if at, err = e.readThrough(i, p, w.Start); err != nil {
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
	if o.Updates {
		p.markUpdated(at, rec, &e.mem)
	}
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
	if has, err := e.mayHave(i, p, start); !has || err != nil {
		return -1, err
	}
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
