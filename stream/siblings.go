package stream

import (
	"context"
	"errors"
	"fmt"

	"github.com/tidemark-io/tidemark/state"
)

// siblings returns the newest checkpointed cut of every task of the pipeline, wherever it runs. Tasks without one are
// missing. It is how processes learn of each other: through what is durable.
func (r *runner) siblings(ctx context.Context) (map[int32]*state.Cut, error) {
	cuts := make(map[int32]*state.Cut, r.topic.Partitions)
	for id := range r.topic.Partitions {
		names, err := state.Manifests(ctx, r.o.Bucket, r.checkpointPrefix(id))
		if err != nil {
			return nil, fmt.Errorf("list checkpoints of task %d: %w", id, err)
		}
		for _, name := range names {
			if name.Fingerprint != r.o.Plan.Fingerprint {
				continue
			}
			m, err := state.LoadManifest(ctx, r.o.Bucket, name.Key)
			var corrupt *state.CorruptError
			if errors.As(err, &corrupt) {
				r.log.Warn("checkpoint passed over", "task", id, "checkpoint", name.Key, "err", err)
				continue
			}
			if err != nil {
				return nil, fmt.Errorf("task %d: %w", id, err)
			}
			cuts[id] = &m.Cut
			break
		}
	}
	return cuts, nil
}
