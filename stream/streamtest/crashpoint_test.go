package streamtest_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidemark-io/tidemark/crashpoint"
	"github.com/tidemark-io/tidemark/stream/streamtest/trial"
)

// names are all points and those that the reconciler passes, too, in the order in which they are best met: each kind of
// victim is first new, then streams, comes to an end, and is corrected.
func names(kind string) (all []string) {
	for _, p := range crashpoint.All {
		all = append(all, p.Name)
	}
	for name := range points {
		if pointOf(name) != name {
			all = append(all, name)
		}
	}
	all = slices.DeleteFunc(all, func(name string) bool {
		r, ok := routeOf(name)
		return !ok || r.only != "" && r.only != kind
	})
	rank := func(name string) int {
		r, _ := routeOf(name)
		switch {
		case r.fresh:
			return 0
		case &r.args[0] == &correct[0]:
			return 3
		case len(r.args) > 1:
			return 2
		}
		return 1
	}
	slices.SortStableFunc(all, func(a, b string) int { return rank(a) - rank(b) })
	return all
}

// Every point has a route, and every name in a table is a point.
func TestEveryPointHasARoute(t *testing.T) {
	known := map[string]bool{}
	for _, p := range crashpoint.All {
		known[p.Name] = true
		if _, ok := routeOf(p.Name); !ok {
			t.Errorf("no route leads to %s: give it one in route_test.go", p.Name)
		}
	}
	for name := range points {
		if !known[pointOf(name)] {
			t.Errorf("%s is a route to no point", name)
		}
	}
	for _, name := range again {
		if !known[name] {
			t.Errorf("%s is passed on the way back, and is no point", name)
		}
	}
}

// In a release there is nothing of the points (package crashpoint, invariant 1).
func TestReleasesHaveNoPoints(t *testing.T) {
	for _, c := range []struct {
		tags []string
		want bool
	}{{nil, false}, {[]string{"crashpoints"}, true}} {
		program, err := os.ReadFile(trial.Program(t, c.tags...))
		must(t, err)
		for _, text := range []string{"TIDEMARK_CRASH", "commit/state-applied", "reconcile/read-back"} {
			if bytes.Contains(program, []byte(text)) != c.want {
				t.Errorf("built with tags %v, the program holds %q: %v, want %v", c.tags, text, !c.want, c.want)
			}
		}
	}
}

// TestCrashAtEachPoint kills the real program, SIGKILL, once at each point, on a real broker, while events keep coming. The
// kinds of pipelines share the points among them. What is left is held against everything that is promised (laws L1 to L5).
func TestCrashAtEachPoint(t *testing.T) {
	began := time.Now()
	total := newTally()
	t.Cleanup(func() {
		for _, p := range crashpoint.All {
			if total.died[p.Name] == 0 {
				t.Errorf("nothing was killed at %s", p.Name)
			}
		}
		total.record(t, "kill -9 at each named point", 0, began)
	})
	for k, kind := range victims {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			v := newVictim(t, kind, 1, len(crashpoint.All))
			defer total.add(v)
			shared := 0
			for _, name := range names(kind) {
				r, _ := routeOf(name)
				if r.only == "" {
					if shared++; shared%len(victims) != k {
						continue // another kind's
					}
				}
				if err := v.kill(pointOf(name), r); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
			v.verdict()
			t.Logf("%d kills; a reader saw %d records meanwhile", v.kills(), v.seen.Stop())
		})
	}
}

// tally counts over victims.
type tally struct {
	sync.Mutex
	kills  int
	failed int
	died   map[string]int64
}

func newTally() *tally { return &tally{died: map[string]int64{}} }

func (a *tally) add(v *victim) {
	a.Lock()
	defer a.Unlock()
	for name, n := range v.died {
		a.died[name] += n
		a.kills += int(n)
	}
	if v.t.Failed() {
		a.failed++
	}
}

