package reconcile

import (
	"context"
	"errors"
	"fmt"

	"github.com/tidemark-io/tidemark/stream/kafka"
)

// Plan computes what applying would change. It publishes and certifies nothing and fences nobody; a plan that would change
// something is kept in the bucket, so that it can be approved.
func (r *Reconciler) Plan(ctx context.Context, o PlanOptions) (p *Plan, err error) {
	err = r.connected("reconcile plan", func() error {
		s, err := r.survey(ctx, scope{all: o.All, since: o.Since, until: o.Until, top: o.Top})
		if err != nil {
			return err
		}
		p = s.plan
		return r.keepPlan(ctx, s)
	})
	if err != nil {
		return nil, err
	}
	return p, nil
}

// Apply plans and, unless the guard holds, publishes the corrections and certifies the units. Errors, besides failures:
// *HeldError, *GuardError, *StaleError (with what matched applied), *DamagedError (with all others applied), ErrTryAgain. The report is not nil whenever something was
// planned; after an error it tells what was done before.
func (r *Reconciler) Apply(ctx context.Context, o ApplyOptions) (*Report, error) {
	a := &application{mark: r.mark(), opt: o}
	a.report = &Report{
		APIVersion: APIVersion, Kind: "ReconcileReport", Pipeline: r.plan.Pipeline.Name, Fingerprint: r.plan.Fingerprint, Run: r.opt.Run,
	}
	err := r.connected("reconcile apply", func() error {
		if o.Approve != "" {
			return r.applyApproved(ctx, a)
		}
		return r.applyGuarded(ctx, a)
	})
	a.report.Cost = r.since(a.mark)
	if a.report.Plan == nil {
		return nil, err
	}
	return a.report, err
}

// application is one run of Apply.
type application struct {
	opt      ApplyOptions
	mark     costMark
	report   *Report
	approval *CertApproval
	moved    []movedUnit // units that were not as planned once fenced
	fenced   []int       // slots that another worker took over
	done     int         // units dealt with
	total    int
}

// movedUnit is a unit that is not as it was planned.
type movedUnit struct {
	key unitKey
	why string
	id  string // now, if known
}

// applyGuarded applies what the guard lets through. Units that moved meanwhile are planned and judged again.
func (r *Reconciler) applyGuarded(ctx context.Context, a *application) error {
	sc := scope{all: a.opt.All, since: a.opt.Since, until: a.opt.Until, top: a.opt.Top}
	for pass := 1; ; pass++ {
		s, err := r.survey(ctx, sc)
		if err != nil {
			return err
		}
		if err := r.keepPlan(ctx, s); err != nil {
			return err
		}
		a.take(s.plan, pass == 1)
		switch g := s.plan.Guard; g.Verdict {
		case "hold":
			return &HeldError{PlanID: s.plan.ID, Guard: g}
		case "fail":
			return &GuardError{PlanID: s.plan.ID, Guard: g}
		}
		if err := r.applyUnits(ctx, a, s.view, s.due); err != nil {
			return err
		}
		if len(a.moved) == 0 {
			return errors.Join(a.fencedError(), broken(a.report.Damaged))
		}
		if pass == r.opt.Limits.Passes {
			return fmt.Errorf("%d units moved while they were reconciled, %d times over, the first %s: %w",
				len(a.moved), pass, a.moved[0].why, ErrTryAgain)
		}
		sc.only = make(map[unitKey]bool)
		for _, m := range a.moved {
			sc.only[m.key] = true
		}
		a.moved = nil
	}
}

