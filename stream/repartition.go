package stream

import (
	"context"

	"github.com/tidemark-io/tidemark/crashpoint"
	"github.com/tidemark-io/tidemark/state"
)

// purge deletes from the repartition topic what no kept checkpoint of the task needs for a replay, once there are enough of
// them; one that is known to be damaged is none. The topic has no retention of its own: age says nothing of what is still needed.
func (r *runner) purge(ctx context.Context, t *task, whole []state.ManifestName) error {
	if t.repartition == "" {
		return nil
	}
	last := len(t.inputs) - 1
	oldest := t.inputs[last].committed
	kept := 0
	for _, name := range whole {
		if name.Fingerprint != t.plan.Fingerprint || len(name.Next) != len(t.inputs) {
			continue
		}
		kept++
		oldest = min(oldest, name.Next[last])
	}
	ends := r.observed[t.repartition][t.id]
	if kept < r.o.Plan.Pipeline.State.Keep || oldest <= ends.Start {
		return nil // a task without enough that are whole may have to be replayed from its birth
	}
	defer crashpoint.Hit("repartition/purged")
	return r.admin.DeleteRecords(ctx, t.repartition, t.id, oldest)
}
