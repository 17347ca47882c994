package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/tidemark-io/tidemark/lake/blob"
	"github.com/tidemark-io/tidemark/state"
)

// checkpointVerified is what `checkpoint verify` found in one checkpoint.
type checkpointVerified struct {
	Task   int32        `json:"task"`
	Key    string       `json:"key"`
	Cut    string       `json:"cut"`
	Files  int          `json:"files"`
	Bytes  int64        `json:"bytes"`
	Faults []stateFault `json:"faults"`
}

func (a *app) checkpointVerifyCommand() *cobra.Command {
	var task int32
	var deep bool
	c := &cobra.Command{
		Use:   "verify -f FILE",
		Short: "Read every checkpoint and every file that it names; exit 3 when something is wrong",
		Long: "Reads every manifest and every object that it names, and checks that it is there, its size, its CRC-32C and its\n" +
			"SHA-256. With --deep each checkpoint is restored into a temporary directory besides, and checked as by state check.\n" +
			"Nothing is changed; what a running process prunes meanwhile is left out.",
		Args: cobra.NoArgs,
	}
	onlyTask(c, &task)
	c.Flags().BoolVar(&deep, "deep", false, "open each as a database, too, in a temporary directory")
	c.RunE = a.command(func(ctx context.Context, _ []string) error {
		o, err := a.open(ctx)
		if err != nil {
			return err
		}
		found, err := verifyCheckpoints(ctx, o, task, deep)
		if err := o.close(err); err != nil {
			return fmt.Errorf("checkpoint verify: %w", err)
		}
		body := struct {
			Pipeline    string               `json:"pipeline"`
			Deep        bool                 `json:"deep"`
			Checkpoints []checkpointVerified `json:"checkpoints"`
		}{o.plan.Pipeline.Name, deep, found}
		err = a.result("CheckpointVerification", body, func(p *printer) {
			if len(found) == 0 {
				p.line("%s", noCheckpoints(o.plan.Pipeline, task))
			}
			printCheckpointsVerified(p, found)
		})
		if err != nil {
			return err
		}
		for _, v := range found {
			if len(v.Faults) > 0 {
				return errDiffers
			}
		}
		return nil
	})
	return c
}

func verifyCheckpoints(ctx context.Context, o *opened, only int32, deep bool) (_ []checkpointVerified, err error) {
	tasks, err := checkpointTasks(ctx, o, only)
	if err != nil {
		return nil, err
	}
	sh, err := state.NewShared(state.SharedOptions{})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, sh.Close()) }()
	found := []checkpointVerified{}
	for _, task := range tasks {
		names, err := state.Manifests(ctx, o.bucket, checkpointPrefix(o.plan.Pipeline, task))
		if err != nil {
			return nil, err
		}
		for _, n := range names {
			v, err := verifyCheckpoint(ctx, o, task, n, deep, sh)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", n.Key, err)
			}
			if v != nil {
				found = append(found, *v)
			}
		}
	}
	return found, nil
}

// verifyCheckpoint checks one; nil if it was pruned since it was listed.
func verifyCheckpoint(ctx context.Context, o *opened, task int32, n state.ManifestName, deep bool, sh *state.Shared) (_ *checkpointVerified, err error) {
	v := &checkpointVerified{Task: task, Key: n.Key, Cut: cutText(n.Position), Faults: []stateFault{}}
	report := func(f state.Fault) {
		if len(v.Faults) < faultsMax {
			v.Faults = append(v.Faults, stateFault{f.Kind, f.Where, f.What})
		}
	}
	prefix := checkpointPrefix(o.plan.Pipeline, task)
	m, err := state.VerifyManifest(ctx, o.bucket, prefix, n.Key, report)
	if err != nil && !errors.Is(err, blob.ErrNotFound) {
		return nil, err
	}
	if m != nil {
		v.Files, v.Bytes = len(m.Files), m.SizeBytes()
	}
	if m == nil || len(v.Faults) > 0 {
		return v.unlessPruned(ctx, o)
	}
	if !deep {
		return v, nil
	}
	dir, err := os.MkdirTemp("", "tidemark-checkpoint-")
	if err != nil {
		return nil, fmt.Errorf("make a directory to restore it into: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := state.CheckManifest(ctx, o.bucket, prefix, n.Key, filepath.Join(dir, "state"), sh, report); err != nil && !errors.Is(err, blob.ErrNotFound) {
		return nil, err
	}
	if len(v.Faults) > 0 {
		return v.unlessPruned(ctx, o)
	}
	return v, nil
}

// unlessPruned is v if its manifest is still there: the files of one that is pruned may go while they are read.
func (v *checkpointVerified) unlessPruned(ctx context.Context, o *opened) (*checkpointVerified, error) {
	_, err := o.bucket.Get(ctx, v.Key)
	if errors.Is(err, blob.ErrNotFound) {
		return nil, nil
	}
	return v, err
}

func printCheckpointsVerified(p *printer, found []checkpointVerified) {
	for _, v := range found {
		if len(v.Faults) == 0 {
			p.line("task %d at %s: ok, %s of %s", v.Task, v.Cut, plural(v.Files, "file", "files"), size(v.Bytes))
			continue
		}
		p.line("task %d at %s: %s in %s", v.Task, v.Cut, plural(len(v.Faults), "fault", "faults"), v.Key)
		for _, f := range v.Faults {
			p.line("  %s: %s: %s", f.Kind, f.Where, f.What)
		}
	}
}
