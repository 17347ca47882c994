package main

import (
	"context"
	"errors"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidemark-io/tidemark/cmd/internal/progress"
	"github.com/tidemark-io/tidemark/reconcile"
)

func (a *app) reconcileCommand() *cobra.Command {
	return group("reconcile", "Correct what came late or twice: plan, apply, run",
		a.reconcilePlanCommand(), a.reconcileApplyCommand(), a.reconcileRunCommand())
}

// rangeFlags choose which units are looked at.
type rangeFlags struct {
	all          bool
	since, until string
}

func (r *rangeFlags) add(c *cobra.Command) {
	c.Flags().BoolVar(&r.all, "all", false, "also units that have not settled, or lie beyond lookback")
	c.Flags().StringVar(&r.since, "since", "", "only units from this hour on, as in 2013-01-09T14:00Z")
	c.Flags().StringVar(&r.until, "until", "", "only units before this hour")
}

func (r *rangeFlags) times() (since, until time.Time, err error) {
	if since, err = parseTime("--since", r.since); err != nil {
		return since, until, err
	}
	until, err = parseTime("--until", r.until)
	return since, until, err
}

// parseTime reads a time as people write it: RFC 3339, also without seconds. "" is no time.
func parseTime(flag, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04Z07:00", "2006-01-02"} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UTC(), nil
		}
	}
	return time.Time{}, usagef("%s %s: write a time as in 2013-01-09T14:00Z", flag, text)
}

// reconciler opens the pipeline and makes its reconciler; the returned function must be called with the command's error.
func (a *app) reconciler(ctx context.Context, bars *bars) (*reconcile.Reconciler, *opened, error) {
	o, err := a.open(ctx)
	if err != nil {
		return nil, nil, err
	}
	r, err := a.newReconciler(o, bars)
	if err != nil {
		return nil, nil, o.close(err)
	}
	return r, o, nil
}

func (a *app) newReconciler(o *opened, bars *bars) (*reconcile.Reconciler, error) {
	b := thisBuild()
	return reconcile.New(reconcile.Options{
		Plan: o.plan, Kafka: o.kafka, Bucket: o.bucket, Now: a.now, Log: a.log,
		Binary: strings.TrimSuffix(b.Version+"+"+b.Revision, "+"), CPU: cpuTime, Progress: bars.show,
	})
}

// bars shows the phases of a reconciliation, one bar each.
type bars struct {
	a     *app
	phase string
	bar   *progress.Bar
}

func (b *bars) show(p reconcile.Progress) {
	if p.Phase != b.phase {
		b.end()
		b.phase, b.bar = p.Phase, b.a.progress("reconcile "+p.Phase+" (units)", int64(p.Total))
	}
	b.bar.Set(int64(p.Done))
}

func (b *bars) end() {
	if b.bar != nil {
		b.bar.End()
		b.bar, b.phase = nil, ""
	}
}

// reconciled gives the errors of a reconciliation the exit codes that schedulers rely on.
func reconciled(err error) error {
	var held *reconcile.HeldError
	var stale *reconcile.StaleError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &held):
		return &codeError{exitHeld, err}
	case errors.As(err, &stale):
		return &codeError{exitDiffers, err}
	case errors.Is(err, reconcile.ErrTryAgain):
		return &codeError{exitTryAgain, err}
	case errors.Is(err, reconcile.ErrNoPlan):
		return &codeError{exitUsage, err}
	}
	return err
}

// printReport is what apply and run print.
func printReport(p *printer, r *reconcile.Report) {
	p.line("reconcile apply: published %s, certified %s, %.1f CPU-s",
		plural(r.Published, "correction", "corrections"), plural(r.Certified, "unit", "units"), r.Cost.CPUSeconds)
	if r.Retracted > 0 {
		p.line("  %s of them retract a window", count(r.Retracted))
	}
	if r.Waiting > 0 {
		p.line("  %s not due yet: tidemark status says what they wait for", plural(r.Waiting, "unit is", "units are"))
	}
	if r.ByOthers > 0 {
		p.line("  %s done by another worker meanwhile", plural(r.ByOthers, "unit was", "units were"))
	}
	if r.Conflict > 0 {
		p.line("  %s: the same id with other values, which all count", plural(r.Conflict, "conflict", "conflicts"))
	}
	printGivenUp(p, r.GivenUp, "certified")
	printDamaged(p, r.Damaged)
	for _, s := range r.Stale {
		p.line("  stale: %s %s: %s", s.Output, s.Partition, s.Why)
	}
}

// valueText is a number of a result as people read it.
func valueText(n reconcile.Number) string {
	if i, ok := n.Int(); ok {
		return count(i)
	}
	if f, ok := n.Float(); ok {
		return floatText(f)
	}
	if n.IsNull() {
		return "none"
	}
	return n.String()
}

// floatText has two decimals where these say enough, and is exact for the very small and the very large.
func floatText(f float64) string {
	if size := math.Abs(f); size == 0 || size >= 0.01 && size < 1e15 {
		return strconv.FormatFloat(f, 'f', 2, 64)
	}
	return strconv.FormatFloat(f, 'g', -1, 64)
}

// changeTexts are a value before and after. A change that two decimals would hide is shown with all of them.
func changeTexts(before, after reconcile.Number) (from, to string) {
	from, to = valueText(before), valueText(after)
	if from == to && before.String() != after.String() {
		return before.String(), after.String()
	}
	return from, to
}
