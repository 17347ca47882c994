package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidemark-io/tidemark/cmd/internal/status"
)

func (a *app) statusCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "status -f FILE",
		Short: "Say how the pipeline is doing, whether it runs or not",
		Args:  cobra.NoArgs,
		RunE: a.command(func(ctx context.Context, _ []string) error {
			o, err := a.open(ctx)
			if err != nil {
				return err
			}
			d, err := status.Collect(ctx, status.Source{Plan: o.plan, Kafka: o.kafka, Bucket: o.bucket, Now: a.now})
			if err := o.close(err); err != nil {
				return fmt.Errorf("status of pipeline %s: %w", o.plan.Pipeline.Name, err)
			}
			return a.documentResult(d, func(p *printer) { printStatus(p, d) })
		}),
	}
}

func printStatus(p *printer, d *status.Document) {
	p.line("pipeline %s  results %s  %s  %d of %d tasks run", d.Pipeline, d.Fingerprint, d.Reads(), d.Running(), len(d.Tasks))
	rows := [][]string{{"PARTITION", "STATE", "OWNER", "COMMITTED", "STABLE", "HIGH", "LAG", "WATERMARK", "OPEN", "LANDED", "CHECKPOINT"}}
	for i := range d.Tasks {
		rows = append(rows, taskRows(&d.Tasks[i])...)
	}
	p.table(rows)
	for i := range d.Tasks {
		printWaits(p, &d.Tasks[i])
	}
	p.line("as of the last checkpoints, as WATERMARK and OPEN above:")
	p.line("%s", accountingText(p, d.Accounting))
	printRules(p, d.Accounting)
	for _, o := range d.Outputs {
		p.line("%s", outputText(o))
	}
	if d.ReconcileFailing != "" {
		p.line("reconcile: not known: %s", d.ReconcileFailing)
	}
	if r := d.Reconcile; r != nil {
		p.line("reconcile: %s due, %s waiting, %s certified", count(r.Due), count(r.Waiting), count(r.Clean))
		if r.Example != "" {
			p.line("  waits: %s", r.Example)
		}
	}
}

// taskRows are a task's lines in the table: one for each partition that it reads. What is of the whole task stands in the first.
func taskRows(t *status.Task) [][]string {
	inputs := t.Parts()
	rows := make([][]string, len(inputs))
	for i, in := range inputs {
		row := []string{in.Partition, "", "", count(in.Committed), count(in.LastStable), count(in.High), count(in.Lag), "-", "", count(in.Landed), ""}
		if in.Watermark != nil {
			row[7] = in.Watermark.Format(time.RFC3339)
		}
		if in.Internal {
			row[9] = "-"
		}
		if i == 0 {
			row[1], row[2], row[8], row[10] = t.Shown(), orDash(t.Owner), count(t.Open), checkpointText(t.Checkpoint)
		}
		rows[i] = row
	}
	return rows
}

func checkpointText(c *status.Checkpoint) string {
	switch {
	case c == nil:
		return "-"
	case c.Gap > 0:
		return fmt.Sprintf("%s, %s to replay", c.At.Format(time.RFC3339), count(c.Gap))
	}
	return c.At.Format(time.RFC3339)
}

// printWaits says what a task's windows, its far-future events, and the task itself wait for.
func printWaits(p *printer, t *status.Task) {
	if t.Waits != "" {
		p.line("waits: %s", t.Waits)
	}
	if t.Pending > 0 {
		p.line("waits: %s: %s, to be confirmed by others: the first of a partition, or far ahead of it (watermark.confirm)",
			t.Partition, plural(t.Pending, "event time", "event times"))
	}
	if t.Error != "" {
		p.line("stopped: %s", t.Error)
	}
}

// outputText is one output's windows. A window is missed by an event that another window still took.
func outputText(o status.Output) string {
	text := fmt.Sprintf("%s: windows closed %s, open %s", o.Name, count(o.Closed), count(o.Open))
	if o.Missed > 0 {
		text += ", missed by events that other windows took " + count(o.Missed)
	}
	return text
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
