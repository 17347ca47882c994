package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"

	"github.com/tidemark-io/tidemark/state"
	"github.com/tidemark-io/tidemark/stream/kafka"
	"github.com/tidemark-io/tidemark/stream/pipeline"
)

// The exit codes, which scripts and schedulers rely on.
const (
	exitOK       = 0   // done; no difference
	exitFailed   = 1   // failed, and one line says what, where and what to do
	exitUsage    = 2   // the command line or the pipeline file is wrong; nothing was touched
	exitDiffers  = 3   // a difference was found
	exitHeld     = 4   // the guard holds: an approval is needed
	exitTryAgain = 5   // not ready, lock held, broker away, timeout
	exitSignal   = 128 // plus the signal's number, after a clean stop
)

// codeError is an error that knows its exit code. Its text is empty when the result that was printed says it all.
type codeError struct {
	code int
	err  error
}

func (e *codeError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e *codeError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error {
	return &codeError{exitUsage, fmt.Errorf(format, args...)}
}

func tryAgainf(format string, args ...any) error {
	return &codeError{exitTryAgain, fmt.Errorf(format, args...)}
}

// The result is on stdout and says it; the exit code repeats it for scripts.
var errDiffers = &codeError{code: exitDiffers}

// exitCode is the one mapping from what a command returned to the process's exit code.
func exitCode(ctx context.Context, err error) int {
	var coded *codeError
	signal, stopped := stoppedBy(ctx)
	switch {
	case stopped && (err == nil || errors.Is(err, context.Canceled) || errors.Is(err, signalled{signal})):
		return exitSignal + int(signal)
	case err == nil:
		return exitOK
	case errors.As(err, &coded):
		return coded.code
	case temporary(err):
		return exitTryAgain
	}
	return exitFailed
}

// temporary says that the same command may well succeed a little later.
func temporary(err error) bool {
	var network net.Error
	var operation *net.OpError
	return errors.Is(err, kafka.ErrFenced) ||
		errors.Is(err, kafka.ErrUnknownOutcome) ||
		errors.Is(err, context.DeadlineExceeded) ||
		errors.Is(err, state.ErrLocked) ||
		errors.Is(err, syscall.EWOULDBLOCK) || // the embedded broker's folder has a process
		errors.As(err, &operation) ||
		errors.As(err, &network) && network.Timeout()
}

// advice is what to do about an error that doesn't say it itself.
func advice(err error) string {
	var operation *net.OpError
	switch {
	case errors.As(err, &operation) && operation.Op == "dial":
		return "; is the broker up? tidemark dev runs one on this machine, --brokers names others"
	case errors.Is(err, kafka.ErrInstanceFenced):
		return "; give each process of a pipeline an --id of its own"
	}
	return ""
}

// shown is an error as it is shown: what went wrong and what to do, on one line. Only the faults of a pipeline file,
// which come all at once, stand on lines of their own, each beginning with its place as editors know it.
func shown(err error) string {
	var faults pipeline.Faults
	if errors.As(err, &faults) {
		return faults.Error()
	}
	return "tidemark: " + strings.Join(strings.FieldsFunc(err.Error(), func(r rune) bool { return r == '\n' || r == '\r' }), "; ") + advice(err)
}
