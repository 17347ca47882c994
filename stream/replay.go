package stream

import (
	"fmt"
	"iter"

	"github.com/tidemark-io/tidemark/stream/journal"
	"github.com/tidemark-io/tidemark/stream/kafka"
)

const (
	replayTurn       = 1024   // records of one input before it is another's turn
	replayWriteEvery = 50_000 // records between two writes of a replay's state
)

// replay takes a task through the gap between the cut of its state and the committed one. By the cut law it makes no
// difference how inputs are interleaved; what is open on the way does depend on it, so it is always the turn of the
// input whose watermark is lowest.
//
// The state that it writes on the way names the decisions of before, since only at the committed cut all of them are in
// it. Where such a state is found, the decisions below the position of their input are in it, and not obeyed again:
// records have come since, on which they would act. One exactly at the position may be in it, and obeying it again there
// changes nothing.
type replay struct {
	t     *task
	legs  []*leg
	turn  int
	every int
	since int // records since the last write

	done, total int64                   // offsets
	told        func(done, total int64) // is told of them
}

// leg is the part of a replay that is one input's.
type leg struct {
	in        *input
	to        int64
	decisions []journal.Entry
	records   iter.Seq2[*kafka.Record, error]
	next      func() (*kafka.Record, error, bool)
	batch     []*kafka.Record
	done      bool
}

// add adds an input. decisions may be those of other inputs, too.
func (p *replay) add(in *input, to int64, decisions []journal.Entry, records iter.Seq2[*kafka.Record, error]) {
	mine := decisionsOf(in, decisions)
	for len(mine) > 0 && mine[0].Offset < in.next {
		mine = mine[1:]
	}
	p.total += max(0, to-in.next)
	p.legs = append(p.legs, &leg{in: in, to: to, decisions: mine, records: records})
}

// decisionsOf are the decisions about one input.
func decisionsOf(in *input, decisions []journal.Entry) []journal.Entry {
	var mine []journal.Entry
	for i := range decisions {
		if decisions[i].Topic == in.topic {
			mine = append(mine, decisions[i])
		}
	}
	return mine
}

func (p *replay) run() error {
	t := p.t
	t.replaying = true
	defer func() { t.replaying = false }()
	for _, l := range p.legs {
		next, stop := iter.Pull2(l.records)
		defer stop()
		l.next = next
	}
	for {
		l := p.lowest()
		if l == nil {
			t.out.held = nil
			return nil
		}
		if err := p.advance(l); err != nil {
			return fmt.Errorf("%s/%d: %w", l.in.topic, t.id, err)
		}
		if p.since < p.every || p.arrived() {
			continue
		}
		p.since = 0
		if err := t.apply(); err != nil {
			return err
		}
	}
}

// arrived says that the inputs are where the replay ends. The state there is the caller's to write: while windows are held it
// isn't yet the one that belongs to that cut (law L4).
func (p *replay) arrived() bool {
	for _, l := range p.legs {
		if l.in.next < l.to {
			return false
		}
	}
	return true
}

// lowest is the leg whose turn it is; nil when all are done.
func (p *replay) lowest() (low *leg) {
	for _, l := range p.legs {
		if !l.done && (low == nil || p.t.flow.Reached(l.in.number) < p.t.flow.Reached(low.in.number)) {
			low = l
		}
	}
	return low
}

// advance applies the next records of a leg, and each decision at its offset.
func (p *replay) advance(l *leg) error {
	for range p.turn {
		rec, err, ok := l.next()
		if err != nil {
			return err
		}
		if !ok {
			l.done = true
			break
		}
		if err := p.obey(l, rec.Offset); err != nil {
			return err
		}
		l.batch = append(l.batch, rec)
	}
	if !l.done {
		return p.flush(l)
	}
	if err := p.obey(l, l.to); err != nil {
		return err
	}
	if err := p.flush(l); err != nil {
		return err
	}
	l.in.next = max(l.in.next, l.to) // what is left of the gap holds no records: aborted, or markers
	return nil
}

// obey obeys what was decided at or below an offset, after the records before it.
func (p *replay) obey(l *leg, offset int64) error {
	for len(l.decisions) > 0 && l.decisions[0].Offset <= offset {
		if err := p.flush(l); err != nil {
			return err
		}
		l.in.next = max(l.in.next, l.decisions[0].Offset)
		if err := p.t.obey(l.in, &l.decisions[0]); err != nil {
			return err
		}
		l.decisions = l.decisions[1:]
	}
	return nil
}

func (p *replay) flush(l *leg) error {
	from := l.in.next
	if err := p.t.process(l.in, l.batch); err != nil {
		return err
	}
	if p.done += l.in.next - from; p.told != nil {
		p.told(p.done, p.total)
	}
	p.since += len(l.batch)
	l.batch = l.batch[:0]
	return nil
}
