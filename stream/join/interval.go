package join

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"github.com/tidemark-io/tidemark/stream/window"
)

// Interval joins two sources by key and distance in time. See Operator, and the package comment for what it means.
type Interval struct {
	core
	opts  IntervalOptions
	sides [2]shelf
	reach [2]int64 // ms that a partner can be later than an event of the side

	found   []event // partners in memory of the event being added
	matches int     // partners that it has had so far
	pair    Pair
}

var _ Operator = (*Interval)(nil)

const (
	kindInterval = 'I'
	bucketLeast  = 1_000 // ms: shortest span of a bucket
)

// NewInterval makes an interval join. With a Backing it finds what an earlier one with the same options has left;
// back may be nil: then all state is in memory.
func NewInterval(opts IntervalOptions, back window.Backing) (*Interval, error) {
	if err := opts.check(); err != nil {
		return nil, fmt.Errorf("interval join: %w", err)
	}
	if opts.MatchesMax == 0 {
		opts.MatchesMax = MatchesMaxDefault
	}
	j := &Interval{core: newCore(back, opts.MemoryMax, opts.Lateness), opts: opts}
	j.reach = [2]int64{Left: max(0, opts.Upper), Right: max(0, -opts.Lower)}
	width := opts.width()
	j.kind, j.layout = kindInterval, layoutHash(kindInterval, opts.Lower, opts.Upper, opts.Lateness, width)
	for side := range j.sides {
		j.sides[side] = newShelf(&j.core, byKey, []byte{prefixEvent, byte(side)}, []byte{prefixEventHeader, byte(side)}, width)
	}
	if back == nil {
		return j, nil
	}
	if err := j.discover(); err != nil {
		return nil, fmt.Errorf("read the state of an interval join: %w", err)
	}
	return j, nil
}

// width is the span of a bucket (ms): a probe shall touch three at most, and whole buckets go, so they shall be short
// beside the time that events are kept.
func (o *IntervalOptions) width() int64 {
	kept := max(0, o.Upper, -o.Lower) + o.Lateness
	return max(bucketLeast, (o.Upper-o.Lower+1)/2, (kept+15)/16)
}

// layoutHash names what the bytes of state depend on.
func layoutHash(kind byte, numbers ...int64) (h [8]byte) {
	b := []byte{kind}
	for _, n := range numbers {
		b = binary.AppendVarint(b, n)
	}
	sum := sha256.Sum256(b)
	copy(h[:], sum[:])
	return h
}

func (j *Interval) discover() error {
	found, _, err := j.readMeta()
	if err != nil || !found {
		return err
	}
	for side := range j.sides {
		if err := j.sides[side].discover(j.leastStart(Side(side), j.closed)); err != nil {
			return err
		}
	}
	if err := j.checkEmpty([]byte{prefixEventHeader, byte(Right) + 1}, []byte{prefixHeld}, "of a third side"); err != nil {
		return err
	}
	return j.checkEmpty([]byte{prefixHeld}, []byte{prefixMeta}, "that is an enrichment's, where an interval join is")
}

// leastStart is above the start of the buckets that a watermark lets go.
func (j *Interval) leastStart(side Side, watermark int64) int64 {
	s := &j.sides[side]
	kept := s.width - 1 + j.reach[side] + j.lateness
	if watermark < window.NoWatermark+kept {
		return window.NoWatermark
	}
	return watermark - kept + 1
}

// Add implements Operator.
func (j *Interval) Add(side Side, key []byte, t int64, id [16]byte, hasID bool, row []byte, watermark int64, emit func(*Pair) error) (Verdict, error) {
	ev := event{t: t, id: id, key: key, row: row}
	if err := j.admit(side, &ev, watermark); err != nil {
		return Verdict{}, j.fail(err)
	}
	if watermark >= t+j.lateness {
		return Verdict{Outcome: window.Late}, nil
	}
	added, err := j.sides[side].add(&ev, hasID)
	if err != nil {
		return Verdict{}, j.fail(fmt.Errorf("interval join: %w", err))
	}
	if !added {
		return Verdict{Outcome: window.Duplicate}, nil
	}
	if err := j.probe(side, &ev, emit); err != nil {
		return Verdict{}, j.fail(fmt.Errorf("interval join: %w", err))
	}
	return Verdict{Outcome: window.Aggregated}, nil
}

// Close implements Operator. It emits nothing.
func (j *Interval) Close(watermark int64, _ func(*Pair) error) error {
	if err := j.admitClose(watermark); err != nil {
		return j.fail(err)
	}
	for side := range j.sides {
		s := &j.sides[side]
		done, least := 0, j.leastStart(Side(side), watermark)
		for done < len(s.buckets) && s.buckets[done].start < least {
			done++
		}
		s.drop(done)
	}
	j.closed = watermark
	return nil
}

// Write implements Operator.
func (j *Interval) Write(w window.Writer) error {
	if j.err != nil {
		return j.err
	}
	if err := j.writeAll(w); err != nil {
		return j.fail(fmt.Errorf("write the state of an interval join: %w", err))
	}
	if j.crowded() {
		left, right := &j.sides[Left], &j.sides[Right]
		j.evictBuckets(j.epoch+1, left, right)
	}
	j.epoch++
	return nil
}

func (j *Interval) writeAll(w window.Writer) error {
	if err := j.writeMeta(w, 0); err != nil {
		return err
	}
	for side := range j.sides {
		if err := j.sides[side].write(w); err != nil {
			return err
		}
	}
	return nil
}

// Bound implements Operator.
func (j *Interval) Bound(int64) (bound int64, ok bool, err error) { return 0, false, j.err }

// Buffered implements Operator.
func (j *Interval) Buffered() int { return int(j.sides[Left].n + j.sides[Right].n) }

// Closed implements Operator.
func (j *Interval) Closed() int64 { return j.closed }

// Memory implements Operator.
func (j *Interval) Memory() int64 { return j.used }
