package sim

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"testing/synctest"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestLives is one chunk of a campaign: the lives that TestSim names.
func TestLives(t *testing.T) {
	from, err := strconv.ParseUint(os.Getenv("TIDEMARK_SIM_FROM"), 10, 64)
	if err != nil {
		return // not the child of a campaign
	}
	n, err := strconv.ParseUint(os.Getenv("TIDEMARK_SIM_N"), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	orders, err := compileOrders(t)
	if err != nil {
		t.Fatal(err)
	}
	shapes := compileShapes(t)
	for seed := from; seed < from+n; seed++ {
		fmt.Printf("seed %d\n", seed)
		l := &life{seed: seed, rng: rand.New(rand.NewPCG(seed, 0x7164))}
		l.drawn = draw(l.rng)
		if l.large() {
			l.subject = shapes[l.rng.IntN(len(shapes))].subject(l.rng, l.drawn)
		} else {
			l.subject = orders.orders(l.rng, l.drawn)
		}
		synctest.Test(t, func(t *testing.T) {
			if err := l.live(); err != nil {
				l.fail("the simulation itself: %v", err)
			}
		})
		for f, n := range l.weather.met {
			l.tally[fateNames[f]] += n
		}
		for k, n := range l.weather.byKey {
			l.tally["key "+kmsg.NameForKey(k)] += n
		}
		l.tally["requests"], l.tally["commits"] = l.weather.requests, l.weather.commits
		l.tally["bucket faults"], l.tally["error answers"] = l.climate.met, l.mood.met
		tally, err := json.Marshal(l.tally)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range l.faults {
			fmt.Printf("fault %d %q\n", seed, f)
		}
		if len(l.faults) > 0 {
			l.keep(t)
		}
		fmt.Printf("done %d %s\n", seed, tally)
	}
}

// keep writes what the processes of a bad life said to a file, if there is a directory for it.
func (l *life) keep(t *testing.T) {
	dir := os.Getenv("TIDEMARK_SIM_LOGS")
	if dir == "" {
		return
	}
	if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.log", l.seed)), l.said.text.Bytes(), 0o644); err != nil {
		t.Error(err)
	}
}
