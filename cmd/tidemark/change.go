package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidemark-io/tidemark/stream"
	"github.com/tidemark-io/tidemark/stream/window"
)

type changeFlags struct {
	reason  string
	id      string
	restart bool
	dryRun  bool
	wait    time.Duration
}

func (a *app) changeCommand() *cobra.Command {
	var f changeFlags
	c := &cobra.Command{
		Use:   "change -f FILE --reason TEXT",
		Short: "Put a changed pipeline file in force, or take in partitions that the sources have grown by",
		Long: "Takes a change decision: one entry for each task in the journal, in one transaction. Tasks begin anew with empty\n" +
			"state, beyond every window that holds events; the windows below are the reconciler's, which computes them by\n" +
			"the file that is now in force. Processes with another file refuse to run.\n\n" +
			"With --restart it is taken though nothing has changed. That is for a pipeline whose tasks can't go on because their\n" +
			"checkpoints are damaged and their disks lost: what was open is the reconciler's, and nothing is counted twice.\n\n" +
			"No process of the pipeline may run meanwhile: stop them, say `tidemark change`, start them with the new file.",
		Args: cobra.NoArgs,
	}
	c.Flags().StringVar(&f.reason, "reason", "", "why; the journal keeps it")
	c.Flags().StringVar(&f.id, "id", "main", "as which process of the pipeline; one that runs here afterwards goes on with its state")
	c.Flags().BoolVar(&f.restart, "restart", false, "decide though nothing has changed: for tasks that can't go on, with neither state nor a checkpoint")
	c.Flags().BoolVar(&f.dryRun, "dry-run", false, "say what would change, and decide nothing")
	c.Flags().DurationVar(&f.wait, "wait", time.Minute, "how long to wait for processes that still own tasks")
	c.RunE = a.command(func(ctx context.Context, _ []string) error { return a.change(ctx, f) })
	return c
}

func (a *app) change(ctx context.Context, f changeFlags) error {
	switch {
	case strings.TrimSpace(f.reason) == "" && !f.dryRun:
		return usagef("change: --reason TEXT: the journal keeps why it was decided")
	case !processID.MatchString(f.id):
		return usagef("change: --id %q: use letters, digits, dots, dashes and underscores, at most 64", f.id)
	}
	o, err := a.open(ctx)
	if err != nil {
		return err
	}
	report, err := stream.Change(ctx, stream.ChangeOptions{
		Options: stream.Options{Plan: o.plan, Kafka: o.kafka, Bucket: o.bucket, ID: f.id, Now: a.now, Log: a.log},
		Reason:  f.reason, Restart: f.restart, DryRun: f.dryRun, WaitFor: f.wait,
	})
	if errors.Is(err, stream.ErrOwned) {
		err = tryAgainf("%w", err)
	}
	if err := o.close(err); err != nil {
		return fmt.Errorf("change pipeline %s: %w", o.plan.Pipeline.Name, err)
	}
	return a.result("Change", report, func(p *printer) { printChange(p, report, f.dryRun) })
}

func printChange(p *printer, r *stream.ChangeReport, dryRun bool) {
	if !r.Changed {
		p.line("pipeline %s: fingerprint %s is in force already; nothing was decided", r.Pipeline, r.To)
		return
	}
	if r.From != r.To {
		p.line("pipeline %s: fingerprint %s -> %s", r.Pipeline, r.From, r.To)
	}
	if r.Partitions[0] != r.Partitions[1] {
		p.line("pipeline %s: %d -> %d partitions", r.Pipeline, r.Partitions[0], r.Partitions[1])
	}
	if r.Time == window.NoWatermark {
		p.line("no event has been read yet: no window is the reconciler's")
	} else {
		at := time.UnixMilli(r.Time).UTC().Format(time.RFC3339)
		p.line("windows that close up to %s are the reconciler's; events in them count as late from here on", at)
	}
	for _, t := range r.Tasks {
		at := make([]string, len(t.Next))
		for i, n := range t.Next {
			at[i] = fmt.Sprint(n)
		}
		fresh := ""
		if t.New {
			fresh = " (new)"
		}
		p.line("  task %d%s begins at offset %s with decision %d", t.Task, fresh, strings.Join(at, "+"), t.Decision)
	}
	if dryRun {
		p.line("nothing was decided: leave out --dry-run and give a --reason")
		return
	}
	p.line("start the pipeline's processes with this file, then: tidemark reconcile plan")
}
