package peek

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"

	"github.com/tidemark-io/tidemark/lake/blob"
	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/state"
	"github.com/tidemark-io/tidemark/stream/curated"
	"github.com/tidemark-io/tidemark/stream/pipeline"
	"github.com/tidemark-io/tidemark/stream/window"
)

// Query says which windows are meant.
type Query struct {
	Output int
	Key    []byte // canonical bytes of the group key
	Within *int64 // ms: only windows that hold this time
}

// Window is an open window of the group.
type Window struct {
	Task       int32
	Start, End int64 // ms
	Events     int64
	Duplicates int64
	Values     []schema.Value
}

// TaskOf is the task, of width, that a group's windows are in; -1: the pipeline isn't rekeyed, so its source's key says, which the group
// alone doesn't tell.
func TaskOf(plan *pipeline.Plan, key []byte, width int32) int32 {
	if !plan.Rekeyed || width < 1 {
		return -1
	}
	return curated.Partition(key, width)
}

// Disk reads the state in dir.
func Disk(plan *pipeline.Plan, dir string, sh *state.Shared, q Query) (*state.Cut, []Window, error) {
	v, err := state.OpenView(dir, sh)
	if err != nil {
		return nil, nil, err
	}
	cut := v.Cut()
	if cut == nil {
		return nil, nil, v.Close()
	}
	if cut.Fingerprint != plan.Fingerprint {
		err := fmt.Errorf("the state was made by the definition %s, and the pipeline file is %s: say the file that made it", cut.Fingerprint, plan.Fingerprint)
		return nil, nil, errors.Join(err, v.Close())
	}
	found, err := windows(plan, v, q)
	for i := range found {
		found[i].Task = cut.Task
	}
	return cut, found, errors.Join(err, v.Close())
}

// Checkpoint reads a checkpoint that is restored for it.
func Checkpoint(ctx context.Context, plan *pipeline.Plan, b blob.Bucket, prefix string, m *state.Manifest, q Query) (_ []Window, err error) {
	sh, err := state.NewShared(state.SharedOptions{})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, sh.Close()) }()
	dir, err := os.MkdirTemp("", "tidemark-state-")
	if err != nil {
		return nil, fmt.Errorf("make a directory for the checkpoint: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	at := filepath.Join(dir, "state")
	if err := state.Restore(ctx, b, prefix, m, at, sh); err != nil {
		return nil, err
	}
	_, found, err := Disk(plan, at, sh, q)
	return found, err
}

// windows closes all open windows, in memory, and keeps those that are asked for.
func windows(plan *pipeline.Plan, back window.Backing, q Query) ([]Window, error) {
	engine, err := window.NewEngine(plan.Outputs, back, window.EngineOptions{})
	if err != nil {
		return nil, err
	}
	bound, ok := engine.Bound(math.MaxInt64)
	if !ok {
		return nil, nil
	}
	var found []Window
	err = engine.Close(bound, func(r *window.Result) error {
		if r.Output != q.Output || !bytes.Equal(r.Key, q.Key) || q.Within != nil && (*q.Within < r.Start || *q.Within >= r.End) {
			return nil
		}
		w := Window{Start: r.Start, End: r.End, Events: r.Events, Duplicates: r.Duplicates, Values: slices.Clone(r.Values)}
		for i := range w.Values {
			w.Values[i].Bytes = bytes.Clone(w.Values[i].Bytes)
		}
		found = append(found, w)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read open windows: %w", err)
	}
	return found, nil
}
