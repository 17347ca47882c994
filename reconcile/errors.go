package reconcile

import (
	"errors"
	"fmt"
	"strings"
)

// ErrTryAgain says that nothing is wrong but the time: another worker has the fence, or another producer's
// transaction did not end. Running again later is safe and is all there is to do.
var ErrTryAgain = errors.New("try again")

// ErrNoPlan says that no plan of that id was ever made for this pipeline.
var ErrNoPlan = errors.New("no such plan")

// HeldError says that the guard holds: nothing was published or certified.
type HeldError struct {
	PlanID string
	Guard  Guard
}

// Error says which rule held and how to go on.
func (e *HeldError) Error() string {
	return fmt.Sprintf("guard holds plan %s: %s; look at it with `reconcile plan`, then `reconcile apply --approve %s --reason WHY`",
		e.PlanID, e.Guard.sentence(), e.PlanID)
}

// GuardError says that the guard refuses (`else: fail`).
type GuardError struct {
	PlanID string
	Guard  Guard
}

// Error says which rule refused.
func (e *GuardError) Error() string {
	return fmt.Sprintf("guard refuses plan %s: %s; `guard.else` is fail, so only `reconcile apply --approve %s --reason WHY` applies it",
		e.PlanID, e.Guard.sentence(), e.PlanID)
}

// StaleError names the units of an approved plan that have moved since. The others were applied.
type StaleError struct {
	PlanID string
	Units  []StaleUnit
}

// Error names the first few units.
func (e *StaleError) Error() string {
	const show = 3
	var names []string
	for i, u := range e.Units {
		if i == show {
			names = append(names, fmt.Sprintf("and %d more", len(e.Units)-show))
			break
		}
		names = append(names, u.Output+" "+u.Partition+" ("+u.Why+")")
	}
	return fmt.Sprintf("plan %s is stale for %d units: %s; they were left alone: make a new plan",
		e.PlanID, len(e.Units), strings.Join(names, ", "))
}

// sentence says why the guard decided as it did.
func (g Guard) sentence() string {
	s := fmt.Sprintf("%s is %.4g, its limit %.4g", g.Rule, g.Actual, g.Limit)
	if g.Note != "" {
		s += " (" + g.Note + ")"
	}
	return s
}
