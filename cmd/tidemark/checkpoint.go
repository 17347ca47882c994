package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tidemark-io/tidemark/lake/blob"
	"github.com/tidemark-io/tidemark/state"
	"github.com/tidemark-io/tidemark/stream/pipeline"
)

func (a *app) checkpointCommand() *cobra.Command {
	return group("checkpoint", "Look into the checkpoints in the bucket: ls, verify; delete old ones: prune",
		a.checkpointListCommand(), a.checkpointVerifyCommand(), a.checkpointPruneCommand())
}

// anyTask is the value of --task that means all.
const anyTask = -1

// checkpointsPrefix is where all checkpoints of a pipeline are.
func checkpointsPrefix(p *pipeline.Pipeline) string { return "checkpoints/" + p.Name }

func checkpointPrefix(p *pipeline.Pipeline, task int32) string {
	return fmt.Sprintf("%s/%d", checkpointsPrefix(p), task)
}

// checkpointTasks are the tasks that have checkpoints, or the one that is asked for.
func checkpointTasks(ctx context.Context, o *opened, only int32) ([]int32, error) {
	if only < anyTask {
		return nil, usagef("--task %d: tasks are numbered from 0", only)
	}
	tasks, err := state.Tasks(ctx, o.bucket, checkpointsPrefix(o.plan.Pipeline))
	if err != nil || only == anyTask {
		return tasks, err
	}
	for _, t := range tasks {
		if t == only {
			return []int32{t}, nil
		}
	}
	return nil, nil
}

// noCheckpoints is what is said where there are none.
func noCheckpoints(p *pipeline.Pipeline, only int32) string {
	of := "pipeline " + p.Name
	if only != anyTask {
		of = fmt.Sprintf("task %d of %s", only, of)
	}
	return fmt.Sprintf("no checkpoint of %s in %s: a run makes the first after state.checkpoint_every", of, p.Lake.Bucket)
}

// newestCheckpoint is the newest valid checkpoint that accept takes; nil if there is none.
func newestCheckpoint(ctx context.Context, o *opened, task int32, accept func(state.ManifestName) bool) (string, *state.Manifest, error) {
	names, err := state.Manifests(ctx, o.bucket, checkpointPrefix(o.plan.Pipeline, task))
	if err != nil {
		return "", nil, err
	}
	for _, n := range names {
		if n.Fingerprint != o.plan.Fingerprint || !accept(n) {
			continue
		}
		m, err := state.LoadManifest(ctx, o.bucket, n.Key)
		var corrupt *state.CorruptError
		if errors.As(err, &corrupt) || errors.Is(err, blob.ErrNotFound) {
			continue // an older one will do; checkpoint verify tells of it
		}
		return n.Key, m, err
	}
	return "", nil, nil
}

// cutText is a cut for people: the next offset of each source, joined as in `stream` messages, and the decision.
func cutText(p state.Position) string {
	texts := make([]string, len(p.Next))
	for i, next := range p.Next {
		texts[i] = fmt.Sprint(next)
	}
	return strings.Join(texts, "+")
}

func onlyTask(c *cobra.Command, task *int32) {
	c.Flags().Int32Var(task, "task", anyTask, "only this task")
}
