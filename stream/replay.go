package stream

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/tidemark-io/tidemark/state"
	"github.com/tidemark-io/tidemark/stream/journal"
	"github.com/tidemark-io/tidemark/stream/kafka"
	"github.com/tidemark-io/tidemark/stream/pipeline"
)

// reach brings a task from the cut of its state to the committed one. Nothing is published: the outputs of the
// gap were, in the transactions that committed it.
func (r *runner) reach(ctx context.Context, t *task, hasState bool, c committed) error {
	if !c.found {
		starts := make([]int64, len(t.inputs))
		for i := range t.inputs {
			if starts[i] = c.at[i].ends.Start; t.start(i) == pipeline.StartLatest {
				starts[i] = c.at[i].ends.High
			}
		}
		return t.born(starts)
	}
	there := hasState && t.decisions == c.journal
	for i, in := range t.inputs {
		in.committed, in.bornAt = c.at[i].next, c.at[i].meta.Born
		there = there && in.next == in.committed
	}
	if there {
		return nil
	}
	decisions, err := r.missingDecisions(ctx, t, c)
	if err != nil {
		return err
	}
	if !hasState {
		if err := t.reborn(decisions); err != nil {
			return err
		}
	}
	p := &replay{t: t, turn: replayTurn, every: replayWriteEvery}
	for i, in := range t.inputs {
		if ends := c.at[i].ends; in.next < ends.Start && in.next < c.at[i].next {
			return &StopError{Where: fmt.Sprintf("%s/%d", in.topic, t.id),
				What: fmt.Sprintf("its state is at offset %d, the topic begins at %d: retention has passed the gap", in.next, ends.Start),
				Fix:  "replay from the lake is not built yet; give the pipeline a new name, or raise the topic's retention"}
		}
		p.add(in, c.at[i].next, decisions, r.records(ctx, t, in, c.at[i].next))
	}
	r.log.Info("replaying", "task", t.id, "from", t.position(), "to", offsetsText(c.position()), "decisions", len(decisions))
	if err := p.run(); err != nil {
		return fmt.Errorf("replay task %d up to %s: %w", t.id, offsetsText(c.position()), err)
	}
	t.decisions = c.journal
	return t.apply()
}

// reborn puts all inputs to where the task began. All before any is replayed: a state written meanwhile names them all.
func (t *task) reborn(decisions []journal.Entry) error {
	for _, in := range t.inputs {
		mine := decisionsOf(in, decisions)
		if len(mine) == 0 || mine[0].Kind != journal.Born {
			return fmt.Errorf("task %d: its first decision about %s is not its birth", t.id, in.topic)
		}
		in.next = mine[0].Offset
	}
	return nil
}

func (r *runner) missingDecisions(ctx context.Context, t *task, c committed) ([]journal.Entry, error) {
	if t.decisions == c.journal {
		return nil, nil
	}
	name := r.o.Plan.Pipeline.JournalTopic()
	ends, err := r.admin.Offsets(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("offsets of %s: %w", name, err)
	}
	return readDecisions(ctx, r.o.Kafka, name, t.id, ends[t.id].Start, ends[t.id].High, t.decisions, c.journal)
}

var errEnough = errors.New("no more records are wanted")

// records are what an input holds from its position up to an offset, read as they are asked for.
func (r *runner) records(ctx context.Context, t *task, in *input, to int64) iter.Seq2[*kafka.Record, error] {
	from := in.next
	return func(yield func(*kafka.Record, error) bool) {
		err := kafka.ReadRange(ctx, r.o.Kafka, in.topic, t.id, from, to, func(rec *kafka.Record) error {
			if !yield(rec, nil) {
				return errEnough
			}
			return nil
		})
		if err != nil && !errors.Is(err, errEnough) {
			yield(nil, err)
		}
	}
}

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
			t.out = nil
			return nil
		}
		if err := p.advance(l); err != nil {
			return fmt.Errorf("%s/%d: %w", l.in.topic, t.id, err)
		}
		if p.since < p.every {
			continue
		}
		p.since = 0
		if err := t.apply(); err != nil {
			return err
		}
	}
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
	if err := p.t.process(l.in, l.batch); err != nil {
		return err
	}
	p.since += len(l.batch)
	l.batch = l.batch[:0]
	return nil
}

// apply writes the state and its cut in one batch. After a commit it is the last step; in a replay the cut is
// behind Kafka, which is always allowed.
func (t *task) apply() error {
	cut, err := t.cut()
	if err != nil {
		return err
	}
	if err := t.store.Apply(cut, func(b state.Batch) error { return t.flow.Write(b) }); err != nil {
		return fmt.Errorf("task %d: apply state at %s: %w", t.id, t.position(), err)
	}
	if !t.replaying {
		for _, in := range t.inputs {
			in.committed = in.next
		}
	}
	t.dirty = false
	return nil
}

// position is the task's, for messages.
func (t *task) position() string {
	var b strings.Builder
	for i, in := range t.inputs {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s/%d@%d", in.topic, t.id, in.next)
	}
	return b.String()
}
