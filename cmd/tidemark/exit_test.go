package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
	"testing"

	"github.com/tidemark-io/tidemark/reconcile"
	"github.com/tidemark-io/tidemark/state"
	"github.com/tidemark-io/tidemark/stream/kafka"
	"github.com/tidemark-io/tidemark/stream/pipeline"
)

// The codes are a promise to schedulers: retry only 1 and 5.
func TestExitCodes(t *testing.T) {
	dial := &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	for _, c := range []struct {
		name string
		err  error
		want int
	}{
		{"done", nil, 0},
		{"any failure", errors.New("x"), 1},
		{"wrong flags", usagef("x"), 2},
		{"a pipeline's faults", fmt.Errorf("load: %w", &codeError{exitUsage, pipeline.Faults{{Msg: "x"}}}), 2},
		{"no such plan", reconciled(fmt.Errorf("x: %w", reconcile.ErrNoPlan)), 2},
		{"a difference", errDiffers, 3},
		{"a difference, and nothing else went wrong", errors.Join(nil, errDiffers), 3},
		{"a stale plan", reconciled(&reconcile.StaleError{}), 3},
		{"the guard holds", reconciled(fmt.Errorf("x: %w", &reconcile.HeldError{})), 4},
		{"the guard refuses", reconciled(&reconcile.GuardError{}), 1},
		{"another worker", reconciled(fmt.Errorf("x: %w", reconcile.ErrTryAgain)), 5},
		{"fenced", fmt.Errorf("x: %w", kafka.ErrFenced), 5},
		{"outcome unknown", fmt.Errorf("x: %w", kafka.ErrUnknownOutcome), 5},
		{"same instance id", kafka.ErrInstanceFenced, 1},
		{"broker away", fmt.Errorf("x: %w", dial), 5},
		{"state in use", fmt.Errorf("x: %w", state.ErrLocked), 5},
		{"timeout", fmt.Errorf("x: %w", context.DeadlineExceeded), 5},
		{"cancelled, but by no signal", context.Canceled, 1},
	} {
		if got := exitCode(t.Context(), c.err); got != c.want {
			t.Errorf("%s: exit %d, want %d", c.name, got, c.want)
		}
	}
}

func TestSignalsGiveTheirCodes(t *testing.T) {
	for _, c := range []struct {
		signal syscall.Signal
		err    error
		want   int
	}{
		{syscall.SIGINT, nil, 130},
		{syscall.SIGTERM, fmt.Errorf("run: %w", context.Canceled), 143},
		{syscall.SIGTERM, errors.New("the last commit failed"), 1},
		{syscall.SIGTERM, errors.Join(context.Canceled, errors.New("the broker lost data")), 143},
	} {
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(signalled{c.signal})
		if got := exitCode(ctx, c.err); got != c.want {
			t.Errorf("%v and %v: exit %d, want %d", c.signal, c.err, got, c.want)
		}
	}
}

// One line: what, where, what to do.
func TestErrorsAreOneLine(t *testing.T) {
	err := errors.Join(errors.New("a"), fmt.Errorf("b\r\n%w", &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}))
	got := shown(err)
	if strings.ContainsAny(got, "\n\r") || !strings.HasPrefix(got, "tidemark: a; b; dial tcp") || !strings.HasSuffix(got, "--brokers names others") {
		t.Errorf("got %q", got)
	}
	faults := pipeline.Faults{{File: "f.yaml", Line: 1, Col: 2, Msg: "x"}, {File: "f.yaml", Line: 3, Col: 4, Msg: "y"}}
	if got, want := shown(&codeError{exitUsage, faults}), "f.yaml:1:2: x\nf.yaml:3:4: y"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
