package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tidemark-io/tidemark/state"
	"github.com/tidemark-io/tidemark/stream/pipeline"
)

// stateListed is one task's state on this machine.
type stateListed struct {
	Task        int32           `json:"task"`
	ID          string          `json:"id"`
	Dir         string          `json:"dir"`
	Next        []int64         `json:"next"` // offset of each source; none: the state is new
	Journal     int64           `json:"journal"`
	Fingerprint string          `json:"fingerprint,omitempty"`
	InForce     bool            `json:"in_force"`
	DiskBytes   int64           `json:"disk_bytes"`
	Keys        int64           `json:"keys"`
	Open        int64           `json:"open_windows"`
	Kinds       []stateKindSize `json:"kinds"`
}

type stateKindSize struct {
	Kind  string `json:"kind"`
	Keys  int64  `json:"keys"`
	Bytes int64  `json:"bytes"`
}

func (a *app) stateListCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "ls -f FILE",
		Short: "List the tasks' state on this machine: where it stands, sizes, open windows",
		Long:  "Reads the state of every task on this machine, which no process may have open: stop the run first.",
		Args:  cobra.NoArgs,
		RunE: a.command(func(context.Context, []string) error {
			plan, err := a.load()
			if err != nil {
				return err
			}
			var listed []stateListed
			err = onDisk("state ls", func(sh *state.Shared) error {
				listed, err = listState(plan, sh)
				return err
			})
			if err != nil {
				return err
			}
			body := struct {
				Pipeline string        `json:"pipeline"`
				Tasks    []stateListed `json:"tasks"`
			}{plan.Pipeline.Name, listed}
			return a.result("StateList", body, func(p *printer) { printState(p, plan, listed) })
		}),
	}
}

// onDisk runs fn, to whom state directories may be in use.
func onDisk(what string, fn func(*state.Shared) error) error {
	sh, err := state.NewShared(state.SharedOptions{})
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	err = errors.Join(fn(sh), sh.Close())
	if errors.Is(err, state.ErrLocked) {
		return tryAgainf("%s: %w", what, err)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

func listState(plan *pipeline.Plan, sh *state.Shared) ([]stateListed, error) {
	dirs, err := taskDirs(plan.Pipeline)
	if err != nil {
		return nil, err
	}
	listed := []stateListed{}
	for _, d := range dirs {
		s, err := state.Describe(d.Dir, sh)
		if err != nil {
			return nil, d.ofDir(err)
		}
		l := stateListed{Task: d.Task, ID: d.ID, Dir: d.Dir, DiskBytes: s.DiskBytes, Next: []int64{}, Kinds: []stateKindSize{}}
		for _, k := range append(s.Kinds, s.Unknown) {
			if k.Keys > 0 {
				l.Keys += k.Keys
				l.Kinds = append(l.Kinds, stateKindSize{k.Name, k.Keys, k.KeyBytes + k.ValueBytes})
			}
		}
		if s.Cut != nil {
			l.Next, l.Journal, l.Fingerprint = s.Cut.Position().Next, s.Cut.Journal, s.Cut.Fingerprint
			l.InForce = l.Fingerprint == plan.Fingerprint
			for _, o := range s.Cut.Counters.Outputs {
				l.Open += o.Open
			}
		}
		listed = append(listed, l)
	}
	return listed, nil
}

func printState(p *printer, plan *pipeline.Plan, listed []stateListed) {
	if len(listed) == 0 {
		p.line("no state of pipeline %s in %s", plan.Pipeline.Name, plan.Pipeline.Path(plan.Pipeline.State.Dir))
		return
	}
	rows := [][]string{{"TASK", "ID", "CUT", "DECISION", "OPEN WINDOWS", "KEYS", "ON DISK", ""}}
	for i := range listed {
		l := &listed[i]
		if len(l.Next) == 0 {
			rows = append(rows, []string{fmt.Sprint(l.Task), l.ID, "-", "-", "-", count(l.Keys), size(l.DiskBytes), "new"})
			continue
		}
		mark := ""
		if !l.InForce {
			mark = "by " + l.Fingerprint + ", not by this file"
		}
		rows = append(rows, []string{fmt.Sprint(l.Task), l.ID, cutText(state.Position{Next: l.Next}), fmt.Sprint(l.Journal),
			count(l.Open), count(l.Keys), size(l.DiskBytes), mark})
	}
	p.table(rows)
}
