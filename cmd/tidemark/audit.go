package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/tidemark-io/tidemark/reconcile"
	"github.com/tidemark-io/tidemark/stream/pipeline"
)

func (a *app) auditCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "audit -f FILE",
		Short: "Recompute every certified window from raw and compare; exit 3 at the first difference, 5 if nothing is certified",
		Args:  cobra.NoArgs,
		RunE: a.command(func(ctx context.Context, _ []string) error {
			bars := &bars{a: a}
			r, o, err := a.reconciler(ctx, bars)
			if err != nil {
				return err
			}
			report, err := r.Audit(ctx)
			bars.end()
			if err := o.close(reconciled(err)); err != nil {
				return err
			}
			if err := a.documentResult(report, func(p *printer) { printAudit(p, report) }); err != nil {
				return err
			}
			switch {
			case !report.OK():
				return errDiffers
			case report.Units == 0:
				return nothingCertified(o.plan)
			}
			return nil
		}),
	}
}

// nothingCertified is the error for an audit that had nothing to compare: what isn't looked at isn't right.
func nothingCertified(plan *pipeline.Plan) error {
	if slices.Contains(plan.Unreconciled, "") {
		return tryAgainf("audit: nothing is certified yet: tidemark reconcile run certifies what is due")
	}
	return fmt.Errorf("audit: nothing is ever certified of this pipeline: %s", plan.Unreconciled[0])
}

func printAudit(p *printer, r *reconcile.AuditReport) {
	p.line("%s", auditLine(p, r))
	if d := r.Difference; d != nil {
		p.line("first difference: %s", differenceText(d))
	}
	for _, group := range []struct {
		units []reconcile.Unit
		what  string
	}{{r.Uncertified, "has no certificate"}, {r.Behind, "has grown since its certificate"}} {
		const show = 5
		for i, u := range group.units {
			if i == show {
				p.line("  and %s more", count(len(group.units)-show))
				break
			}
			p.line("  %s %s %s: %s", u.Output, u.Partition, group.what, whatToDo(&u))
		}
	}
	printDamaged(p, r.Damaged)
	printGivenUp(p, r.GivenUp, "certified")
	for _, what := range r.NotProven {
		p.line("  not proven: %s", what)
	}
}

// whatToDo is what certifies a unit.
func whatToDo(u *reconcile.Unit) string {
	if len(u.Waits) > 0 {
		return "not due yet: " + u.Waits[0]
	}
	return "tidemark reconcile run"
}

// printDamaged names the units that a damaged lake file keeps from being looked at.
func printDamaged(p *printer, units []reconcile.Unit) {
	const show = 20
	for i, u := range units {
		if i == show {
			p.line("  and %s more", count(len(units)-show))
			break
		}
		p.line("  set aside: %s %s: %s", u.Output, u.Partition, u.Damage)
	}
	if len(units) > 0 {
		p.line("  restore these objects from a copy; tidemark lake verify lists all damage")
	}
}

// printGivenUp says which ranges of the sources are lost for good, and how many units may lack records for it.
func printGivenUp(p *printer, all []reconcile.GivenUp, units string) {
	for i := range all {
		g := &all[i]
		p.line("  %s", givenUpText(g.Topic, g.Partition, g.First, g.End, g.Pipeline, g.Order, g.At, g.Reason))
		p.line("    %s may lack records for it; nobody knows how many", plural(g.Units, units+" unit", units+" units"))
	}
}

// auditLine is the verdict in one line.
func auditLine(p *printer, r *reconcile.AuditReport) string {
	line := fmt.Sprintf("audit: %s windows recomputed from raw, %s", count(r.Windows), p.verdict(r.OK(), count(r.Equal)+" equal"))
	switch {
	case !r.OK():
		return line + ". " + p.verdict(false, "DIFFERENT")
	case r.Units == 0:
		return line + ": nothing is certified yet"
	}
	return line + ". " + r.Statement + "   root " + r.Root
}

func differenceText(d *reconcile.Difference) string {
	text := fmt.Sprintf("%s %s: %s", d.Output, d.Partition, d.Kind)
	if d.WindowStart != nil {
		text += fmt.Sprintf(" %s %s", d.Key, minuteText(*d.WindowStart))
	}
	if d.Field != "" {
		text += fmt.Sprintf(" %s: published %s, recomputed %s", d.Field, d.Streamed, d.Batch)
	}
	if d.Detail != "" {
		text += ": " + d.Detail
	}
	return text
}
