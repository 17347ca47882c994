package kafka

import (
	"context"
	"errors"
	"net"
	"time"
)

// isDial says whether err is a connection that could not be made: a broker that restarts refuses for a while.
func isDial(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

// pause waits for d or until ctx is done, and returns the context's error then.
func pause(ctx context.Context, d time.Duration) error {
	timer, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	<-timer.Done()
	return ctx.Err()
}
