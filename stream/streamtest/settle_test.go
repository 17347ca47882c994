package streamtest_test

import (
	"testing"

	"github.com/tidemark-io/tidemark/reconcile"
	"github.com/tidemark-io/tidemark/stream/streamtest/trial"
)

// Settle is wall time since a unit was last touched: until then it waits, and says so; asked for all, it is due.
func TestSettleWaits(t *testing.T) {
	w := newWorld(t, fakeBroker(t), trial.Usual())
	w.edit("settle: 0s", "settle: 2h")
	w.Produce(small(51).Log())
	w.Stream()
	plan, err := w.Reconciler().Plan(t.Context(), reconcile.PlanOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if plan.Due != 0 || plan.Waiting == 0 || len(plan.Units) == 0 || len(plan.Units[0].Waits) == 0 {
		t.Errorf("%d due, %d waiting: %+v", plan.Due, plan.Waiting, plan.Units)
	}
	if plan, err = w.Reconciler().Plan(t.Context(), reconcile.PlanOptions{All: true}); err != nil {
		t.Fatal(err)
	}
	if plan.Due == 0 {
		t.Errorf("asked for all, %d due, %d waiting", plan.Due, plan.Waiting)
	}
}
