package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidemark-io/tidemark/reconcile"
)

func (a *app) reconcilePlanCommand() *cobra.Command {
	var f rangeFlags
	var top int
	c := &cobra.Command{
		Use:   "plan -f FILE",
		Short: "Show what a reconciliation would change, and why; exit 3 when there is something",
		Args:  cobra.NoArgs,
	}
	f.add(c)
	c.Flags().IntVar(&top, "top", 20, "how many of the largest changes are shown")
	c.RunE = a.command(func(ctx context.Context, _ []string) error {
		since, until, err := f.times()
		if err != nil {
			return err
		}
		bars := &bars{a: a}
		r, o, err := a.reconciler(ctx, bars)
		if err != nil {
			return err
		}
		plan, err := r.Plan(ctx, reconcile.PlanOptions{All: f.all, Since: since, Until: until, Top: top})
		bars.end()
		if err := o.close(reconciled(err)); err != nil {
			return err
		}
		if err := a.documentResult(plan, func(p *printer) { printPlan(p, plan) }); err != nil {
			return err
		}
		if plan.Changed() {
			return errDiffers
		}
		return plan.Broken()
	})
	return c
}

func printPlan(p *printer, plan *reconcile.Plan) {
	if plan.Due == 0 {
		p.line("reconcile plan: nothing is due; %s certified", plural(plan.Clean, "unit is", "units are"))
	} else {
		p.line("%s", planLine(plan))
	}
	if plan.Waiting > 0 {
		p.line("  %s not due yet: not closed, not settled or not landed", plural(plan.Waiting, "unit is", "units are"))
		if why := firstWait(plan); why != "" {
			p.line("  the first: %s", why)
		}
	}
	printGivenUp(p, plan.GivenUp, "due")
	printDamaged(p, slices.DeleteFunc(slices.Clone(plan.Units), func(u reconcile.Unit) bool { return u.State != reconcile.UnitDamaged }))
	if !plan.Changed() {
		if plan.Due > 0 {
			p.line("  no difference: tidemark reconcile apply certifies it")
		}
		return
	}
	rows := [][]string{{"  output", "aggregate", "published", "recomputed"}}
	for _, t := range plan.Totals {
		if t.Before.IsNull() && t.After.IsNull() {
			continue // lists and text have no total, nor has what nothing reconciles
		}
		before, after := changeTexts(t.Before, t.After)
		rows = append(rows, []string{"  " + t.Output, t.Aggregate, before, after})
	}
	p.table(rows)
	p.line("largest changes")
	printChanges(p, plan.Top)
	p.line("%s", guardLine(plan))
}

// planLine is the plan in one line.
func planLine(plan *reconcile.Plan) string {
	w := plan.Windows
	line := fmt.Sprintf("reconcile plan %s: %s due, %s of %s windows in %s would change",
		plan.ID, plural(plan.Due, "unit", "units"), count(w.Changed+w.Added+w.Removed), count(w.Checked),
		plural(plan.Partitions, "unit", "units"))
	if plan.ID == "" {
		line = fmt.Sprintf("reconcile plan: %s due, %s windows are as the lake says",
			plural(plan.Due, "unit", "units"), count(w.Equal))
	}
	if w.Added+w.Removed > 0 {
		line += fmt.Sprintf(" (%s added, %s removed)", count(w.Added), count(w.Removed))
	}
	if causes := causesText(plan.Causes); causes != "" {
		line += ", cause: " + causes
	}
	return line
}

func causesText(causes map[string]int64) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(causes)) {
		one, more := "event", "events"
		if name == "code" || name == "other" {
			one, more = "window", "windows"
		}
		if causes[name] > 0 {
			parts = append(parts, fmt.Sprintf("%s (%s)", name, plural(causes[name], one, more)))
		}
	}
	return strings.Join(parts, ", ")
}

// printChanges is a table of windows: the values that change, before and after.
func printChanges(p *printer, changes []reconcile.Change) {
	for _, c := range changes {
		parts := make([]string, 0, len(c.Values))
		for _, v := range c.Values {
			before, after := changeTexts(v.Before, v.After)
			if before != after {
				parts = append(parts, fmt.Sprintf("%s %s -> %s", v.Aggregate, before, after))
			}
		}
		kind := ""
		if c.Kind != "changed" {
			kind = c.Kind + ": "
		}
		p.line("  %s  %s%s  %s%s  [%s]", c.Output, keyText(c.Key), minuteText(c.WindowStart), kind, strings.Join(parts, ", "), c.Cause)
	}
}

// keyText is a group before something else. One that holds everything has no name.
func keyText(key string) string {
	if key == "" {
		return ""
	}
	return key + " "
}

const minuteLayout = "2006-01-02T15:04Z"

// minuteText is a window's start or end: to the minute, unless it is of a session and has seconds.
func minuteText(t time.Time) string {
	if t = t.UTC(); t.Truncate(time.Minute).Equal(t) {
		return t.Format(minuteLayout)
	}
	return t.Format(time.RFC3339Nano)
}

func guardLine(plan *reconcile.Plan) string {
	g := plan.Guard
	if g.Verdict == "pass" {
		return "guard: passes"
	}
	line := fmt.Sprintf("guard: %s is %.4g, its limit %.4g", g.Rule, g.Actual, g.Limit)
	if g.Note != "" {
		line += " (" + g.Note + ")"
	}
	switch g.Verdict {
	case "hold":
		return line + ": held; tidemark reconcile apply --approve " + plan.ID + " --reason TEXT"
	case "fail":
		return line + ": refused; tidemark reconcile apply --approve " + plan.ID + " --reason TEXT"
	}
	return line + ": published all the same (guard.else)"
}

// firstWait is what the first of the waiting units waits for.
func firstWait(plan *reconcile.Plan) string {
	for i := range plan.Units {
		if u := &plan.Units[i]; u.State == reconcile.UnitWaiting && len(u.Waits) > 0 {
			return u.Output + " " + u.Partition + ": " + u.Waits[0]
		}
	}
	return ""
}
