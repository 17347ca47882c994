package main

import (
	"context"
	"fmt"
	"path"

	"github.com/spf13/cobra"

	"github.com/tidemark-io/tidemark/state"
)

// taskPruned is what `checkpoint prune` deleted of one task, or would.
type taskPruned struct {
	Task        int32          `json:"task"`
	Kept        int            `json:"kept"`       // whole ones that stay
	BytesRead   int64          `json:"bytes_read"` // of those: every byte
	Damaged     []prunedDamage `json:"damaged"`
	Checkpoints []string       `json:"checkpoints"`
	Files       []string       `json:"files"`
	Bytes       int64          `json:"bytes"`
}

// prunedDamage is a checkpoint that doesn't count among those that stay.
type prunedDamage struct {
	Key  string `json:"key"`
	What string `json:"what"`
}

func (a *app) checkpointPruneCommand() *cobra.Command {
	var task int32
	var keep int
	var dry bool
	c := &cobra.Command{
		Use:   "prune -f FILE --keep N",
		Short: "Delete the checkpoints older than the newest N whole ones of each task, and the files that no other names",
		Long: "Reads every byte of the newest N checkpoints of each task first. One that is damaged doesn't count: an older one stays for\n" +
			"it. If none is whole nothing is deleted. What is damaged a running process puts anew with its next checkpoint.\n\n" +
			"Deletes the manifests of older checkpoints, then the files that no kept manifest names. A run prunes by itself, to\n" +
			"state.keep; this is for keeping fewer, or when nothing runs.\n\n" +
			"It is safe beside running processes: what goes is written into a note in the bucket first, and only then are all\n" +
			"manifests read again; a process that makes a checkpoint reads the notes after its manifest is put, and puts again\n" +
			"what it had taken for granted. Files that have no name because they are on their way to a manifest stay.\n\n" +
			"N is how far back a restore can go. The repartition topic of a rekeyed pipeline is purged up to the oldest checkpoint,\n" +
			"so state that is older than that can't be replayed either.",
		Args: cobra.NoArgs,
	}
	onlyTask(c, &task)
	c.Flags().IntVar(&keep, "keep", 0, "how many checkpoints of each task stay, from 1")
	c.Flags().BoolVar(&dry, "dry-run", false, "say what would go, delete nothing")
	c.RunE = a.command(func(ctx context.Context, _ []string) error {
		if keep < 1 {
			return usagef("checkpoint prune: --keep %d: at least one checkpoint of each task must stay: say --keep 1 or more", keep)
		}
		o, err := a.open(ctx)
		if err != nil {
			return err
		}
		pruned, err := a.pruneCheckpoints(ctx, o, task, keep, dry)
		if err := o.close(err); err != nil {
			return fmt.Errorf("checkpoint prune: %w", err)
		}
		body := struct {
			Pipeline string       `json:"pipeline"`
			Keep     int          `json:"keep"`
			DryRun   bool         `json:"dry_run"`
			Tasks    []taskPruned `json:"tasks"`
		}{o.plan.Pipeline.Name, keep, dry, pruned}
		return a.result("CheckpointPrune", body, func(p *printer) {
			if len(pruned) == 0 {
				p.line("%s", noCheckpoints(o.plan.Pipeline, task))
			}
			printPruned(p, pruned, dry)
		})
	})
	return c
}

func (a *app) pruneCheckpoints(ctx context.Context, o *opened, only int32, keep int, dry bool) ([]taskPruned, error) {
	tasks, err := checkpointTasks(ctx, o, only)
	if err != nil {
		return nil, err
	}
	all := []taskPruned{}
	for _, task := range tasks {
		p, err := state.Prune(ctx, o.bucket, state.PruneOptions{Prefix: checkpointPrefix(o.plan.Pipeline, task), Keep: keep, Now: a.now, DryRun: dry})
		if err != nil {
			return nil, fmt.Errorf("task %d: %w", task, err)
		}
		damaged := []prunedDamage{}
		for _, d := range p.Damaged {
			damaged = append(damaged, prunedDamage{d.Key, d.What})
		}
		all = append(all, taskPruned{Task: task, Kept: len(p.Kept), BytesRead: p.BytesRead, Damaged: damaged, Checkpoints: append([]string{}, p.Manifests...),
			Files: append([]string{}, p.Files...), Bytes: p.Bytes})
	}
	return all, nil
}

func printPruned(p *printer, all []taskPruned, dry bool) {
	verb := "deleted"
	if dry {
		verb = "would delete"
	}
	for _, t := range all {
		if len(t.Checkpoints)+len(t.Files) == 0 {
			p.line("task %d: nothing to delete, %s", t.Task, t.stay())
			t.printDamaged(p)
			continue
		}
		p.line("task %d: %s %s and %s of %s, %s", t.Task, verb, plural(len(t.Checkpoints), "checkpoint", "checkpoints"),
			plural(len(t.Files), "file", "files"), size(t.Bytes), t.stay())
		for _, key := range t.Checkpoints {
			p.line("  %s", path.Base(key))
		}
		t.printDamaged(p)
	}
}

func (t *taskPruned) stay() string {
	return fmt.Sprintf("%s, read and found whole", plural(t.Kept, "checkpoint stays", "checkpoints stay"))
}

func (t *taskPruned) printDamaged(p *printer) {
	for _, d := range t.Damaged {
		p.line("  damaged, so not counted: %s: %s", path.Base(d.Key), d.What)
	}
}
