package sim

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/tidemark-io/tidemark/lake/blob"
)

var (
	errUnavailable = errors.New("503 service unavailable (injected)")
	errDead        = errors.New("the process is dead")
)

// climate says how often calls to the bucket go wrong. It is shared by all processes of a life.
type climate struct {
	mu    sync.Mutex
	rng   *rand.Rand
	rate  float64
	slow  float64 // of all calls
	pause time.Duration
	calm  bool
	met   int
}

// draw says whether the call fails before or after it is done, and how long it takes.
func (c *climate) draw() (before, after bool, pause time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.calm {
		return false, false, 0
	}
	if c.slow > 0 && c.rng.Float64() < c.slow {
		pause = time.Duration(c.rng.Int64N(int64(c.pause)))
	}
	if c.rate > 0 && c.rng.Float64() < c.rate {
		c.met++
		before = c.rng.IntN(2) == 0
		after = !before
	}
	return before, after, pause
}

func (c *climate) ends() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calm = true
}

// bucket is the bucket as one process sees it.
type bucket struct {
	inner   blob.Bucket
	climate *climate
	// before and after are called around each call, if set.
	before, after func()

	mu    sync.Mutex
	dead  bool
	thaws time.Time
}

var _ blob.Bucket = (*bucket)(nil)

func (b *bucket) cut() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.dead = true
}

func (b *bucket) freeze(until time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.thaws = until
}

func (b *bucket) state() (dead bool, thaws time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.dead, b.thaws
}

func (b *bucket) around(ctx context.Context, op, key string, call func() error) error {
	if b.before != nil {
		b.before()
	}
	before, after, pause := b.climate.draw()
	dead, thaws := b.state()
	if !thaws.IsZero() {
		pause += max(0, time.Until(thaws))
	}
	if pause > 0 {
		sleep(ctx, pause)
		dead, _ = b.state()
	}
	if dead {
		return fmt.Errorf("%s %s: %w", op, key, errDead)
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%s %s: %w", op, key, err)
	}
	if before {
		return fmt.Errorf("%s %s, not done: %w", op, key, errUnavailable)
	}
	err := call()
	if b.after != nil {
		b.after()
		if dead, _ := b.state(); dead {
			return fmt.Errorf("%s %s: %w", op, key, errDead)
		}
	}
	if err == nil && after {
		return fmt.Errorf("%s %s, done: %w", op, key, errUnavailable)
	}
	return err
}

func (b *bucket) Put(ctx context.Context, key string, pieces ...[]byte) error {
	return b.around(ctx, "put", key, func() error { return b.inner.Put(ctx, key, pieces...) })
}

func (b *bucket) PutIfAbsent(ctx context.Context, key string, pieces ...[]byte) error {
	return b.around(ctx, "put if absent", key, func() error { return b.inner.PutIfAbsent(ctx, key, pieces...) })
}

func (b *bucket) Get(ctx context.Context, key string) (data []byte, err error) {
	err = b.around(ctx, "get", key, func() error {
		var err error
		data, err = b.inner.Get(ctx, key)
		return err
	})
	if err != nil {
		return nil, err
	}
	return data, nil
}

func (b *bucket) GetRange(ctx context.Context, key string, off, n int64) (data []byte, err error) {
	err = b.around(ctx, "get range", key, func() error {
		var err error
		data, err = b.inner.GetRange(ctx, key, off, n)
		return err
	})
	if err != nil {
		return nil, err
	}
	return data, nil
}

func (b *bucket) List(ctx context.Context, prefix string, fn func(blob.Object) error) error {
	return b.around(ctx, "list", prefix, func() error { return b.inner.List(ctx, prefix, fn) })
}

func (b *bucket) Delete(ctx context.Context, key string) error {
	return b.around(ctx, "delete", key, func() error { return b.inner.Delete(ctx, key) })
}

// sleep lets virtual time pass, or returns when the context ends.
func sleep(ctx context.Context, d time.Duration) {
	short, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	<-short.Done()
}