func (a *tally) record(t *testing.T, campaign string, seed uint64, began time.Time) {
	a.Lock()
	defer a.Unlock()
	t.Logf("%d kills at %d points; worlds that failed: %d", a.kills, len(a.died), a.failed)
	trial.Record(t, trial.Result{
		Campaign: campaign, N: a.kills, Seed: seed, Failures: a.failed, Counts: a.died, Broker: "Apache Kafka", Seconds: time.Since(began).Seconds(),
	})
}

// worldKills is how many kills one world goes through at most, and judgeEvery after how many it is judged.
const (
	worldKills = 80
	judgeEvery = 40
)

// TestCrashAtDrawnPoints kills the real program at drawn hits of drawn points, sometimes again on the way back, sometimes with
// its disk lost. TIDEMARK_CRASHES says how often, TIDEMARK_SEED what is drawn; without them the seeds in testdata are run,
// among them all that ever failed.
func TestCrashAtDrawnPoints(t *testing.T) {
	if kills := trial.EnvInt(t, "TIDEMARK_CRASHES", 0); kills > 0 {
		crashAtDrawnPoints(t, kills, uint64(trial.EnvInt(t, "TIDEMARK_SEED", 1)))
		return
	}
	seeds, err := os.ReadFile("testdata/crash-seeds.txt")
	must(t, err)
	for line := range strings.Lines(string(seeds)) {
		var kills int
		var seed uint64
		if _, err := fmt.Sscan(line, &kills, &seed); err != nil {
			t.Fatalf("testdata/crash-seeds.txt: %q: %v", line, err)
		}
		crashAtDrawnPoints(t, kills, seed)
	}
}

func crashAtDrawnPoints(t *testing.T, kills int, seed uint64) {
	t.Helper()
	t.Logf("kills %d, seed %d", kills, seed)
	began := time.Now()
	total := newTally()
	defer func() { total.record(t, "kill -9 at drawn hits of named points", seed, began) }()
	for i := 0; total.kills < kills && i < 10*kills; i++ {
		kind := victims[(i+int(seed))%len(victims)]
		t.Run(fmt.Sprintf("seed=%d/%s-%d", seed, kind, i), func(t *testing.T) {
			n := min(kills-total.kills, worldKills)
			v := newVictim(t, kind, seed+uint64(i), 2*n+8)
			defer total.add(v)
			v.campaign(rand.New(rand.NewPCG(seed, uint64(i))), n)
			t.Logf("%d kills: %v; a reader saw %d records meanwhile", v.kills(), v.died, v.seen.Stop())
		})
	}
}

// campaign kills n times, each time where it is drawn.
func (v *victim) campaign(draw *rand.Rand, n int) {
	all := names(v.kind)
	first := slices.DeleteFunc(slices.Clone(all), func(name string) bool { r, _ := routeOf(name); return !r.fresh })
	later := slices.DeleteFunc(slices.Clone(all), func(name string) bool { r, _ := routeOf(name); return r.fresh })
	pick, judged := first, 0
	for v.kills() < n && !v.t.Failed() {
		name := pick[draw.IntN(len(pick))]
		pick = later
		r, _ := routeOf(name)
		hit := 1
		if draw.IntN(2) == 0 {
			hit = drawn(draw, r.most)
		}
		at := fmt.Sprintf("%s:%d", pointOf(name), hit)
		if err := v.kill(at, r); err != nil && (hit == 1 || !isAlive(err)) {
			v.t.Errorf("%s: %v", at, err)
		}
		if draw.IntN(3) == 0 {
			v.killAgain(draw)
		}
		if v.kills()-judged >= judgeEvery {
			v.verdict()
			judged = v.kills()
		}
	}
	v.verdict()
}

// killAgain kills the program on its way back from a crash, at a point that it may or may not pass, or soon after.
func (v *victim) killAgain(draw *rand.Rand) {
	if draw.IntN(3) == 0 {
		v.lose()
	}
	at := fmt.Sprintf("%s,loop/polled:%d", again[draw.IntN(len(again))], 10+draw.IntN(30))
	if err := v.kill(at, route{args: run}); err != nil {
		v.t.Errorf("again, at %s: %v", at, err)
	}
}
