package sim

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tidemark-io/tidemark/stream/streamtest/trial"
)

// TestMatrix is each type of request that the program sends x {lost before the broker, lost after it, delayed past its timeout, each
// error that fits it}: one thing goes wrong in a whole life, in virtual time, and the life is judged as the others are (invariant
// 1). It meets each request once a seed, at a moment that goes round: one seed by default, TIDEMARK_N from TIDEMARK_SEED on. With
// TIDEMARK_MOMENTS=all every moment of each is tried.
func TestMatrix(t *testing.T) {
	if os.Getenv("TIDEMARK_SIM_FROM") != "" {
		return // a child
	}
	began := time.Now()
	c := &campaign{t: t, bin: build(t), sum: map[string]int64{}, children: "TestCells", again: "TIDEMARK_CELL=%d go test -run TestMatrix ./stream/streamtest/sim"}
	size := uint64(len(cells()))
	n, given := number(t, "TIDEMARK_N")
	seed, seeded := number(t, "TIDEMARK_SEED")
	if !seeded {
		seed = 1
	}
	one, alone := number(t, "TIDEMARK_CELL")
	if !given {
		n = 1
	}
	if alone {
		c.env = []string{"TIDEMARK_MOMENTS=all"}
		c.run(one, 1)
		n = 0
	}
	limit, note := longest(t), fmt.Sprintf("%d seeds", n)
	for s := seed; s < seed+n; s++ {
		for at := s * size; at < (s+1)*size && (limit == 0 || time.Since(began) < limit); at += portion {
			c.run(at, min(portion, (s+1)*size-at))
		}
		t.Logf("seed %d: %d cells, %d failed, %s", s, c.sum["cells"], len(c.bad), time.Since(began).Round(time.Second))
		if limit > 0 && time.Since(began) > limit {
			note = fmt.Sprintf("stopped by TIDEMARK_FOR within seed %d", s)
			break
		}
	}
	c.env = []string{"TIDEMARK_MOMENTS=all"}
	c.report()
	if c.sum["cells"] == 0 {
		t.Error("no cell was run")
	}
	trial.Record(t, trial.Result{
		Campaign: "each request type x {lost, late, each error}", N: int(c.sum["cells"]), Seed: seed, Failures: len(c.bad), Counts: c.sum,
		Broker: "kfake, in memory", Seconds: time.Since(began).Seconds(), Note: note,
	})
}

// portion is how many cells, most of them passed over, are one child's.
const portion = 700

// matrix is what a child knows of the lives in which nothing goes wrong.
type matrix struct {
	t      *testing.T
	orders *compiled
	wide   *shape
	counts map[string]*strike
	closed map[string]map[string]string // what the stream closes then
}

// TestCells is one chunk of cells: those that TestMatrix names.
func TestCells(t *testing.T) {
	from, err := strconv.ParseUint(os.Getenv("TIDEMARK_SIM_FROM"), 10, 64)
	if err != nil {
		return // not the child of a campaign
	}
	n, err := strconv.ParseUint(os.Getenv("TIDEMARK_SIM_N"), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	m := &matrix{t: t, counts: map[string]*strike{}, closed: map[string]map[string]string{}}
	if m.orders, err = compileOrders(t); err != nil {
		t.Fatal(err)
	}
	for _, s := range compileShapes(t) {
		if s.plan.Rekeyed {
			m.wide = s
		}
	}
	all := cells()
	if os.Getenv("TIDEMARK_MOMENTS") != "all" {
		all = m.round(all, from/uint64(len(all)))
	}
	for item := from; item < from+n; item++ {
		if at := item % uint64(len(all)); all[at] != nil {
			m.run(item, item/uint64(len(all)), all[at])
		}
	}
}

// environment is where a cell is tried: what the newest brokers have done is tried on an older one, too.
func (c *cell) environment(seed uint64) environment {
	if c.env == today && seed%3 == 2 && c.moment.part != 1 {
		return before4
	}
	return c.env
}

// quiet is the life of a seed in which nothing goes wrong.
func (m *matrix) quiet(seed uint64, env environment) *strike {
	name := fmt.Sprint(seed, env)
	if s := m.counts[name]; s != nil {
		return s
	}
	s := newStrike(nil, 0)
	m.counts[name] = s
	l := m.life(seed, env, s)
	m.closed[name] = l.closed
	if len(l.faults) > 0 {
		l.keep(m.t)
		m.t.Fatalf("seed %d, nothing happens: %v", seed, l.faults)
	}
	var known []int16
	for i := range table {
		known = append(known, int16(table[i].key))
	}
	for _, seen := range s.seen {
		for key := range seen {
			if !slices.Contains(known, key) {
				m.t.Fatalf("the program sends %s, which has no row in the table", kmsg.NameForKey(key))
			}
		}
	}
	return s
}

func (m *matrix) life(seed uint64, env environment, s *strike) *life {
	l := struckLife(seed, env, s, m.orders, m.wide)
	synctest.Test(m.t, func(*testing.T) {
		if err := l.struck(env); err != nil {
			l.fail("the simulation itself: %v", err)
		}
	})
	return l
}

// run tries a cell. If its act has fewer such requests than when nothing happens, the last there are.
func (m *matrix) run(item, seed uint64, c *cell) {
	env := c.environment(seed)
	n := m.quiet(seed, env).counted(c)
	if n == 0 {
		return
	}
	fmt.Printf("seed %d\n", item)
	began := time.Now()
	at := [...]int{1, 1 + n/2, n}[c.moment.part]
	var l *life
	tally := map[string]int{"cells": 1}
	for range 4 {
		l = m.life(seed, env, newStrike(c, min(at, n)))
		if !l.strike.happened().IsZero() || len(l.faults) > 0 {
			break
		}
		at, n = max(1, min(at, l.strike.counted(c))-1), max(1, n-1)
	}
	if len(l.faults) == 0 && env != rekeyed { // behind a repartition topic the order is the forwarders'
		l.same(m.closed[fmt.Sprint(seed, env)])
	}
	maps.Copy(tally, l.tally)
	tally["requests"] = l.weather.requests
	if l.strike.happened().IsZero() {
		tally["not met"]++
		tally["not met: "+c.String()]++
	}
	for _, f := range l.faults {
		fmt.Printf("fault %d %q\n", item, c.String()+": "+f)
	}
	if len(l.faults) > 0 {
		l.seed = item
		l.keep(m.t)
	}
	if limit := os.Getenv("TIDEMARK_MATRIX_SLOW"); limit != "" {
		fmt.Fprintf(os.Stderr, "%s %s\n", time.Since(began).Round(time.Millisecond), c)
	}
	text, err := json.Marshal(tally)
	if err != nil {
		m.t.Fatal(err)
	}
	fmt.Printf("done %d %s\n", item, text)
}

// round keeps one moment of each request and fault: they go round. A moment at which no such request is sent is passed over.
func (m *matrix) round(all []*cell, seed uint64) []*cell {
	kept, turn := make([]*cell, len(all)), int(seed)
	for i := 0; i < len(all); {
		var group []int
		what := func(c *cell) string { w := *c; w.moment = moment{}; return strings.Clone(w.String()) }
		for j := i; j < len(all) && what(all[j]) == what(all[i]); j++ {
			if m.quiet(seed, all[j].environment(seed)).counted(all[j]) > 0 {
				group = append(group, j)
			}
			i = j
		}
		i++
		if len(group) > 0 {
			at := group[turn%len(group)]
			kept[at] = all[at]
			turn++
		}
	}
	return kept
}
