package reconcile

import (
	"slices"
	"strings"
	"testing"
)

// Some orders of two shops: b's third comes after its window has closed, one is sent twice, one twice and late.
func lateOrders() (first, second []order) {
	first = []order{
		{"1", "a", "09:05", "1.5", 1}, {"2", "b", "09:10", "10", 6}, {"3", "a", "09:40", "2.5", 7}, {"1", "a", "09:05", "1.5", 1},
		{"4", "b", "09:50", "", 2}, {"5", "a", "11:00", "4", 1}, {"6", "b", "11:30", "5", 1},
	}
	second = []order{{"7", "b", "09:55", "100", 9}, {"8", "b", "11:40", "7", 1}, {"2", "b", "09:10", "10", 6}}
	return first, second
}

// A late event reaches the window that had closed; a second run publishes and certifies nothing (invariant 5).
func TestApplyCorrectsOnce(t *testing.T) {
	g := newRig(t, setting{})
	first, second := lateOrders()
	g.send(first...)
	g.stream()
	g.send(second...)
	g.stream()
	g.end()

	plan, err := g.reconciler().Plan(g.ctx, PlanOptions{})
	g.must(err)
	if plan.Windows != (Windows{Checked: 4, Equal: 3, Changed: 1}) || plan.Causes["late"] != 1 {
		t.Fatalf("plan: %+v %v", plan.Windows, plan.Causes)
	}
	rep := g.apply()
	if rep.Published != 1 || rep.Certified != 2 || rep.PlanID != plan.ID {
		t.Fatalf("report: %+v", rep)
	}
	a := g.audit()
	if a.Windows != 4 || a.Equal != 4 || a.Units != 2 || len(a.Uncertified)+len(a.Behind) != 0 {
		t.Fatalf("audit: %+v", a)
	}
	want := "b 09T09:00 rev 4 RECONCILED LATE [3 2 17 55 100] events 3 late 1 dup 1"
	if got := g.revisions(); !slices.Contains(got, want) {
		t.Fatalf("no %q in:\n%s", want, strings.Join(got, "\n"))
	}
	rep = g.apply()
	if rep.Published != 0 || rep.Certified != 0 || rep.Clean != 2 {
		t.Fatalf("second run: %+v", rep)
	}
	if again := g.audit(); again.Root != a.Root {
		t.Fatalf("root %s, then %s", a.Root, again.Root)
	}
}
