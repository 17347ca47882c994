package reconcile

import (
	"context"
	"errors"
	"fmt"
	"math/rand"
	"strings"
	"sync"
	"testing"

	"github.com/tidemark-io/tidemark/stream/curated"
	"github.com/tidemark-io/tidemark/stream/kafka"
)

// unique checks that no revision of a window was published twice (the shared model reconcile_fence counts these).
func (g *rig) unique() {
	g.t.Helper()
	seen := make(map[string]string)
	for _, line := range g.revisions() {
		f := strings.Fields(line)
		id := strings.Join(f[:4], " ")
		if other, ok := seen[id]; ok {
			g.t.Fatalf("revision published twice:\n%s\n%s", other, line)
		}
		seen[id] = line
	}
}

// more sends one more late event into a window that has been corrected before, and lands it.
func (g *rig) more(n int) {
	g.send(order{fmt.Sprintf("late-%d", n), "c", "05:30", "2", 1})
	g.stream()
}

// Another worker runs whole between any two steps of the first, with or without a late event landed before it: the fence, the
// number chosen behind it, and put-if-absent leave one correction for each change (invariant 4).
func TestOtherWorkerBetweenSteps(t *testing.T) {
	var steps []string
	prepared(t).apply(func(o *Options) { o.Hooks.Step = func(s string) error { steps = append(steps, s); return nil } })
	for n := range steps {
		for _, late := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d-%s-late=%v", n, steps[n], late), func(t *testing.T) {
				t.Parallel() // an open transaction of the first may hold up the other until it times out
				g := prepared(t)
				calls := 0
				var other *Report
				rep, err := g.reconciler(func(o *Options) {
					o.Hooks.Step = func(string) error {
						if calls++; calls == n+1 {
							if late {
								g.more(1)
							}
							other = g.apply()
						}
						return nil
					}
				}).Apply(g.ctx, ApplyOptions{})
				if err != nil && !errors.Is(err, ErrTryAgain) {
					t.Fatal(err)
				}
				if n := rep.Certified + other.Certified; !late && n != preparedUnits {
					t.Fatalf("%d and %d units certified of %d", rep.Certified, other.Certified, preparedUnits)
				}
				if late {
					g.apply()
					g.unique()
					g.audit()
					return
				}
				g.settled(preparedCorrections)
			})
		}
	}
}

// A late copy lands between planning and the fence: nothing would change, but the input is another one than was looked at, and a
// certificate must not name what it has not seen.
func TestLateCopyBehindTheFence(t *testing.T) {
	g := newRig(t, setting{})
	g.send(order{"1", "b", "09:10", "10", 6}, order{"2", "b", "11:30", "1", 1})
	g.stream()
	g.end()
	sent := false
	rep := g.apply(func(o *Options) {
		o.Hooks.Step = func(step string) error {
			if step == StepFenced && !sent {
				sent = true
				g.send(order{"1", "b", "09:10", "10", 6}, order{"2", "b", "11:30", "1", 1})
				g.stream()
			}
			return nil
		}
	})
	if rep.Published != 0 || rep.Certified != 2 {
		t.Fatalf("%+v", rep)
	}
	g.certified()
	if rep := g.apply(); rep.Clean != 2 {
		t.Fatalf("%+v", rep)
	}
}

// A worker that is fenced stops and says so: it does not fence back, and it certifies nothing more of that slot.
func TestFencedWorkerStops(t *testing.T) {
	g := prepared(t)
	fenced := false
	rep, err := g.reconciler(func(o *Options) {
		o.Hooks.Step = func(step string) error {
			if step != StepProduced || fenced {
				return nil
			}
			fenced = true
			for slot := 0; slot < slots; slot++ {
				p, err := kafka.NewTxnProducer(g.ctx, g.k, fmt.Sprintf("shop-reconcile-%d", slot))
				g.must(err)
				p.Close()
			}
			return nil
		}
	}).Apply(g.ctx, ApplyOptions{})
	if !errors.Is(err, ErrTryAgain) || rep.Certified == preparedUnits {
		t.Fatalf("%v, certified %d", err, rep.Certified)
	}
	g.apply()
	g.settled(preparedCorrections)
}

// openTransaction leaves a transaction of the stream open in the partition of a shop: another window, of no interest here.
func (g *rig) openTransaction(shop string) *kafka.TxnProducer {
	g.t.Helper()
	p, err := kafka.NewTxnProducer(g.ctx, g.k, "shop-stream")
	g.must(err)
	group, err := g.plan.Codecs[0].ParseKey(shop)
	g.must(err)
	g.runs++
	start := msOf("2014-01-01T00:00:00Z") + int64(g.runs)*hourMs
	rec := g.row(0, &curated.Row{Key: group, Start: start, End: start + hourMs, Revision: 2, Status: curated.Closed, Cause: curated.CauseClose, Events: 1})
	part := rec.Partition // the record is the producer's from here on
	before := g.ends(part)
	p.Produce(g.ctx, rec)
	for g.ends(part).High == before.High {
		g.must(pause(g.ctx, stablePoll))
	}
	return p
}

