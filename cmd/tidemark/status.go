package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidemark-io/tidemark/cmd/internal/status"
)

func (a *app) statusCommand() *cobra.Command {
	check := false
	c := &cobra.Command{
		Use:   "status -f FILE",
		Short: "Say how the pipeline is doing, whether it runs or not",
		Long: "Reads what is durable: the group's committed offsets, the newest checkpoints, the lake's log and certificates.\n\n" +
			"  STATE       RUNNING: a process of the group owns the task. DOWN: none does. STOPPED: the task has stopped, and says why.\n" +
			"              A process that dies is a member of the group until kafka.session_timeout has passed, and one that has ended\n" +
			"              in order while no other took over, too: so long its tasks are shown as RUNNING\n" +
			"  COMMITTED   the next offset that the task reads\n" +
			"  STABLE      the topic's last stable offset: up to it no transaction is open, so up to it the task can read\n" +
			"  HIGH        the topic's high watermark: its end\n" +
			"  LAG         offsets between COMMITTED and STABLE; the marks of transactions count, too\n" +
			"  WATERMARK   event time up to which windows are closed, at the last checkpoint\n" +
			"  OPEN        windows that may still take events, at the last checkpoint\n" +
			"  LANDED      the next offset that the lake has not\n" +
			"  CHECKPOINT  when the newest was made, and how many offsets a crash now would replay\n\n" +
			"'?' is what nobody can tell. The exit code is 0 whatever it says; with --check it is 1 if a task is STOPPED or DOWN, if records\n" +
			"were deleted before they were read, or if counters don't balance: for probes and cron. Whether the bucket does what a\n" +
			"running process asks is told by that process: /readyz, /metrics (tidemark_bucket_failing) and its page.",
		Args: cobra.NoArgs,
	}
	c.Flags().BoolVar(&check, "check", false, "exit with 1 if a task doesn't run, or anything else keeps the pipeline from its work")
	c.RunE = a.command(func(ctx context.Context, _ []string) error {
		o, err := a.open(ctx)
		if err != nil {
			return err
		}
		d, err := status.Collect(ctx, status.Source{Plan: o.plan, Kafka: o.kafka, Bucket: o.bucket, Now: a.now})
		if err := o.close(err); err != nil {
			return fmt.Errorf("status of pipeline %s: %w", o.plan.Pipeline.Name, err)
		}
		if err := a.documentResult(d, func(p *printer) { printStatus(p, d) }); err != nil || !check {
			return err
		}
		if trouble := d.Trouble(); len(trouble) > 0 {
			return fmt.Errorf("status of pipeline %s: %s", d.Pipeline, strings.Join(trouble, ", "))
		}
		return nil
	})
	return c
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
	if anew := d.Anew(); len(anew) > 0 {
		p.line("counted since each task began anew: a change or a resume began %s with empty state", tasksText(anew, len(d.Tasks)))
	}
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
		row := []string{in.Partition, "", "", count(in.Committed), count(in.LastStable), count(in.High), count(in.Lag), "-", "", orUnknown(in.Landed), ""}
		if in.Watermark != nil {
			row[7] = in.Watermark.Format(time.RFC3339)
		}
		if in.Internal {
			row[9] = "-"
		}
		if i == 0 {
			row[1], row[2], row[8], row[10] = t.Shown(), orDash(t.Owner), openText(t), checkpointText(t.Checkpoint)
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

// orUnknown is a number that may not be known.
func orUnknown(n *int64) string {
	if n == nil {
		return "?"
	}
	return count(*n)
}

func openText(t *status.Task) string {
	if t.Uncounted {
		return "?"
	}
	return count(t.Open)
}

// tasksText names some of all tasks.
func tasksText(some []int32, all int) string {
	if len(some) == all {
		return "all of them"
	}
	names := make([]string, len(some))
	for i, id := range some {
		names[i] = fmt.Sprint(id)
	}
	return "of all tasks " + strings.Join(names, ", ")
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
	for _, in := range t.Parts() {
		if in.Gone > 0 {
			p.line("gone: %s: offsets %d to %d were deleted from the topic before they were read: %s of the %s that it is behind",
				in.Partition, in.Committed, in.Committed+in.Gone-1, count(in.Gone), count(in.Lag))
		}
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
