package stream

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/tidemark-io/tidemark/stream/kafka"
)

// A session that ends in an error is built anew, and most errors pass. Those that don't end the process, after RetryFor, in one of
// two cases:
//
//   - there was no confirmed commit since, and no turn that had nothing to commit;
//   - one step of a session (the checkpoint of a task, the landing of its records) has failed again and again and never succeeded in
//     between, whatever was committed meanwhile.
//
// Outages of the bucket never end a process, and what may pass at Kafka only does in the first case.

// patience remembers what has failed in the sessions so far. Several tasks may report to it at a time.
type patience struct {
	mu     sync.Mutex
	good   time.Time // the last confirmed commit, or turn with nothing to commit
	row    int       // sessions that have ended since the last commit
	faults map[string]fault
}

// fault is a step that has not succeeded since it failed first.
type fault struct {
	since time.Time
	times int
}

// stepError says which step of a session has failed.
type stepError struct {
	step string
	err  error
}

func (e *stepError) Error() string { return e.err.Error() }

func (e *stepError) Unwrap() error { return e.err }

// tried says what became of a step; what it returns is err. Of steps within steps the innermost is to blame.
func (p *patience) tried(step string, err error) error {
	if err == nil {
		p.succeeded(step)
	}
	return blame(step, err)
}

func (p *patience) succeeded(step string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.faults, step)
}

// blame is tried for a step that hasn't succeeded yet if there is no error.
func blame(step string, err error) error {
	var inner *stepError
	if err == nil || errors.As(err, &inner) {
		return err
	}
	return &stepError{step: step, err: err}
}

// begin counts from now on.
func (p *patience) begin(now time.Time) { p.good, p.row, p.faults = now, 0, map[string]fault{} }

// quiet notes a turn that had nothing to commit.
func (p *patience) quiet(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.good = now
}

// committed notes a confirmed commit.
func (p *patience) committed(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.good, p.row = now, 0
}

// faultTimes is how often a step fails at least before it ends a process: two failures with hours between them may be two.
const faultTimes = 4

// failed counts the error that a session has ended with. It says for how long nothing has come of trying, and how long to
// wait before the next try.
func (p *patience) failed(err error, now time.Time) (lasted, pause time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.row++
	if isBucket(err) {
		p.good = now // an outage is waited for
		return 0, pauseAfter(p.row)
	}
	lasted = now.Sub(p.good)
	var at *stepError
	if kafka.Passes(err) || !errors.As(err, &at) {
		return lasted, pauseAfter(p.row)
	}
	f := p.faults[at.step]
	if f.times++; f.times == 1 {
		f.since = now
	}
	p.faults[at.step] = f
	if f.times >= faultTimes {
		lasted = max(lasted, now.Sub(f.since))
	}
	return lasted, pauseAfter(max(p.row, f.times))
}

const (
	firstPause = 50 * time.Millisecond
	lastPause  = 5 * time.Second
)

// pauseAfter doubles with each failure in a row.
func pauseAfter(times int) time.Duration {
	pause := firstPause
	for ; times > 1 && pause < lastPause; times-- {
		pause *= 2
	}
	return min(pause, lastPause)
}

// Steps that are of no task.
const (
	stepPoll    = "poll"
	stepCommit  = "commit"
	stepResults = "landing of results"
	stepLook    = "look at the sources"
	stepIdle    = "look for silent partitions"
	stepOrders  = "look for orders"
	stepEnd     = "the end"
)

// stepOf names what is done for one task.
func stepOf(what string, id int32) string { return fmt.Sprintf("%s of task %d", what, id) }
