package damage_test

import (
	"fmt"
	"slices"

	"github.com/tidemark-io/tidemark/state"
	"github.com/tidemark-io/tidemark/stream/flow"
	"github.com/tidemark-io/tidemark/stream/pipeline"
	"github.com/tidemark-io/tidemark/stream/window/backingtest"
)

// decision raises the watermark of an input at an offset of it.
type decision struct {
	input  int
	offset int64
	mark   int64
}

// step is one record of an input, or a decision about it.
type step struct {
	input    int
	decision *decision
}

// commit is a transaction that the broker has confirmed.
type commit struct {
	steps   []step
	out     []string
	letters [][]byte
	next    []int64
	seq     int64
}

// history is what the broker knows: the records of all inputs, and the commits.
type history struct {
	logs      [][][]byte // by input; the last of a rekeyed pipeline is what was forwarded
	commits   []commit
	decisions []decision
}

// clone is the history at this moment.
func (h *history) clone() *history {
	c := &history{commits: slices.Clone(h.commits), decisions: slices.Clone(h.decisions)}
	for _, l := range h.logs {
		c.logs = append(c.logs, slices.Clone(l))
	}
	return c
}

// add confirms a transaction.
func (h *history) add(c commit) {
	h.commits = append(h.commits, c)
	for _, s := range c.steps {
		if s.decision != nil {
			h.decisions = append(h.decisions, *s.decision)
		}
	}
	last := len(h.logs) - 1
	h.logs[last] = append(h.logs[last], c.letters...)
}

// committed is where the last commit is; nil before the first.
func (h *history) committed() *commit {
	if len(h.commits) == 0 {
		return nil
	}
	return &h.commits[len(h.commits)-1]
}

func (c *commit) position() state.Position { return state.Position{Next: c.next, Journal: c.seq} }

// reference is the run without any loss, which goes through the commits of a history one by one, over a store in memory.
type reference struct {
	plan  *pipeline.Plan
	task  *task
	store *backingtest.Store
	done  int
	was   map[string]moment // by position
}

// moment is what a state must be.
type moment struct {
	state string
	cut   *state.Cut
}

func newReference(plan *pipeline.Plan) (*reference, error) {
	r := &reference{plan: plan, store: backingtest.New(), was: map[string]moment{}}
	var err error
	r.task, err = newTask(plan, r.store, 0, nil)
	return r, err
}

// follow goes to the last commit of a history, of which the first ones are those that were followed before. It gives out
// exactly what was committed, or says what differs.
func (r *reference) follow(h *history) error {
	for ; r.done < len(h.commits); r.done++ {
		c := &h.commits[r.done]
		for _, s := range c.steps {
			if err := r.step(h, s); err != nil {
				return err
			}
		}
		if err := r.task.ready(); err != nil {
			return err
		}
		if !slices.Equal(r.task.out, c.out) || !slices.EqualFunc(events(r.task.letters), events(c.letters), slices.Equal) {
			return fmt.Errorf("commit %d gave out\n%q and %d letters, without a loss it gives\n%q and %d", r.done, c.out, len(c.letters), r.task.out, len(r.task.letters))
		}
		r.task.out, r.task.letters = nil, nil
		if err := r.keep(); err != nil {
			return err
		}
	}
	return nil
}

// events are the letters that carry one. When a watermark is sent is no part of the state: a task that has come back sends it once
// more, and the next one later.
func events(letters [][]byte) (out [][]byte) {
	for _, l := range letters {
		if l[1] != marker {
			out = append(out, l)
		}
	}
	return out
}

// marker is the second byte of a letter that carries a watermark only (stream/flow/FORMAT.md).
const marker = 1

func (r *reference) step(h *history, s step) error {
	if s.decision != nil {
		r.task.seq++
		return r.task.obey(*s.decision)
	}
	return r.task.take(s.input, h.logs[s.input][r.task.next[s.input]])
}

// keep writes the state, and remembers it under its position.
func (r *reference) keep() error {
	cut, err := r.task.cut()
	if err != nil {
		return err
	}
	var batch backingtest.Batch
	if err := r.task.flow.Write(&batch); err != nil {
		return err
	}
	r.store.Apply(&batch)
	r.was[fmt.Sprint(cut.Position())] = moment{r.store.String(), cut}
	return nil
}

// at is what the state must be at a cut: that of a commit, or one in the midst of a replay. Those of the latter name the
// decisions of the state where the replay began; a decision right at an offset may be in them.
func (r *reference) at(h *history, cut *state.Cut) ([]moment, error) {
	if m, ok := r.was[fmt.Sprint(cut.Position())]; ok {
		return []moment{m}, nil
	}
	var all []moment
	for _, inclusive := range []bool{false, true} {
		fresh, err := newReference(r.plan)
		if err != nil {
			return nil, err
		}
		for i := range flow.Inputs(r.plan) {
			if err := fresh.upTo(h, i, cut.Sources[i].Next, inclusive); err != nil {
				return nil, err
			}
		}
		fresh.task.seq = cut.Journal
		if err := fresh.task.flow.Close(); err != nil {
			return nil, err
		}
		if err := fresh.keep(); err != nil {
			return nil, err
		}
		for _, m := range fresh.was {
			all = append(all, m)
		}
	}
	return all, nil
}

// upTo takes one input to an offset.
func (r *reference) upTo(h *history, input int, to int64, inclusive bool) error {
	for _, d := range h.decisions {
		if d.input != input || d.offset > to || d.offset == to && !inclusive {
			continue
		}
		if err := r.records(h, input, d.offset); err != nil {
			return err
		}
		if err := r.task.obey(d); err != nil {
			return err
		}
	}
	return r.records(h, input, to)
}

func (r *reference) records(h *history, input int, to int64) error {
	for r.task.next[input] < to {
		if err := r.task.take(input, h.logs[input][r.task.next[input]]); err != nil {
			return err
		}
	}
	return nil
}
