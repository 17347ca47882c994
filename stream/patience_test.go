package stream

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/tidemark-io/tidemark/stream/kafka"
)

// What each session is like that fails, 20 seconds apart, and for how long nothing has come of it after the last of them.
func TestPatience(t *testing.T) {
	broken, other := errors.New("made of other state"), errors.New("no room on the disk")
	const commits, poll, rest = "commits", "polls", "nothing to commit"
	for _, c := range []struct {
		name   string
		each   []string // what a session does before it fails
		fails  func(i int) error
		lasted time.Duration
		pause  time.Duration
	}{
		{name: "nothing is ever committed", fails: func(int) error { return broken }, lasted: 200 * time.Second, pause: lastPause},
		{name: "commits in between, of no step", each: []string{commits}, fails: func(int) error { return broken }, lasted: 20 * time.Second, pause: firstPause},
		{name: "idle turns in between, of no step", each: []string{rest}, fails: func(int) error { return broken }, lasted: 20 * time.Second, pause: lastPause},
		{name: "a checkpoint that always fails, though all is committed", each: []string{commits},
			fails: func(int) error { return blame("checkpoint of task 1", broken) }, lasted: 180 * time.Second, pause: lastPause},
		{name: "the same with a quiet turn", each: []string{rest},
			fails: func(int) error { return blame("checkpoint of task 1", broken) }, lasted: 180 * time.Second, pause: lastPause},
		{name: "a step within a step", each: []string{commits, poll},
			fails:  func(int) error { return blame(stepPoll, fmt.Errorf("poll: %w", blame("start of task 1", broken))) },
			lasted: 180 * time.Second, pause: lastPause},
		{name: "two tasks in turn", each: []string{commits},
			fails: func(i int) error { return blame(stepOf("landing", int32(i%2)), other) }, lasted: 160 * time.Second, pause: 800 * time.Millisecond},
		{name: "the step succeeds in between", each: []string{commits, poll}, fails: func(int) error { return blame(stepPoll, broken) },
			lasted: 20 * time.Second, pause: firstPause},
		{name: "Kafka takes the partitions away, and back", each: []string{commits},
			fails: func(int) error { return blame(stepPoll, fmt.Errorf("%w: revoked", kafka.ErrFenced)) }, lasted: 20 * time.Second, pause: firstPause},
		{name: "Kafka is slow", each: []string{commits},
			fails: func(int) error { return blame(stepLook, fmt.Errorf("offsets: %w", context.DeadlineExceeded)) }, lasted: 20 * time.Second, pause: firstPause},
		{name: "the bucket is away", fails: func(int) error { return blame("checkpoint of task 1", &BucketError{Op: "put", Err: other}) }, pause: lastPause},
	} {
		t.Run(c.name, func(t *testing.T) {
			var p patience
			now := time.UnixMilli(1_357_700_000_000)
			p.begin(now)
			var lasted, pause time.Duration
			for i := range 10 {
				for _, did := range c.each {
					switch did {
					case commits:
						p.committed(now)
					case poll:
						p.succeeded(stepPoll)
					case rest:
						p.quiet(now)
					}
				}
				now = now.Add(20 * time.Second)
				lasted, pause = p.failed(c.fails(i), now)
			}
			if lasted != c.lasted || pause != c.pause {
				t.Errorf("lasted %s, next try after %s; it should be %s and %s", lasted, pause, c.lasted, c.pause)
			}
		})
	}
}

// Failures of one step with hours of health between them are no reason to end, though the step was not needed meanwhile.
func TestPatienceWithRareFaults(t *testing.T) {
	var p patience
	now := time.UnixMilli(1_357_700_000_000)
	p.begin(now)
	for range faultTimes - 1 {
		now = now.Add(5 * time.Hour)
		p.committed(now)
		if lasted, _ := p.failed(blame("landing of task 0", errors.New("a fault")), now); lasted != 0 {
			t.Errorf("lasted %s", lasted)
		}
	}
}
