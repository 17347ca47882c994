package state

import (
	"context"
	"fmt"

	"golang.org/x/sync/semaphore"
)

// allowance bounds the bytes of files that are in memory at once. A file that
// is larger than all of it waits for all of it: there is one of those at most.
type allowance struct {
	max  int64
	free *semaphore.Weighted
}

func newAllowance(n int64) *allowance { return &allowance{max: n, free: semaphore.NewWeighted(n)} }

// take waits for n bytes; the result gives them back.
func (a *allowance) take(ctx context.Context, n int64) (release func(), err error) {
	n = min(n, a.max)
	if err := a.free.Acquire(ctx, n); err != nil {
		return nil, fmt.Errorf("wait for memory: %w", err)
	}
	return func() { a.free.Release(n) }, nil
}