func (g *rig) ends(partition int32) kafka.Ends {
	g.t.Helper()
	all, err := g.admin.Offsets(g.ctx, "sales")
	g.must(err)
	return all[partition]
}

// A correction lies behind a transaction of the stream that is still open, above the last stable offset. Folding only up to that
// offset would publish the correction's revision again: the model finds it in one run of twenty. The reconciler compares up to
// the high watermark, and waits for it.
func TestOpenTransactionHidesNoCorrection(t *testing.T) {
	g := prepared(t)
	var open *kafka.TxnProducer
	crashing := func(step string) error {
		switch {
		case step == StepCompared && open == nil:
			open = g.openTransaction("c")
		case step == StepPublished:
			return errCrash
		}
		return nil
	}
	ran, waited := false, false
	five := ApplyOptions{Since: timeOf(msOf("05:00")), Until: timeOf(msOf("06:00"))} // one correction: with two, one of them visible would show that the plan has moved
	rep, err := g.reconciler(func(o *Options) {
		o.Progress = func(p Progress) {
			if ran || p.Phase != "plan" || p.Done != p.Total {
				return
			}
			ran = true // planned; now another worker publishes behind an open transaction, and dies
			_, err := g.reconciler(func(o *Options) { o.Hooks.Step = crashing }).Apply(g.ctx, five)
			if !errors.Is(err, errCrash) {
				t.Errorf("no crash: %v", err)
			}
		}
		o.Hooks.Step = func(step string) error {
			if step != StepSampled || open == nil {
				return nil
			}
			for p := int32(0); p < 3; p++ {
				if e := g.ends(p); e.LastStable < e.High {
					waited = true
				}
			}
			err := open.Commit(g.ctx)
			open.Close()
			open = nil
			return err
		}
	}).Apply(g.ctx, five)
	g.must(err)
	if !waited {
		t.Fatal("no transaction was open when the high watermark was sampled: the test shows nothing")
	}
	if rep.Published != 0 || rep.Certified != 1 { // the worker that died had published what is to be published
		t.Fatalf("published %d, certified %d", rep.Published, rep.Certified)
	}
	g.apply()
	g.unique()
	g.settled(preparedCorrections)
}

// A transaction that does not end in time is no failure: try again.
func TestTransactionThatStaysOpen(t *testing.T) {
	g := prepared(t)
	open := g.openTransaction("b")
	defer open.Close()
	_, err := g.reconciler(func(o *Options) { o.Limits.StableWait = 50e6 }).Plan(g.ctx, PlanOptions{})
	if !errors.Is(err, ErrTryAgain) || !strings.Contains(err.Error(), "open transaction") {
		t.Fatal(err)
	}
	g.must(open.Abort(g.ctx))
	g.apply()
	g.settled(preparedCorrections)
}

// certified checks that all of the day is certified and equal; the windows of openTransaction are not closed and don't count.
func (g *rig) certified() {
	g.t.Helper()
	a := g.audit()
	for _, u := range append(a.Behind, a.Uncertified...) {
		if !strings.HasPrefix(u.Partition, "dt=2014") {
			g.t.Fatalf("not certified: %+v", u)
		}
	}
	if a.Windows != a.Equal {
		g.t.Fatalf("audit: %+v", a)
	}
}

// Workers that start, crash and run again at random, while events come late and the stream's transactions open and end:
// the shared model on the real code.
func TestWorkersAtRandom(t *testing.T) {
	for seed := int64(1); seed <= 6; seed++ {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			t.Parallel()
			g := prepared(t)
			ctx, stop := context.WithCancel(g.ctx)
			var group sync.WaitGroup
			fail := make(chan error, 100)
			for w := int64(0); w < 3; w++ {
				rng := rand.New(rand.NewSource(seed*100 + w))
				r := g.reconciler(func(o *Options) {
					o.Hooks.Step = func(string) error {
						if rng.Intn(25) == 0 {
							return errCrash
						}
						return nil
					}
				})
				group.Go(func() {
					for ctx.Err() == nil {
						_, err := r.Apply(ctx, ApplyOptions{All: true})
						if err != nil && !errors.Is(err, errCrash) && !errors.Is(err, ErrTryAgain) && ctx.Err() == nil {
							fail <- err
							return
						}
					}
				})
			}
			rng := rand.New(rand.NewSource(seed))
			for n := 0; n < 6; n++ {
				if rng.Intn(2) == 0 {
					open := g.openTransaction([]string{"b", "c"}[rng.Intn(2)])
					if rng.Intn(2) == 0 {
						g.must(open.Commit(g.ctx))
					}
					open.Close()
				}
				g.more(n)
			}
			stop()
			group.Wait()
			close(fail)
			for err := range fail {
				t.Error(err)
			}
			open := g.openTransaction("b") // fences, and so ends, what was left open
			g.must(open.Abort(g.ctx))
			open.Close()
			g.apply()
			g.unique()
			g.certified()
		})
	}
}
