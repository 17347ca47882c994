package rough_test

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tidemark-io/tidemark/crashpoint"
	"github.com/tidemark-io/tidemark/stream/streamtest/trial"
)

// zombies is one world in which two processes take turns at being stopped for longer than the group and the broker
// wait, while the other goes on, and being woken.
type zombies struct {
	*world
	draw   *rand.Rand
	points []string
	here   map[string]*process
	counts map[string]int64
	took   time.Duration // until the other had all tasks, the longest
	sleep  time.Duration // how long a process is stopped, at least
}

// The session and transaction timeouts of the worlds with zombies. In every other world a zombie wakes before its transaction
// has timed out: there the group's generation alone is what keeps it from committing.
const (
	zombieSession = 6 * time.Second
	zombieShort   = 4 * time.Second
	zombieLong    = 25 * time.Second
)

// TestZombiesCommitNothing stops a process (SIGSTOP) in the midst of its work, at random moments and at named points of a
// commit, a landing and a checkpoint, until another has gone on with its tasks; then wakes it. It must come back as a
// member like any other, with nothing of what it was about to do done (laws L2, L5).
func TestZombiesCommitNothing(t *testing.T) {
	t.Parallel()
	n, seed := trial.EnvInt(t, "TIDEMARK_N", 1), uint64(trial.EnvInt(t, "TIDEMARK_SEED", 1))
	began := time.Now()
	worlds := min(n, trial.EnvInt(t, "TIDEMARK_WORLDS", 4))
	all := make([]*zombies, worlds)
	t.Run("worlds", func(t *testing.T) {
		for i := range all {
			t.Run(fmt.Sprintf("seed=%d-%d", seed, i), func(t *testing.T) {
				t.Parallel()
				rounds := n / worlds
				if i < n%worlds {
					rounds++
				}
				all[i] = newZombies(t, rand.New(rand.NewPCG(seed, uint64(i))), rounds, (i+int(seed))%2 == 0)
				for round := range rounds {
					all[i].round(round)
				}
				for _, p := range all[i].here {
					p.term()
				}
				all[i].finish()
			})
		}
	})
	record(t, zombieCampaign, n, seed, began, func(yield func(map[string]int64)) {
		for _, z := range all {
			if z != nil {
				z.counts["failover max ms"] = z.took.Milliseconds()
				yield(z.counts)
			}
		}
	})
}

func newZombies(t *testing.T, draw *rand.Rand, rounds int, long bool) *zombies {
	z := &zombies{draw: draw, here: map[string]*process{}, counts: map[string]int64{}, sleep: zombieSession + zombieShort + time.Second}
	transaction := zombieShort
	if long {
		z.sleep, transaction = zombieSession+time.Second, zombieLong
		z.counts["with a transaction alive"] = int64(rounds)
	}
	for _, p := range crashpoint.All {
		for _, area := range []string{"loop/", "commit/", "checkpoint/", "land/", "state/"} {
			if strings.HasPrefix(p.Name, area) {
				z.points = append(z.points, p.Name)
			}
		}
	}
	z.world = newWorld(t, scene{
		seed: draw.Uint64(), tags: []string{"crashpoints"}, session: zombieSession, transaction: transaction, events: 10_000 + 6_000*rounds,
	})
	z.begin(200)
	for _, id := range []string{"a", "b"} {
		z.here[id] = z.start(id)
	}
	return z
}

// round makes one process a zombie.
func (z *zombies) round(n int) {
	z.TB.Helper()
	victim, other := "a", "b"
	if n%2 == 1 {
		victim, other = other, victim
	}
	how := z.strike(victim)
	old := z.life(victim)
	stopped := time.Now()
	z.outlive(victim, other, stopped)
	rest(z.TB.Context(), time.Until(stopped.Add(z.sleep)))
	before, woken := z.ledger.snapshot(), time.Now()
	z.here[victim].cont()
	z.counts["zombies"]++
	z.returned(victim, old)
	between := z.betweenSessions(before, victim, old, stopped)
	if between {
		z.counts["stopped between two sessions"]++ // it had no tasks, and may well get some in the life that it has begun
	}
	for _, e := range z.ledger.snapshot() {
		switch {
		case between || e.by.producer != old.producer || e.by.epoch > old.epoch:
		case e.at.After(woken):
			z.counts["zombie commits"]++
			z.TB.Errorf("%s, stopped at %s, committed as a zombie: %+v", victim, how, e)
		case e.at.After(stopped.Add(-time.Second)) && e.by.epoch == old.epoch:
			z.counts["positions given before the stop"]++ // whose transaction others had to wait for, however it ended
		}
	}
	for _, err := range z.ledger.check() {
		z.TB.Error(err)
	}
	if z.TB.Failed() {
		z.TB.Fatalf("round %d: %s, stopped at %s\n--- %s\n%s\n--- %s\n%s", n, victim, how, victim, z.here[victim].tail(), other, z.here[other].tail())
	}
}

