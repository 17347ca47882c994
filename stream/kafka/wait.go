package kafka

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"
)

// isDial says whether err is a connection that could not be made: a broker that restarts refuses for a while.
func isDial(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

// Tries of a request that a broker may refuse for a while: a coordinator that loads, or whose topic is being created
// on a new cluster, a leader that moves, a broker that restarts. With the pauses between they last about 13 s.
const (
	tries    = 40
	pauseMax = 500 * time.Millisecond
)

// persist calls do until it succeeds, fails for good, or has been tried often enough.
func persist(ctx context.Context, do func() error) error {
	for try := 1; ; try++ {
		err := do()
		if err == nil || !retriable(err) || try == tries || errors.Is(err, ErrNoTopic) && try >= 5 {
			return err
		}
		if waited := pause(ctx, min(pauseMax, time.Duration(try)*20*time.Millisecond)); waited != nil {
			return fmt.Errorf("%w: %w", waited, err)
		}
	}
}

// pause waits for d or until ctx is done, and returns the context's error then.
func pause(ctx context.Context, d time.Duration) error {
	timer, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	<-timer.Done()
	return ctx.Err()
}

// ask returns when do has answered, or when ctx is done: while the client shakes hands with a broker that says nothing
// it does not look at the context, for ten seconds. do ends then, or when its client is closed.
func ask[T any](ctx context.Context, do func() (T, error)) (T, error) {
	type answer struct {
		value T
		err   error
	}
	done := make(chan answer, 1)
	go func() {
		value, err := do()
		done <- answer{value, err}
	}()
	select {
	case got := <-done:
		return got.value, got.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}
