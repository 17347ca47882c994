package stream

import (
	"context"
	"errors"
	"fmt"
)

// misplacedError stops a task before a record that isn't in the partition that its key names, by as many partitions as its topic
// had when the session began.
type misplacedError struct{ *StopError }

func (e *misplacedError) Unwrap() error { return e.StopError }

// blamed is why a task stops before a record that isn't in its partition. A topic that has grown moves keys by itself, so that
// its partitions are counted before the key is to blame.
func (r *runner) blamed(ctx context.Context, err error) error {
	var misplaced *misplacedError
	if !errors.As(err, &misplaced) {
		return err
	}
	for _, src := range r.sources {
		info, asked := r.admin.Topic(ctx, src.Name)
		if asked != nil {
			return fmt.Errorf("partitions of %s: %w", src.Name, asked) // the next session comes to the same record
		}
		if info.Partitions != src.Partitions {
			return r.grown(src.Name, info.Partitions, src.Partitions)
		}
	}
	return err
}

// grown stops a task whose topic has other partitions than it had: records are where the new number of them puts their keys.
func (r *runner) grown(where string, now, was int32) *StopError {
	return &StopError{Where: where, What: fmt.Sprintf("the topic has %d partitions, it had %d", now, was),
		Fix: "keys have moved between partitions: " + r.fixChange("the topic has grown")}
}
