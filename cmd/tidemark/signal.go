package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"
)

// signalled is why a context ended when the process was told to stop.
type signalled struct{ signal syscall.Signal }

func (s signalled) Error() string { return "stopped by " + s.signal.String() }

// withSignals gives a context that ends at the first SIGINT or SIGTERM: commands then stop cleanly, with what they
// had begun either finished or never seen. A second signal ends the process at once.
func withSignals(parent context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 2)
	done := make(chan struct{})
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		for first := true; ; first = false {
			select {
			case <-done:
				return
			case s := <-signals:
				number, ok := s.(syscall.Signal)
				if !ok {
					continue
				}
				if !first {
					os.Exit(exitSignal + int(number))
				}
				cancel(signalled{number})
			}
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(done)
		cancel(nil)
	}
}

// stoppedBy tells which signal, if any, ended the context.
func stoppedBy(ctx context.Context) (syscall.Signal, bool) {
	var s signalled
	if errors.As(context.Cause(ctx), &s) {
		return s.signal, true
	}
	return 0, false
}
