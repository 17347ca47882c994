package main

import (
	"context"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tidemark-io/tidemark/state"
)

type stateRestoreFlags struct {
	task    int32
	all     bool
	cut, id string
}

// stateRestored is one task that `state restore` has put in place.
type stateRestored struct {
	Task       int32  `json:"task"`
	Dir        string `json:"dir"`
	Checkpoint string `json:"checkpoint"`
	Cut        string `json:"cut"`
	Bytes      int64  `json:"bytes"`
	Aside      string `json:"aside,omitempty"` // where the state went that was there
}

func (a *app) stateRestoreCommand() *cobra.Command {
	var f stateRestoreFlags
	c := &cobra.Command{
		Use:   "restore -f FILE --task N|--all",
		Short: "Put a checkpoint from the bucket in the place of local state, so that a process starts from there",
		Long: "Restores the newest checkpoint of a task, or the one that --cut names, into this machine's state directory. State that is\n" +
			"there is set aside, not deleted. A process that is started with the same --id goes on from it: it replays what is\n" +
			"between the checkpoint and the committed offsets, and sets it aside again should it not fit. A run restores by itself\n" +
			"when it has no usable state; this is for preparing a machine, or for choosing an older checkpoint.",
		Args: cobra.NoArgs,
	}
	flags := c.Flags()
	onlyTask(c, &f.task)
	flags.BoolVar(&f.all, "all", false, "every task that has a checkpoint")
	flags.StringVar(&f.cut, "cut", "", "the checkpoint at this offset, or of this key, as checkpoint ls prints them (-o json has keys)")
	flags.StringVar(&f.id, "id", "main", "the --id of the process that will run the task")
	c.RunE = a.command(func(ctx context.Context, _ []string) error {
		switch {
		case f.all == (f.task != anyTask):
			return usagef("state restore: say which task: --task N, or --all")
		case f.all && f.cut != "":
			return usagef("state restore: --cut is of one task: say --task N, not --all")
		case f.id == "" || strings.ContainsAny(f.id, `/\`):
			return usagef("state restore: --id %q: the name of a process", f.id)
		}
		o, err := a.open(ctx)
		if err != nil {
			return err
		}
		restored, err := a.restoreState(ctx, o, &f)
		if err := o.close(err); err != nil {
			return err
		}
		body := struct {
			Pipeline string          `json:"pipeline"`
			ID       string          `json:"id"`
			Tasks    []stateRestored `json:"tasks"`
		}{o.plan.Pipeline.Name, f.id, restored}
		return a.result("StateRestore", body, func(p *printer) {
			for _, r := range restored {
				p.line("task %d: restored the checkpoint at %s, %s, into %s", r.Task, r.Cut, size(r.Bytes), r.Dir)
				if r.Aside != "" {
					p.line("  what was there is in %s", r.Aside)
				}
			}
		})
	})
	return c
}

// restoreState holds the process's directory meanwhile, so that none is running.
func (a *app) restoreState(ctx context.Context, o *opened, f *stateRestoreFlags) (restored []stateRestored, err error) {
	tasks, err := checkpointTasks(ctx, o, f.task)
	if err != nil {
		return nil, err
	}
	if len(tasks) == 0 {
		return nil, fmt.Errorf("state restore: %s", noCheckpoints(o.plan.Pipeline, f.task))
	}
	p := o.plan.Pipeline
	dir := filepath.Join(p.Path(p.State.Dir), p.Name, f.id)
	err = onDisk("state restore", func(sh *state.Shared) error {
		held, err := state.Hold(dir, sh)
		if errors.Is(err, state.ErrLocked) {
			return &heldError{what: "--id " + f.id, fix: "stop it first", err: err}
		}
		if err != nil {
			return err
		}
		for _, task := range tasks {
			r, err := a.restoreTask(ctx, o, f, task, filepath.Join(dir, strconv.Itoa(int(task))), sh)
			if err != nil {
				return errors.Join(fmt.Errorf("task %d: %w", task, err), held.Close())
			}
			restored = append(restored, *r)
		}
		return held.Close()
	})
	return restored, err
}

func (a *app) restoreTask(ctx context.Context, o *opened, f *stateRestoreFlags, task int32, dir string, sh *state.Shared) (*stateRestored, error) {
	key, m, err := newestCheckpoint(ctx, o, task, func(n state.ManifestName) bool {
		return f.cut == "" || f.cut == cutText(n.Position) || f.cut == n.Key || f.cut == path.Base(n.Key)
	})
	if err != nil {
		return nil, err
	}
	if m == nil {
		return nil, fmt.Errorf("no valid checkpoint by this file%s: tidemark checkpoint ls lists what there is, verify what is wrong", atCut(f.cut))
	}
	r := &stateRestored{Task: task, Dir: dir, Checkpoint: key, Cut: cutText(m.Cut.Position()), Bytes: m.SizeBytes()}
	bar := a.progress(fmt.Sprintf("restore task %d (bytes)", task), m.SizeBytes())
	r.Aside, err = state.Replace(ctx, o.bucket, checkpointPrefix(o.plan.Pipeline, task), m, dir,
		"tidemark state restore put the checkpoint "+key+" in its place", sh, state.RestoreOptions{Progress: func(done, _ int64) { bar.Set(done) }})
	bar.End()
	return r, err
}

func atCut(cut string) string {
	if cut == "" {
		return ""
	}
	return " at " + cut
}
