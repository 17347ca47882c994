package reconcile

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/tidemark-io/tidemark/lake/blob"
	"github.com/tidemark-io/tidemark/state"
	"github.com/tidemark-io/tidemark/stream/flow"
	"github.com/tidemark-io/tidemark/stream/pipeline"
)

// taskState is what the newest valid checkpoint of a task says: read from the bucket, so known while nothing runs.
type taskState struct {
	task        int32
	found       bool
	fingerprint string  // what follows is known only of a cut of the plan's inputs
	reached     int64   // the lowest watermark of its inputs, ms: up to there its windows are closed; math.MinInt64 if there is none
	next        []int64 // cut in the source partitions
	born        []int64 // where the task began in them
}

// loadTasks reads the newest valid manifest of each of n tasks. A corrupt one is passed over for the next older,
// which says less but nothing wrong.
func loadTasks(ctx context.Context, b blob.Bucket, p *pipeline.Plan, n int32) ([]taskState, error) {
	out := make([]taskState, n)
	for t := range out {
		out[t] = taskState{task: int32(t), reached: math.MinInt64}
		if err := out[t].load(ctx, b, p); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (t *taskState) load(ctx context.Context, b blob.Bucket, p *pipeline.Plan) error {
	prefix := fmt.Sprintf("checkpoints/%s/%d", p.Pipeline.Name, t.task)
	names, err := state.Manifests(ctx, b, prefix)
	if err != nil {
		return fmt.Errorf("checkpoints of task %d: %w", t.task, err)
	}
	for _, name := range names {
		m, err := state.LoadManifest(ctx, b, name.Key)
		var corrupt *state.CorruptError
		if errors.As(err, &corrupt) || errors.Is(err, blob.ErrNotFound) { // pruned since it was listed
			continue
		}
		if err != nil {
			return fmt.Errorf("checkpoint %s: %w", name.Key, err)
		}
		if t.take(&m.Cut, p) {
			return nil
		}
	}
	return nil
}

// take reads a cut; false if it isn't over the inputs of the pipeline, although it says that it is this one's. Of another
// pipeline file's with other sources no more is known than that.
func (t *taskState) take(cut *state.Cut, p *pipeline.Plan) bool {
	ours := len(cut.Sources) == flow.Inputs(p)
	for i := 0; ours && i < len(p.Sources); i++ {
		ours = cut.Sources[i].Topic == p.Sources[i].Topic && cut.Sources[i].Partition == t.task
	}
	if !ours && cut.Fingerprint == p.Fingerprint {
		return false
	}
	if !ours {
		t.found, t.fingerprint = true, cut.Fingerprint
		return true
	}
	t.found, t.fingerprint, t.reached = true, cut.Fingerprint, math.MaxInt64
	for i := range cut.Sources {
		t.reached = min(t.reached, cut.Sources[i].Reached)
	}
	for i := range p.Sources {
		t.next, t.born = append(t.next, cut.Sources[i].Next), append(t.born, cut.Sources[i].Born)
	}
	return true
}

// closedUpTo is the lowest watermark of all tasks: every window that closes at or below it is closed everywhere.
func closedUpTo(tasks []taskState) int64 {
	low := int64(math.MaxInt64)
	for i := range tasks {
		low = min(low, tasks[i].reached)
	}
	return low
}

// waitsFor says, one sentence each, why windows that close at bound can't be reconciled yet; nothing if they can.
func waitsFor(tasks []taskState, p *pipeline.Plan, sources []*topicIndex, bound int64) []string {
	var waits []string
	add := func(format string, args ...any) { waits = append(waits, fmt.Sprintf(format, args...)) }
	for i := range tasks {
		switch t := &tasks[i]; {
		case !t.found:
			add("task %d has no checkpoint yet: `tidemark run` makes one", t.task)
		case t.fingerprint != p.Fingerprint:
			add("task %d runs fingerprint %s, this pipeline file is %s: run the pipeline with this file, or reconcile with that one",
				t.task, t.fingerprint, p.Fingerprint)
		case t.reached < bound:
			add("task %d has reached %s, the last window closes at %s", t.task, timeText(t.reached), timeText(bound))
		default:
			for s, src := range sources {
				waits = append(waits, t.waitsForLake(s, src)...)
			}
		}
	}
	return waits
}

// waitsForLake says what is missing in the lake of one source.
func (t *taskState) waitsForLake(s int, src *topicIndex) []string {
	switch {
	case src.starts[t.task] > t.born[s]:
		return []string{fmt.Sprintf("the lake of %s/%d begins at offset %d, task %d began at %d: records that counted are not in this lake",
			src.name, t.task, src.starts[t.task], t.task, t.born[s])}
	case src.ends[t.task] < t.next[s]:
		return []string{fmt.Sprintf("the lake has landed %s/%d up to offset %d, task %d has read up to %d", src.name, t.task, src.ends[t.task], t.task, t.next[s])}
	}
	return nil
}

// timeText is an event time (ms) for people.
func timeText(ms int64) string {
	if ms == math.MinInt64 {
		return "no event time at all"
	}
	return time.UnixMilli(ms).UTC().Format(time.RFC3339)
}
