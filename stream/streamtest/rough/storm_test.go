package rough_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/tidemark-io/tidemark/stream/streamtest/trial"
)

// The timeouts of the worlds in which processes come and go.
const (
	stormSession     = 6 * time.Second
	stormTransaction = 5 * time.Second
	stormMost        = 6 // processes
)

// storm is a world in which processes come and go.
type storm struct {
	*world
	draw   *rand.Rand
	here   map[string]*process
	counts map[string]int64
}

// TestRebalanceStorm lets one to six processes join and leave every one to five seconds: told to end, killed, or stopped
// for a while. No task is owned twice, nothing is lost or doubled, and the pipeline goes on all the while.
// TIDEMARK_SECONDS sets how long.
func TestRebalanceStorm(t *testing.T) {
	t.Parallel()
	seconds, seed := trial.EnvInt(t, "TIDEMARK_SECONDS", 30), uint64(trial.EnvInt(t, "TIDEMARK_SEED", 1))
	began := time.Now()
	s := &storm{draw: rand.New(rand.NewPCG(seed, 77)), here: map[string]*process{}, counts: map[string]int64{}}
	const perSecond = 120
	s.world = newWorld(t, scene{seed: seed, session: stormSession, transaction: stormTransaction, partitions: stormMost, events: perSecond * (seconds + 600)})
	s.begin(perSecond)
	for _, id := range []string{"a", "b", "c"} {
		s.here[id] = s.start(id)
	}
	s.allMove()
	from, before := time.Now(), len(s.ledger.snapshot())
	for until := from.Add(time.Duration(seconds) * time.Second); time.Now().Before(until) && !t.Failed(); {
		s.act()
		rest(t.Context(), time.Second+time.Duration(s.draw.IntN(4000))*time.Millisecond)
	}
	during := s.ledger.snapshot()[before:]
	longest, at, moved := stall(during)
	s.counts["commits of tasks"], s.counts["stall max ms"], s.counts["tasks moved"] = int64(len(during)), longest.Milliseconds(), int64(moved)
	stalls(during, s.counts)
	t.Logf("the longest stall ended with %+v", at)
	actions := s.counts["joined"] + s.counts["told to end"] + s.counts["killed"] + s.counts["stopped"]
	if int64(len(during)) < actions || len(owners(during)) < stormMost {
		t.Errorf("%d commits of %d tasks in a storm of %d actions", len(during), len(owners(during)), actions)
	}
	for _, p := range s.here {
		p.cont()
	}
	for _, p := range s.here {
		p.term()
	}
	s.finish()
	record(t, "rebalance storm", int(actions), seed, began, func(yield func(map[string]int64)) { yield(s.counts) })
}

// act lets one process come or go.
func (s *storm) act() {
	s.TB.Helper()
	for id, p := range s.here {
		if p.ended() {
			s.TB.Errorf("%s ended by itself\n%s", id, p.tail())
			delete(s.here, id)
		}
	}
	id := string(rune('a' + s.draw.IntN(stormMost)))
	p := s.here[id]
	if p == nil {
		s.here[id] = s.start(id)
		s.counts["joined"]++
		return
	}
	if len(s.here) == 1 {
		return
	}
	switch s.draw.IntN(3) {
	case 0:
		delete(s.here, id)
		s.counts["told to end"]++
		p.term()
	case 1:
		delete(s.here, id)
		s.counts["killed"]++
		p.kill()
	case 2:
		s.counts["stopped"]++
		p.stop()
		rest(s.TB.Context(), time.Duration(100+s.draw.IntN(5000))*time.Millisecond)
		p.cont()
	}
}

// TestRollingRestart ends and starts three processes one after the other. Whoever takes a task over goes on where it was left:
// nothing is replayed.
func TestRollingRestart(t *testing.T) {
	t.Parallel()
	w := newWorld(t, scene{seed: 5, session: 20 * time.Second, transaction: stormTransaction, partitions: stormMost, events: 60_000})
	w.begin(100)
	here := map[string]*process{}
	for _, id := range []string{"a", "b", "c"} {
		here[id] = w.start(id)
	}
	w.await(told("all have tasks"), func() bool {
		own := map[int64]bool{}
		for _, e := range owners(w.ledger.snapshot()) {
			own[e.by.producer] = true
		}
		return len(own) == 3
	})
	rest(t.Context(), 2*time.Second)
	var longest time.Duration
	for _, id := range []string{"a", "b", "c"} {
		leaver, left := w.life(id).producer, []int32{}
		for task, e := range owners(w.ledger.snapshot()) {
			if e.by.producer == leaver {
				left = append(left, task)
			}
		}
		marks := map[string]int{}
		for other, p := range here {
			marks[other] = len(p.out.String())
		}
		here[id].term()
		longest = max(longest, w.allMove(here["a"], here["b"], here["c"]))
		for other, p := range here {
			for _, task := range left {
				if said := p.out.String()[marks[other]:]; other != id && strings.Contains(said, fmt.Sprintf("msg=replaying pipeline=orders task=%d ", task)) {
					t.Errorf("%s replays task %d, which %s has handed over\n%s", other, task, id, said)
				}
			}
		}
		here[id] = w.start(id)
		w.await(told(id+" has tasks again"), func() bool {
			for _, e := range owners(w.ledger.snapshot()) {
				if e.by.producer == leaver {
					return true
				}
			}
			return false
		})
	}
	t.Logf("until every task went on after a clean stop: %s at most", longest)
	for _, p := range here {
		p.term()
	}
	w.finish()
}
