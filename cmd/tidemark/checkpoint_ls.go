package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidemark-io/tidemark/lake/blob"
	"github.com/tidemark-io/tidemark/state"
)

// checkpointLine is one line of `checkpoint ls`.
type checkpointLine struct {
	Task        int32   `json:"task"`
	Key         string  `json:"key"`
	Next        []int64 `json:"next"`    // offset of each source
	Journal     int64   `json:"journal"` // the last decision in it
	Fingerprint string  `json:"fingerprint"`
	InForce     bool    `json:"in_force"` // made by the pipeline file that was given
	Newest      bool    `json:"newest"`   // of the task, by this file: what a restore takes
	CreatedAt   string  `json:"created_at,omitempty"`
	Files       int     `json:"files"`
	Bytes       int64   `json:"bytes"`
	SharedBytes int64   `json:"shared_bytes"` // with the one before it
	Fault       string  `json:"fault,omitempty"`

	created time.Time
	first   bool // nothing is before it
}

func (a *app) checkpointListCommand() *cobra.Command {
	var task int32
	c := &cobra.Command{
		Use:   "ls -f FILE",
		Short: "List the tasks' checkpoints in the bucket: where they stand, their age and size",
		Args:  cobra.NoArgs,
	}
	onlyTask(c, &task)
	c.RunE = a.command(func(ctx context.Context, _ []string) error {
		o, err := a.open(ctx)
		if err != nil {
			return err
		}
		lines, err := listCheckpoints(ctx, o, task)
		if err := o.close(err); err != nil {
			return fmt.Errorf("checkpoint ls: %w", err)
		}
		return a.printCheckpoints(o, lines, task)
	})
	return c
}

func listCheckpoints(ctx context.Context, o *opened, only int32) ([]checkpointLine, error) {
	tasks, err := checkpointTasks(ctx, o, only)
	if err != nil {
		return nil, err
	}
	var lines []checkpointLine
	for _, task := range tasks {
		of, err := checkpointsOf(ctx, o, task)
		if err != nil {
			return nil, fmt.Errorf("task %d: %w", task, err)
		}
		lines = append(lines, of...)
	}
	return lines, nil
}

// checkpointsOf are a task's, newest first.
func checkpointsOf(ctx context.Context, o *opened, task int32) ([]checkpointLine, error) {
	names, err := state.Manifests(ctx, o.bucket, checkpointPrefix(o.plan.Pipeline, task))
	if err != nil {
		return nil, err
	}
	var lines []checkpointLine
	var after *state.Manifest // of the line above, which is newer
	newest := false
	for _, n := range names {
		m, err := state.LoadManifest(ctx, o.bucket, n.Key)
		if errors.Is(err, blob.ErrNotFound) {
			continue // pruned since it was listed
		}
		line := checkpointLine{Task: task, Key: n.Key, Next: n.Next, Journal: n.Journal, Fingerprint: n.Fingerprint,
			InForce: n.Fingerprint == o.plan.Fingerprint, first: true}
		var corrupt *state.CorruptError
		if errors.As(err, &corrupt) || errors.Is(err, state.ErrNewerVersion) {
			line.Fault = err.Error()
			lines = append(lines, line)
			continue
		}
		if err != nil {
			return nil, err
		}
		line.created, line.Files, line.Bytes = m.CreatedTime(), len(m.Files), m.SizeBytes()
		line.CreatedAt = line.created.Format(time.RFC3339)
		line.Newest = line.InForce && !newest
		newest = newest || line.Newest
		if after != nil {
			above := &lines[len(lines)-1]
			above.SharedBytes, above.first = after.SharedBytes(m), false
		}
		after, lines = m, append(lines, line)
	}
	return lines, nil
}

func (a *app) printCheckpoints(o *opened, lines []checkpointLine, only int32) error {
	p := a.printer()
	if a.output == "json" {
		for _, l := range lines {
			text, err := json.Marshal(l)
			if err != nil {
				return fmt.Errorf("encode: %w", err)
			}
			p.line("%s", text)
		}
		return p.flush()
	}
	if len(lines) == 0 {
		p.line("%s", noCheckpoints(o.plan.Pipeline, only))
		return p.flush()
	}
	rows := [][]string{{"TASK", "CUT", "DECISION", "AGE", "FILES", "SIZE", "SHARED", ""}}
	for i := range lines {
		l := &lines[i]
		row := []string{fmt.Sprint(l.Task), cutText(state.Position{Next: l.Next}), fmt.Sprint(l.Journal)}
		if l.Fault != "" {
			rows = append(rows, append(row, "-", "-", "-", "-", l.Fault))
			continue
		}
		rows = append(rows, append(row, age(a.now().Sub(l.created)), count(l.Files), size(l.Bytes), l.shared(), l.mark()))
	}
	p.table(rows)
	return p.flush()
}

func (l *checkpointLine) shared() string {
	if l.first || l.Bytes == 0 {
		return "-"
	}
	return fmt.Sprintf("%d %%", l.SharedBytes*100/l.Bytes)
}

func (l *checkpointLine) mark() string {
	switch {
	case l.Newest:
		return "newest"
	case !l.InForce:
		return "by " + l.Fingerprint + ", not by this file"
	}
	return ""
}

// age is how long ago something was, in one unit that fits.
func age(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", max(0, int(d.Seconds())))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d d", int(d.Hours()/24))
}
