package sim

import (
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// act is a part of a struck life, in which requests are counted from one.
type act uint8

const (
	running    act = iota // the log grows; a stop ends it
	ending                // the run to the end
	correcting            // reconcile
	acts
)

// moment is when a cell strikes: at the first, the middle or the last request of its key in an act.
type moment struct {
	act  act
	part int // 0, 1, 2
}

var (
	moments      = []moment{{running, 0}, {running, 1}, {running, 2}, {ending, 0}, {ending, 2}, {correcting, 0}, {correcting, 2}}
	deniedAt     = []moment{{running, 0}, {running, 1}, {correcting, 0}}
	momentsNamed = [...]string{"first", "a middle", "last"}
)

func (m moment) String() string {
	return momentsNamed[m.part] + " while " + [...]string{"running", "ending", "correcting"}[m.act]
}

// cell is one request and what becomes of it.
type cell struct {
	key    kmsg.Key
	env    environment
	fate   fate
	answer *kerr.Error // with wrongAnswer or pass
	part   bool        // of one partition only
	top    bool        // of the request as a whole
	lasts  bool        // until the cause is removed
	moment moment
}

func (c *cell) String() string {
	what := map[fate]string{loseRequest: "lost before the broker", loseAnswer: "lost after it", lateRequest: "arrives after its timeout", lateAnswer: "answered after its timeout"}[c.fate]
	switch {
	case c.lasts:
		what = "denied from then on: " + c.answer.Message
	case c.fate == wrongAnswer:
		what = "done, and answered " + c.answer.Message
	case c.part:
		what = "answered of one partition " + c.answer.Message
	case c.answer != nil:
		what = "answered " + c.answer.Message
	}
	return fmt.Sprintf("the %s %s, %s", c.moment, c.key.Name(), what)
}

// cells are all of them.
func cells() []*cell {
	var all []*cell
	add := func(r *row, when []moment, c cell) {
		for _, m := range when {
			one := c
			one.key, one.env, one.moment = r.key, r.env, m
			all = append(all, &one)
		}
	}
	for i := range table {
		r := &table[i]
		for _, f := range []fate{loseRequest, loseAnswer, lateRequest, lateAnswer} {
			add(r, moments, cell{fate: f})
		}
		for _, e := range r.answers {
			add(r, moments, cell{answer: e})
		}
		for _, e := range r.parts {
			add(r, moments, cell{answer: e, part: true})
		}
		for _, e := range r.top {
			add(r, moments, cell{answer: e, top: true})
		}
		for _, e := range r.done {
			add(r, moments, cell{answer: e, fate: wrongAnswer})
		}
		for _, e := range r.denied {
			add(r, deniedAt, cell{answer: e, lasts: true})
		}
	}
	return all
}

// late is past the timeout of whoever waits.
func (c *cell) late() time.Duration {
	switch {
	case c.fate != lateRequest && c.fate != lateAnswer:
		return 0
	case c.key == kmsg.JoinGroup || c.key == kmsg.SyncGroup:
		return 75 * time.Second // the client gives a rebalance a minute
	case c.key == kmsg.CreateTopics:
		return 45 * time.Second
	}
	return 25 * time.Second
}

// faults are what the broker needs to know of the cell.
func (c *cell) faults(s *strike) []kfake.Fault {
	if c.answer == nil || c.fate == wrongAnswer {
		return nil
	}
	f := kfake.Fault{Keys: []kmsg.Key{c.key}, Err: c.answer, Count: -1, When: s.answers, TopLevel: c.top}
	if c.part {
		f.Partitions = []int32{0}
	}
	if c.lasts {
		f.Keys = rights[c.answer]
	}
	return []kfake.Fault{f}
}
