package join

import (
	"fmt"

	"github.com/tidemark-io/tidemark/stream/window"
)

// Enrichment gives each left event the version of the right table that was in force at its time. See Operator, and
// the package comment for what it means.
type Enrichment struct {
	core
	held      shelf // left events
	unsettled shelf // right versions that can still have company: no rows
	table     table
	in        event // being added
	pair      Pair
}

var _ Operator = (*Enrichment)(nil)

const kindEnrichment = 'E'

// NewEnrichment makes an enrichment. With a Backing it finds what an earlier one with the same options has left;
// back may be nil: then all state is in memory.
func NewEnrichment(opts EnrichmentOptions, back window.Backing) (*Enrichment, error) {
	if err := opts.check(); err != nil {
		return nil, fmt.Errorf("enrichment: %w", err)
	}
	j := &Enrichment{core: newCore(back, opts.MemoryMax, opts.Lateness)}
	width := max(bucketLeast, (opts.Lateness+15)/16)
	j.kind, j.layout = kindEnrichment, layoutHash(kindEnrichment, opts.Lateness, width)
	j.held = newShelf(&j.core, byTime, []byte{prefixHeld}, []byte{prefixHeldHeader}, width)
	j.unsettled = newShelf(&j.core, byTime, []byte{prefixUnsettled}, []byte{prefixUnsettledHeader}, width)
	j.table = newTable(&j.core)
	if back == nil {
		return j, nil
	}
	if err := j.discover(); err != nil {
		return nil, fmt.Errorf("read the state of an enrichment: %w", err)
	}
	return j, nil
}

func (j *Enrichment) discover() error {
	found, versions, err := j.readMeta()
	if err != nil || !found {
		return err
	}
	if err := j.checkEmpty([]byte{prefixEvent}, []byte{prefixHeld}, "that is an interval join's, where an enrichment is"); err != nil {
		return err
	}
	j.table.n, j.table.whole = versions, versions == 0
	settled := j.settled(j.closed)
	for _, s := range []*shelf{&j.held, &j.unsettled} {
		least := int64(window.NoWatermark)
		if settled > window.NoWatermark+s.width {
			s.from = settled + 1
			least = s.startOf(s.from)
		}
		if err := s.discover(least); err != nil {
			return err
		}
	}
	if j.unsettled.n > versions {
		return &window.CorruptError{Key: []byte{prefixMeta}, What: fmt.Sprintf("meta of a join: %d versions, of which %d are unsettled", versions, j.unsettled.n)}
	}
	return nil
}

// Add implements Operator. It emits nothing.
func (j *Enrichment) Add(side Side, key []byte, t int64, id [16]byte, hasID bool, row []byte, watermark int64, _ func(*Pair) error) (Verdict, error) {
	ev := &j.in
	*ev = event{t: t, id: id, key: key, row: row}
	defer func() { *ev = event{} }()
	if err := j.admit(side, ev, watermark); err != nil {
		return Verdict{}, j.fail(err)
	}
	if watermark >= t+j.lateness {
		return Verdict{Outcome: window.Late}, nil
	}
	added, err := j.take(side, ev, hasID)
	if err != nil {
		return Verdict{}, j.fail(fmt.Errorf("enrichment: %w", err))
	}
	if !added {
		return Verdict{Outcome: window.Duplicate}, nil
	}
	return Verdict{Outcome: window.Aggregated}, nil
}

func (j *Enrichment) take(side Side, ev *event, hasID bool) (added bool, err error) {
	if side == Left {
		return j.held.add(ev, hasID)
	}
	row := ev.row
	ev.row = nil
	if added, err = j.unsettled.add(ev, hasID); err != nil || !added {
		return false, err
	}
	ev.row = row
	return true, j.table.add(ev)
}

// Close implements Operator.
func (j *Enrichment) Close(watermark int64, emit func(*Pair) error) error {
	if err := j.admitClose(watermark); err != nil {
		return j.fail(err)
	}
	settled := j.settled(watermark)
	if err := j.held.drain(settled, func(ev *event) error { return j.give(ev, emit) }); err != nil {
		return j.fail(fmt.Errorf("enrichment: %w", err))
	}
	// Only now: the events that have just been emitted needed the older versions.
	if err := j.unsettled.drain(settled, func(ev *event) error { return j.table.settle(ev.key, settled) }); err != nil {
		return j.fail(fmt.Errorf("enrichment: %w", err))
	}
	j.closed = watermark
	return nil
}

// give emits a left event with the version in force.
func (j *Enrichment) give(ev *event, emit func(*Pair) error) error {
	v, err := j.table.inForce(ev.key, ev.t)
	if err != nil {
		return err
	}
	j.pair = Pair{Left: present(ev.row), Time: ev.t, LeftID: ev.id}
	if v == nil {
		j.pair.ID = pairID(&ev.id, nil)
	} else {
		j.pair.Right, j.pair.ID, j.pair.RightID = present(v.row), pairID(&ev.id, &v.id), v.id
	}
	return emit(&j.pair)
}

// Write implements Operator.
func (j *Enrichment) Write(w window.Writer) error {
	if j.err != nil {
		return j.err
	}
	if err := j.writeAll(w); err != nil {
		return j.fail(fmt.Errorf("write the state of an enrichment: %w", err))
	}
	if j.crowded() {
		j.evict()
	}
	j.epoch++
	return nil
}

func (j *Enrichment) writeAll(w window.Writer) error {
	if err := j.writeMeta(w, j.table.n); err != nil {
		return err
	}
	if err := j.held.write(w); err != nil {
		return err
	}
	if err := j.unsettled.write(w); err != nil {
		return err
	}
	return j.table.write(w)
}

// evict lets go first of what the last batch didn't use.
func (j *Enrichment) evict() {
	for _, before := range []uint64{j.epoch, j.epoch + 1} {
		j.evictBuckets(before, &j.held, &j.unsettled)
		j.table.evict(before)
	}
}

// Bound implements Operator.
func (j *Enrichment) Bound(limit int64) (bound int64, ok bool, err error) {
	if j.err != nil {
		return 0, false, j.err
	}
	t, ok, err := j.held.latest(limit)
	if err != nil {
		return 0, false, j.fail(fmt.Errorf("enrichment: %w", err))
	}
	if !ok {
		return 0, false, nil
	}
	return t + j.lateness, true, nil
}

// Buffered implements Operator.
func (j *Enrichment) Buffered() int { return int(j.held.n + j.table.n) }

// Closed implements Operator.
func (j *Enrichment) Closed() int64 { return j.closed }

// Memory implements Operator.
func (j *Enrichment) Memory() int64 { return j.used }
