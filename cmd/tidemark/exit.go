package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/tidemark-io/tidemark/stream/kafka"
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
var (
	errDiffers = &codeError{code: exitDiffers}
	errHeld    = &codeError{code: exitHeld}
)

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
		errors.As(err, &operation) ||
		errors.As(err, &network) && network.Timeout()
}

// oneLine is an error as it is shown: joined errors stand on lines of their own, everything else on one.
func oneLine(err error) string {
	lines := strings.Split(strings.TrimSpace(err.Error()), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " \t\r")
	}
	return strings.Join(lines, "\n")
}
