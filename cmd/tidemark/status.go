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
	p.line("pipeline %s  results %s  source %s  %d of %d tasks run", d.Pipeline, d.Fingerprint, d.Topic, d.Running(), len(d.Tasks))
	rows := [][]string{{"PARTITION", "STATE", "OWNER", "COMMITTED", "STABLE", "HIGH", "LAG", "WATERMARK", "OPEN", "LANDED", "CHECKPOINT"}}
	for _, t := range d.Tasks {
		row := []string{t.Partition, t.State, orDash(t.Owner), count(t.Committed), count(t.LastStable), count(t.High), count(t.Lag), "-",
			count(t.Open), count(t.Landed), "-"}
		if t.Watermark != nil {
			row[7] = t.Watermark.Format(time.RFC3339)
		}
		if c := t.Checkpoint; c != nil {
			row[10] = c.At.Format(time.RFC3339)
			if c.Gap > 0 {
				row[10] += fmt.Sprintf(", %s to replay", count(c.Gap))
			}
		}
		rows = append(rows, row)
	}
	p.table(rows)
	for _, t := range d.Tasks {
		if t.Waits != "" {
			p.line("waits: %s", t.Waits)
		}
		if t.Error != "" {
			p.line("stopped: %s", t.Error)
		}
	}
	p.line("as of the last checkpoints, as WATERMARK and OPEN above:")
	p.line("%s", accountingText(p, d.Accounting))
	for _, o := range d.Outputs {
		p.line("%s: windows closed %s, open %s", o.Name, count(o.Closed), count(o.Open))
	}
	if r := d.Reconcile; r != nil {
		p.line("reconcile: %s due, %s waiting, %s certified", count(r.Due), count(r.Waiting), count(r.Clean))
		if r.Example != "" {
			p.line("  waits: %s", r.Example)
		}
	}
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
