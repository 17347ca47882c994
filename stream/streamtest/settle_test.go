package streamtest_test

import (
	"testing"

	"github.com/tidemark-io/tidemark/reconcile"
)

// Settle is wall time since a unit was last touched: until then it waits, and says so; asked for all, it is due.
func TestSettleWaits(t *testing.T) {
	w := newWorld(t, fakeBroker(t), usual())
	w.edit("settle: 0s", "settle: 2h")
	w.produce(small(51).Log())
	w.stream()
	plan, err := w.reconciler().Plan(t.Context(), reconcile.PlanOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if plan.Due != 0 || plan.Waiting == 0 || len(plan.Units) == 0 || len(plan.Units[0].Waits) == 0 {
		t.Errorf("%d due, %d waiting: %+v", plan.Due, plan.Waiting, plan.Units)
	}
	if plan, err = w.reconciler().Plan(t.Context(), reconcile.PlanOptions{All: true}); err != nil {
		t.Fatal(err)
	}
	if plan.Due == 0 {
		t.Errorf("asked for all, %d due, %d waiting", plan.Due, plan.Waiting)
	}
}