// applyApproved applies the units of a stored plan that are still as they were approved. Units whose results are right by
// now, as after a crash between publishing and certifying, need no approval.
func (r *Reconciler) applyApproved(ctx context.Context, a *application) error {
	doc, err := r.loadPlan(ctx, a.opt.Approve)
	if err != nil {
		return err
	}
	if doc.Fingerprint != r.plan.Fingerprint {
		return fmt.Errorf("plan %s was made for fingerprint %s, this pipeline file is %s: make a new plan", doc.ID, doc.Fingerprint, r.plan.Fingerprint)
	}
	wanted, err := doc.keys(r.certs.outputs)
	if err != nil {
		return err
	}
	sc := scope{all: true, only: make(map[unitKey]bool, len(wanted)), top: a.opt.Top}
	for k := range wanted {
		sc.only[k] = true
	}
	s, err := r.survey(ctx, sc)
	if err != nil {
		return err
	}
	a.take(s.plan, true)
	a.report.PlanID = doc.ID
	a.approval = &CertApproval{Plan: doc.ID, By: a.opt.By, Reason: a.opt.Reason}
	var work []*dueUnit
	for _, u := range s.due {
		if p := wanted[u.key]; u.id != p.ID && u.windows.differ() > 0 {
			a.moved = append(a.moved, movedUnit{u.key, whyMoved(u.digest != p.Digest), u.id})
			continue
		}
		work = append(work, u)
	}
	for i := range s.plan.Units {
		if u := &s.plan.Units[i]; u.State == UnitWaiting {
			a.report.Stale = append(a.report.Stale, StaleUnit{Output: u.Output, Partition: u.Partition, Why: "it waits: " + u.Waits[0]})
		}
	}
	if err := r.applyUnits(ctx, a, s.view, work); err != nil {
		return err
	}
	for _, m := range a.moved {
		a.report.Stale = append(a.report.Stale, StaleUnit{
			Output: r.certs.outputs[m.key.output], Partition: m.key.partition(), Why: m.why, Planned: wanted[m.key].ID, Now: m.id,
		})
	}
	if len(a.report.Stale) > 0 {
		return errors.Join(&StaleError{PlanID: doc.ID, Units: a.report.Stale}, broken(a.report.Damaged))
	}
	return errors.Join(a.fencedError(), broken(a.report.Damaged))
}

func whyMoved(input bool) string {
	if input {
		return "new raw files came"
	}
	return "what is published moved"
}

// take puts a pass's plan into the report.
func (a *application) take(p *Plan, first bool) {
	a.total += p.Due
	a.report.Damaged = append(a.report.Damaged, p.damagedUnits()...)
	if !first {
		return
	}
	a.report.Plan, a.report.PlanID = p, p.ID
	a.report.Guard, a.report.Waiting, a.report.Clean = p.Guard, p.Waiting, p.Clean
}

func (a *application) fencedError() error {
	if len(a.fenced) == 0 {
		return nil
	}
	return fmt.Errorf("another worker took over %d slots; what it has not finished is left to the next run: %w", len(a.fenced), ErrTryAgain)
}

// applyUnits works slot by slot. A slot that another worker fences is left to it: to fence it back would let two
// workers stop each other for ever.
func (r *Reconciler) applyUnits(ctx context.Context, a *application, v *view, units []*dueUnit) error {
	bySlot := make([][]*dueUnit, slots)
	for _, u := range units {
		s := slotOf(r.certs.outputs[u.key.output], u.key.hour)
		bySlot[s] = append(bySlot[s], u)
	}
	l := newLanders(r, v)
	defer l.close()
	for slot, work := range bySlot {
		if len(work) == 0 {
			continue
		}
		left, err := r.applySlot(ctx, a, l, slot, work)
		for attempt := 1; errors.Is(err, errUnsaid) && attempt < r.opt.Limits.Passes; attempt++ {
			r.opt.Log.Warn("a commit was confirmed and is not there; publishing again", "slot", slot, "err", err)
			work = work[len(work)-left:]
			left, err = r.applySlot(ctx, a, l, slot, work)
		}
		switch {
		case errors.Is(err, kafka.ErrFenced):
			r.opt.Log.Info("slot taken over by another worker", "slot", slot, "units", left)
			a.fenced = append(a.fenced, slot)
			a.report.ByOthers += left
		case err != nil:
			return err
		}
	}
	return nil
}

// slots is how many transactional ids a pipeline's corrections are spread over. It never changes: two workers must
// compute the same slot for a unit, or they would not fence each other.
const slots = 16

// slotOf is the slot of a unit.
func slotOf(output string, hour int64) int {
	x := newHasher("tidemark slot v1")
	x.text(output)
	x.int(hour)
	return int(x.sum()[0]) % slots
}
