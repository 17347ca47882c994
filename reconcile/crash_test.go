package reconcile

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tidemark-io/tidemark/lake/blob/blobtest"
)

// prepared is a rig with corrections due in several slots: a late event, a window that the stream never had, and conflicts.
func prepared(t *testing.T) *rig {
	g := newRig(t, setting{})
	first, second := lateOrders()
	g.send(first...)
	g.stream()
	g.send(second...)
	g.send(order{"20", "c", "05:10", "1", 1}, order{"21", "c", "09:00", "1", 1}, order{"22", "c", "05:20", "3", 1}, order{"23", "c", "11:59", "1", 1})
	g.stream()
	g.send(order{"24", "c", "07:30", "8", 8}) // its window never was in the stream
	g.stream()
	g.end()
	return g
}

// settled checks what must hold after a crash and another run, wherever it was: one correction for each changed window, no
// revision twice, an audit that is equal, and nothing left to do.
func (g *rig) settled(want []string) {
	g.t.Helper()
	var got []string
	for _, line := range g.revisions() {
		if strings.Contains(line, "RECONCILED") {
			got = append(got, line)
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		a, err := g.reconciler().Audit(g.ctx)
		g.t.Fatalf("corrections:\n%s\nwant:\n%s\nall:\n%s\naudit %+v %v", strings.Join(got, "\n"), strings.Join(want, "\n"), strings.Join(g.revisions(), "\n"), a, err)
	}
	g.certified()
	if rep := g.apply(); rep.Published != 0 || rep.Certified != 0 {
		g.t.Fatalf("one more run: %+v", rep)
	}
}

var preparedCorrections = []string{
	"b 09T09:00 rev 4 RECONCILED LATE [3 2 17 55 100] events 3 late 1 dup 1",
	"c 09T05:00 rev 3 RECONCILED LATE [2 0 2 2 3] events 2 late 2 dup 0",
	"c 09T07:00 rev 2 RECONCILED LATE [1 1 8 8 8] events 1 late 1 dup 0",
	"c 09T09:00 rev 2 RECONCILED LATE [1 0 1 1 1] events 1 late 1 dup 0",
}

// preparedUnits is how many units are due in a prepared rig.
const preparedUnits = 4

// A crash between any two steps is repaired by running again: exactly one correction each (invariant 6).
func TestCrashAtEveryStep(t *testing.T) {
	for _, small := range []bool{false, true} {
		limits := func(o *Options) {
			if small {
				o.Limits = Limits{TxnRecords: 1, ChunkUnits: 1, RowsHeld: 1}
			}
		}
		var steps []string
		prepared(t).apply(limits, func(o *Options) {
			o.Hooks.Step = func(s string) error { steps = append(steps, s); return nil }
		})
		for n := range steps {
			if small && n%4 != 0 { // more steps of the same kinds: a sample will do
				continue
			}
			t.Run(fmt.Sprintf("small=%v/%d-%s", small, n, steps[n]), func(t *testing.T) {
				g := prepared(t)
				calls := 0
				_, err := g.reconciler(limits, func(o *Options) {
					o.Hooks.Step = func(string) error {
						if calls++; calls == n+1 {
							return errCrash
						}
						return nil
					}
				}).Apply(g.ctx, ApplyOptions{})
				if !errors.Is(err, errCrash) {
					t.Fatalf("no crash: %v", err)
				}
				g.apply(limits)
				g.settled(preparedCorrections)
			})
		}
	}
}

var errCrash = errors.New("crash")

// The same, with the bucket failing for good from any one call on; the call's own answer may be lost after it was done.
func TestCrashAtEveryBucketCall(t *testing.T) {
	dry := prepared(t)
	faulty := blobtest.NewFaulty(dry.bucket)
	dry.apply(func(o *Options) { o.Bucket = faulty })
	trace := faulty.Trace()
	for n := 1; n <= len(trace); n++ {
		modes := []blobtest.Mode{blobtest.After}
		if !strings.HasPrefix(trace[n-1], "put") {
			if n%9 != 0 { // a failing read leaves nothing behind: a sample will do
				continue
			}
			modes = []blobtest.Mode{blobtest.Before}
		}
		for _, mode := range modes {
			t.Run(fmt.Sprintf("%d-%d", n, mode), func(t *testing.T) {
				g := prepared(t)
				faulty := blobtest.NewFaulty(g.bucket)
				faulty.CrashAt(n, mode)
				if _, err := g.reconciler(func(o *Options) { o.Bucket = faulty }).Apply(g.ctx, ApplyOptions{}); !errors.Is(err, blobtest.ErrInjected) {
					t.Fatalf("no crash at %s: %v", trace[n-1], err)
				}
				g.apply()
				g.settled(preparedCorrections)
			})
		}
	}
}
