package stream

import (
	"context"
	"errors"
	"fmt"

	"github.com/tidemark-io/tidemark/lake/blob"
	"github.com/tidemark-io/tidemark/state"
)

// checkpoint is a manifest and the key it was read from.
type checkpoint struct {
	key string
	*state.Manifest
}

// checkpointWhere returns the newest valid checkpoint of a task, made by this definition of the results, whose cut is
// accepted; nil if there is none. Manifests that are corrupt, or whose files turned out to be, are passed over.
func (r *runner) checkpointWhere(ctx context.Context, id int32, accept func(*state.Cut) bool) (*checkpoint, error) {
	names, err := state.Manifests(ctx, r.o.Bucket, r.checkpointPrefix(id))
	if err != nil {
		return nil, fmt.Errorf("list checkpoints of task %d: %w", id, err)
	}
	for _, name := range names {
		if name.Fingerprint != r.o.Plan.Fingerprint || r.suspected(name.Key) {
			continue
		}
		m, err := state.LoadManifest(ctx, r.o.Bucket, name.Key)
		var corrupt *state.CorruptError
		if errors.Is(err, blob.ErrNotFound) {
			continue // pruned since it was listed
		}
		if err == nil {
			if err = r.ofTask(&m.Cut, id); err != nil {
				err = &state.CorruptError{Path: name.Key, What: err.Error()}
			}
		}
		if errors.As(err, &corrupt) {
			r.notWhole(id, name.Key, err)
			r.log.Warn("checkpoint passed over", "task", id, "checkpoint", name.Key, "err", err)
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("task %d: %w", id, err)
		}
		if accept(&m.Cut) {
			return &checkpoint{key: name.Key, Manifest: m}, nil
		}
	}
	return nil, nil
}

// siblings returns the newest checkpointed cut of every task of the pipeline, wherever it runs. Tasks without one are
// missing. It is how processes learn of each other: through what is durable.
func (r *runner) siblings(ctx context.Context) (map[int32]*state.Cut, error) {
	cuts := make(map[int32]*state.Cut, r.width())
	for id := range r.width() {
		newest, err := r.checkpointWhere(ctx, id, func(*state.Cut) bool { return true })
		if err != nil {
			return nil, err
		}
		if newest != nil {
			cuts[id] = &newest.Cut
		}
	}
	return cuts, nil
}

func (r *runner) checkpointPrefix(id int32) string {
	return fmt.Sprintf("checkpoints/%s/%d", r.o.Plan.Pipeline.Name, id)
}