// strike stops a process, at a random moment or at a point, and says where.
func (z *zombies) strike(id string) string {
	z.TB.Helper()
	if z.draw.IntN(4) == 0 {
		z.shared()
		rest(z.TB.Context(), time.Duration(z.draw.IntN(1500))*time.Millisecond)
		z.here[id].stop()
		z.counts["at random"]++
		return "a random moment"
	}
	point := z.points[z.draw.IntN(len(z.points))]
	at := fmt.Sprintf("%s:%d:stop", point, 1+z.draw.IntN(12))
	z.shared()
	z.here[id].term()
	z.allMove(z.here[z.otherOf(id)])
	p := z.start(id, "TIDEMARK_CRASH="+at)
	z.here[id] = p
	met := func() bool { return strings.Contains(p.out.String(), "crashpoint "+point+" hit") }
	for until := time.Now().Add(30 * time.Second); !met() && time.Now().Before(until); {
		if p.ended() {
			z.TB.Fatalf("%s ended on its way to %s\n%s", id, at, p.tail())
		}
		rest(z.TB.Context(), 10*time.Millisecond)
	}
	if !met() { // it would come to it in a later round
		z.counts["point not met"]++
		p.term()
		z.here[id] = z.start(id)
		z.shared()
		z.here[id].stop()
		return "a moment after the start"
	}
	p.stop() // it says so just before
	area, _, _ := strings.Cut(point, "/")
	z.counts["at "+area]++
	return at
}

var sessionEnded = regexp.MustCompile(`(?m)^time=(\S+) .*msg="(?:session ended;|partitions revoked)`)

// betweenSessions says whether a process had no tasks when it was stopped: it had not committed since it was started, or since it
// had lost its session.
func (z *zombies) betweenSessions(before []entry, id string, old life, stopped time.Time) bool {
	z.TB.Helper()
	var last time.Time
	for _, e := range before {
		if e.by.producer == old.producer && e.at.Before(stopped) {
			last = e.at
		}
	}
	if last.Before(z.here[id].began) {
		return true
	}
	for _, m := range sessionEnded.FindAllStringSubmatch(z.here[id].out.String(), -1) {
		at, err := time.Parse(time.RFC3339, m[1])
		if err != nil {
			z.TB.Fatal(err)
		}
		if at.After(last) && at.Before(stopped) {
			return true
		}
	}
	return false
}

func (z *zombies) otherOf(id string) string {
	for other := range z.here {
		if other != id {
			return other
		}
	}
	return id
}

// shared waits until both processes have tasks.
func (z *zombies) shared() {
	z.TB.Helper()
	z.await(func() string {
		return fmt.Sprintf("both have tasks\n--- a\n%s\n--- b\n%s", z.here["a"].tail(), z.here["b"].tail())
	}, func() bool {
		own := map[int64]bool{}
		for _, e := range owners(z.ledger.snapshot()) {
			own[e.by.producer] = true
		}
		return len(own) == 2
	})
}

// outlive waits until the other has committed for every task since the victim was stopped. What it committed before may come to
// the ledger later: a transaction that is open hides what lies behind it.
func (z *zombies) outlive(victim, other string, stopped time.Time) {
	z.TB.Helper()
	producer := z.life(other).producer
	took := z.await(func() string {
		return fmt.Sprintf("%s goes on with the tasks of %s\n%s", other, victim, z.here[other].tail())
	}, func() bool {
		mine := map[int32]bool{}
		for _, e := range z.ledger.snapshot() {
			if e.by.producer == producer && e.at.After(stopped) {
				mine[e.task] = true
			}
		}
		return len(mine) == int(z.Set.Partitions)
	})
	z.took = max(z.took, took)
}

// returned waits until a woken process is a member again: it commits in another life.
func (z *zombies) returned(id string, old life) {
	z.TB.Helper()
	from := len(z.ledger.snapshot())
	z.await(func() string { return fmt.Sprintf("%s comes back\n%s", id, z.here[id].tail()) }, func() bool {
		if z.here[id].ended() {
			z.TB.Fatalf("%s ended when it was woken\n%s", id, z.here[id].tail())
		}
		z.here[id].cont() // its own stop at a point may come behind the one from here
		for _, e := range z.ledger.snapshot()[from:] {
			if e.by.producer == old.producer && e.by.epoch > old.epoch {
				return true
			}
		}
		return false
	})
}
