package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/tidemark-io/tidemark/state"
	"github.com/tidemark-io/tidemark/stream/pipeline"
)

func (a *app) stateCommand() *cobra.Command {
	return group("state", "Look into the tasks' state: ls, check, get; put a checkpoint in its place: restore",
		a.stateListCommand(), a.stateCheckCommand(), a.stateGetCommand(), a.stateRestoreCommand())
}

// stateChecked is what `state check` found in one task's directory.
type stateChecked struct {
	Task   int32        `json:"task"`
	ID     string       `json:"id"`
	Dir    string       `json:"dir"`
	Faults []stateFault `json:"faults"`
}

type stateFault struct {
	Kind  string `json:"kind"`
	Where string `json:"where"`
	What  string `json:"what"`
}

func (a *app) stateCheckCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check -f FILE",
		Short: "Read every key of every task's state on this machine; exit 3 when something is wrong",
		Args:  cobra.NoArgs,
		RunE: a.command(func(context.Context, []string) error {
			plan, err := a.load()
			if err != nil {
				return err
			}
			checked, err := checkState(plan.Pipeline)
			if errors.Is(err, state.ErrLocked) {
				return tryAgainf("state check: %w", err)
			}
			if err != nil {
				return fmt.Errorf("state check: %w", err)
			}
			body := struct {
				Pipeline string         `json:"pipeline"`
				Tasks    []stateChecked `json:"tasks"`
			}{plan.Pipeline.Name, checked}
			if err := a.result("StateCheck", body, func(p *printer) { printChecked(p, plan.Pipeline, checked) }); err != nil {
				return err
			}
			for _, c := range checked {
				if len(c.Faults) > 0 {
					return errDiffers
				}
			}
			return nil
		}),
	}
}

func checkState(p *pipeline.Pipeline) ([]stateChecked, error) {
	sh, err := state.NewShared(state.SharedOptions{})
	if err != nil {
		return nil, err
	}
	checked, err := checkDirs(p, sh)
	return checked, errors.Join(err, sh.Close())
}

func checkDirs(p *pipeline.Pipeline, sh *state.Shared) ([]stateChecked, error) {
	dirs, err := taskDirs(p)
	if err != nil {
		return nil, err
	}
	for i := range dirs {
		d := &dirs[i]
		err := state.Check(d.Dir, sh, func(f state.Fault) {
			if len(d.Faults) < faultsMax {
				d.Faults = append(d.Faults, stateFault{f.Kind, f.Where, f.What})
			}
		})
		if err != nil {
			return nil, d.ofDir(err)
		}
	}
	return dirs, nil
}

// taskDirs are the state directories on this machine: <state.dir>/<pipeline>/<id>/<task>.
func taskDirs(p *pipeline.Pipeline) ([]stateChecked, error) {
	found, err := filepath.Glob(filepath.Join(p.Path(p.State.Dir), p.Name, "*", "*"))
	if err != nil {
		return nil, fmt.Errorf("list the state directories: %w", err)
	}
	slices.Sort(found)
	dirs := []stateChecked{}
	for _, dir := range found {
		task, err := strconv.ParseInt(filepath.Base(dir), 10, 32)
		if err != nil || task < 0 {
			continue // set aside, or not ours
		}
		dirs = append(dirs, stateChecked{Task: int32(task), ID: filepath.Base(filepath.Dir(dir)), Dir: dir, Faults: []stateFault{}})
	}
	return dirs, nil
}

func printChecked(p *printer, of *pipeline.Pipeline, checked []stateChecked) {
	if len(checked) == 0 {
		p.line("no state of pipeline %s in %s", of.Name, of.Path(of.State.Dir))
	}
	for _, c := range checked {
		if len(c.Faults) == 0 {
			p.line("task %d (%s): ok", c.Task, c.ID)
			continue
		}
		p.line("task %d (%s): %s in %s", c.Task, c.ID, plural(len(c.Faults), "fault", "faults"), c.Dir)
		for _, f := range c.Faults {
			p.line("  %s: %s: %s", f.Kind, f.Where, f.What)
		}
	}
}
