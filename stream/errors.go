package stream

import (
	"errors"
	"fmt"
)

// StopError stops the one task it concerns; the others go on. It says what, where, and what the operator can
// do. A task never resets or skips by itself.
type StopError struct {
	Where string // the task, topic partition or place
	What  string
	Fix   string
	Err   error
}

func (e *StopError) Error() string {
	s := fmt.Sprintf("%s: %s", e.Where, e.What)
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	if e.Fix != "" {
		s += "; " + e.Fix
	}
	return s
}

func (e *StopError) Unwrap() error { return e.Err }

// FingerprintError says that another definition of the pipeline's results is in force: this process must
// neither run nor publish.
type FingerprintError struct {
	Pipeline, InForce, Ours string
	Fix                     string
}

func (e *FingerprintError) Error() string {
	return fmt.Sprintf("pipeline %s: results are defined by fingerprint %s, this file says %s: "+
		"fields, event id, watermark, let, rules, group_by, windows or aggregates changed; %s", e.Pipeline, e.InForce, e.Ours, e.Fix)
}

// StoppedError is what a run to the end returns when tasks had to stop.
type StoppedError struct{ Tasks []error }

func (e *StoppedError) Error() string {
	return fmt.Sprintf("%d task(s) stopped: %v", len(e.Tasks), errors.Join(e.Tasks...))
}

func (e *StoppedError) Unwrap() []error { return e.Tasks }
