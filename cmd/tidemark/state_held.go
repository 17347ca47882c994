package main

import (
	"errors"
	"fmt"

	"github.com/tidemark-io/tidemark/state"
)

// heldError says that a process has the state open that a command was to read.
type heldError struct {
	what string // whose state
	fix  string
	err  error
}

func (e *heldError) Error() string {
	return fmt.Sprintf("%s: a run has this state open: %s", e.what, e.fix)
}
func (e *heldError) Unwrap() error { return e.err }

// ofDir says of which task's state an error is.
func (d *stateChecked) ofDir(err error) error {
	if errors.Is(err, state.ErrLocked) {
		return &heldError{what: fmt.Sprintf("task %d (--id %s)", d.Task, d.ID), err: err,
			fix: "stop it, or look at what is in the bucket: checkpoint ls, checkpoint verify, state get --from checkpoint"}
	}
	return fmt.Errorf("task %d in %s: %w", d.Task, d.Dir, err)
}
