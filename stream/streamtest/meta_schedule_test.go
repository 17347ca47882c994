package streamtest

import (
	"encoding/json"
	"fmt"

	"github.com/tidemark-io/tidemark/stream/flow"
	"github.com/tidemark-io/tidemark/stream/window"
)

// schedule runs a log through a Driver in one of the many ways that must come to the same: partitions interleaved, batches
// of any size, Close, Commit and Update anywhere, Crash and all that was not committed again.
type schedule struct {
	*rng
	d     *Driver
	c     *metaCase
	burst int
	wild  bool // crashes, updates, closes
}

// cutState is what must be the same in every schedule at a cut.
type cutState struct {
	state    [][]byte
	marks    []string
	counters []string
	bounds   []int64
	reports  []flow.Report
	rows     []Row // published so far, in the order in which they were
	open     []Row // by an Update at the cut
	sum      flow.Counters
	reached  [][]int64
}

func newSchedule(c *metaCase, n uint64) (*schedule, error) {
	r := newRng(c.seed, 100+n)
	memory := int64(0)
	if n > 0 { // so that state is evicted and read back
		memory = pickOf(r, int64(0), 1, 10_000, 100_000)
		if c.p.shape == shapeEnrich {
			memory *= 10 // the unsettled versions of a key have to fit
		}
	}
	d, err := newDriver(c.plan, c.p.width, memory)
	if err != nil {
		return nil, err
	}
	for s := range c.log.values {
		for p := range c.log.values[s] {
			for _, v := range c.log.values[s][p] {
				d.Append(s, int32(p), v)
			}
		}
	}
	return &schedule{rng: r, d: d, c: c, burst: pickOf(r, 1, 3, 10, 100), wild: n > 0}, nil
}

// run goes from cut to cut.
func (s *schedule) run() ([]*cutState, error) {
	var out []*cutState
	for n := range s.c.log.cuts {
		state, err := s.cut(n)
		if err != nil {
			return nil, fmt.Errorf("cut %d: %w", n, err)
		}
		out = append(out, state)
	}
	return out, nil
}

// waiting is the inputs that have records before a cut.
func (s *schedule) waiting(cut *metaCut) (out [][2]int) {
	for task := range s.d.Tasks() {
		for input := range s.d.Inputs() {
			if s.left(cut, task, input) > 0 {
				out = append(out, [2]int{int(task), input})
			}
		}
	}
	return out
}

// left is how many records of an input are left before a cut; of the repartition topic all that there are.
func (s *schedule) left(cut *metaCut, task int32, input int) int {
	pending := s.d.Pending(task, input)
	if input < len(cut.at) {
		pending -= len(s.c.log.values[input][task]) - cut.at[input][task]
	}
	return pending
}

// reach processes all that is before a cut, and commits.
func (s *schedule) reach(cut *metaCut) error {
	for {
		waiting := s.waiting(cut)
		if len(waiting) == 0 {
			for task := range s.d.Tasks() {
				if err := s.d.Commit(task); err != nil {
					return err
				}
			}
			if len(s.waiting(cut)) == 0 {
				return nil
			}
			continue
		}
		to := waiting[s.IntN(len(waiting))]
		task, input := int32(to[0]), to[1]
		for range min(1+s.IntN(s.burst), s.left(cut, task, input)) {
			if _, err := s.d.Process(task, input); err != nil {
				return err
			}
		}
		if err := s.between(task); err != nil {
			return err
		}
	}
}

// between is what happens between batches.
func (s *schedule) between(task int32) error {
	if !s.wild {
		return nil
	}
	switch s.IntN(12) {
	case 0:
		return s.d.Close(task)
	case 1, 2:
		return s.d.Commit(task)
	case 3:
		return s.d.Crash(task)
	case 4:
		if o := s.IntN(len(s.c.p.outputs)); s.c.p.outputs[o].updates {
			return s.d.Update(o, s.one(3))
		}
	}
	return nil
}

// cut reaches a cut, takes its decisions, and looks at what there is.
func (s *schedule) cut(n int) (*cutState, error) {
	cut := &s.c.log.cuts[n]
	if err := s.reach(cut); err != nil {
		return nil, err
	}
	if err := s.decide(cut); err != nil {
		return nil, err
	}
	if s.wild && s.one(3) { // a decision that a crash undid is taken again
		if err := s.d.Crash(s.Int32N(s.d.Tasks())); err != nil {
			return nil, err
		}
		if err := s.reach(cut); err != nil {
			return nil, err
		}
		if err := s.decide(cut); err != nil {
			return nil, err
		}
	}
	if err := s.reach(cut); err != nil {
		return nil, err
	}
	state, err := s.look()
	if err != nil {
		return nil, err
	}
	for o := range s.c.p.outputs {
		if s.c.p.outputs[o].updates {
			if err := s.update(o, state); err != nil {
				return nil, err
			}
		}
	}
	return state, nil
}

// update asks for what has changed in an output's open windows, and then for all of them. Where no crash has made a task
// forget what it has told, the first tells whatever the second does.
func (s *schedule) update(o int, state *cutState) error {
	if !s.wild {
		if err := s.d.Update(o, false); err != nil {
			return err
		}
	}
	before := len(s.d.Rows())
	if err := s.d.Update(o, true); err != nil {
		return err
	}
	all := s.d.Rows()[before:]
	state.open = append(state.open, all...)
	if s.wild {
		return nil
	}
	told := map[string]string{}
	name := func(r *Row) string { return fmt.Sprintf("%s %x %d", r.Output, r.Key, r.Start) }
	for i := range s.d.Rows()[:before] {
		told[name(&s.d.Rows()[i])] = rowTexts(s.d.Rows()[i : i+1])[0]
	}
	for i := range all {
		if text := rowTexts(all[i : i+1])[0]; told[name(&all[i])] != text {
			return fmt.Errorf("an update didn't tell: %s\nlast told: %s", text, told[name(&all[i])])
		}
	}
	return nil
}

func (s *schedule) decide(cut *metaCut) error {
	for _, r := range cut.raises {
		if err := s.d.Raise(r.partition, r.source, r.mark); err != nil {
			return err
		}
	}
	if !s.c.plan.Rekeyed {
		return nil
	}
	for task := range s.d.Tasks() { // so that the other half is told of all watermarks
		if err := s.d.Raise(task, 0, window.NoWatermark); err != nil {
			return err
		}
	}
	return nil
}

// look copies what must be the same.
func (s *schedule) look() (*cutState, error) {
	out := &cutState{reports: s.d.Reports(), rows: s.d.Rows(), sum: s.d.Counters()}
	for range s.c.p.sources {
		out.reached = append(out.reached, nil)
	}
	for id, t := range s.d.tasks {
		out.state = append(out.state, s.d.State(int32(id)))
		for i := range s.d.logs {
			mark, err := t.flow.EncodeMark(i)
			if err != nil {
				return nil, err
			}
			out.marks = append(out.marks, string(mark))
			if i < len(out.reached) {
				out.reached[i] = append(out.reached[i], t.flow.Reached(i))
			}
		}
		c := cloneCounters(t.flow.Counters())
		for i := range c.Outputs {
			c.Outputs[i].Updated = 0 // not a function of the cut
		}
		text, err := json.Marshal(&c)
		if err != nil {
			return nil, err
		}
		if !c.Balanced() {
			return nil, fmt.Errorf("task %d: the accounting doesn't balance: %s", id, text)
		}
		out.counters = append(out.counters, string(text))
		out.bounds = append(out.bounds, t.flow.Bound(window.TimeMax))
	}
	return out, nil
}
