package main

import (
	"context"
	"errors"
	"os"
	"os/user"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tidemark-io/tidemark/reconcile"
)

func (a *app) reconcileApplyCommand() *cobra.Command {
	var f rangeFlags
	var o reconcile.ApplyOptions
	c := &cobra.Command{
		Use:   "apply -f FILE [--approve ID --reason TEXT]",
		Short: "Publish the corrections and certify the units; exit 4 when the guard holds",
		Long: "Plans anew and applies the plan unless the guard holds. With --approve it applies what the plan of that id\n" +
			"said, whatever the guard says; units that have moved since are left alone (exit 3).",
		Args: cobra.NoArgs,
	}
	f.add(c)
	c.Flags().StringVar(&o.Approve, "approve", "", "the id of the plan that is approved")
	c.Flags().StringVar(&o.Reason, "reason", "", "why it is approved; the certificates keep it")
	c.Flags().StringVar(&o.By, "by", "", "who approves it; the certificates keep it (default: the name of the user)")
	c.RunE = a.command(func(ctx context.Context, _ []string) error {
		if o.Approve == "" && (o.Reason != "" || o.By != "") {
			return usagef("reconcile apply: --reason and --by belong to --approve ID")
		}
		if o.Approve != "" && strings.TrimSpace(o.Reason) == "" {
			return usagef("reconcile apply: an approval needs --reason TEXT: the certificates keep why it was given")
		}
		if o.Approve != "" && o.By == "" {
			o.By = userName()
		}
		return a.applyUnits(ctx, f, o)
	})
	return c
}

// userName is who runs the program, as this machine knows it; empty when it doesn't.
func userName() string {
	u, err := user.Current()
	if err != nil {
		return os.Getenv("USER")
	}
	return u.Username
}

func (a *app) reconcileRunCommand() *cobra.Command {
	var f rangeFlags
	c := &cobra.Command{
		Use:   "run -f FILE",
		Short: "Plan and apply under the guard, for cron and schedulers; exit 4 when the guard holds",
		Args:  cobra.NoArgs,
	}
	f.add(c)
	c.RunE = a.command(func(ctx context.Context, _ []string) error {
		return a.applyUnits(ctx, f, reconcile.ApplyOptions{})
	})
	return c
}

// applyUnits applies and prints the report, also that of an apply that was stopped half way.
func (a *app) applyUnits(ctx context.Context, f rangeFlags, o reconcile.ApplyOptions) error {
	var err error
	if o.Since, o.Until, err = f.times(); err != nil {
		return err
	}
	o.All = f.all
	bars := &bars{a: a}
	r, opened, err := a.reconciler(ctx, bars)
	if err != nil {
		return err
	}
	report, err := r.Apply(ctx, o)
	bars.end()
	err = opened.close(reconciled(err))
	if report != nil {
		var held *reconcile.HeldError
		err = errors.Join(a.documentResult(report, func(p *printer) {
			if errors.As(err, &held) && report.Plan != nil {
				printPlan(p, report.Plan)
				return
			}
			printReport(p, report)
		}), err)
	}
	return err
}
