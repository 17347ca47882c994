package kafka

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sync/semaphore"
)

// What a producer holds at most, keys and values and a fixed price a record; and how long it waits for the
// broker to acknowledge, or refuse, any record at all.
const (
	outboxBytes       = 32 << 20
	outboxRecordPrice = 384
	outboxStall       = time.Minute
)

// outbox is the way of records into the client. The client has limits of its own, but takes the context with
// which it waits for room also for the life of the record: a shutdown that cancels it would fail the records of the
// last commit. So room is waited for here, and the record lives as long as the client.
type outbox struct {
	life  context.Context
	room  *semaphore.Weighted
	size  int64 // of room
	stall time.Duration

	mu       sync.Mutex
	produced bool  // something was produced since the last reset
	failed   error // the first failure since then
	acked    int64 // confirmed by the broker, ever
	settled  int64 // confirmed or failed, ever
}

func newOutbox(life context.Context, size int64) *outbox {
	return &outbox{life: life, room: semaphore.NewWeighted(size), size: size, stall: outboxStall}
}

func (b *outbox) put(ctx context.Context, to func(context.Context, *kgo.Record, func(*kgo.Record, error)), r *kgo.Record) {
	price := int64(outboxRecordPrice + len(r.Key) + len(r.Value))
	for i := range r.Headers {
		price += int64(len(r.Headers[i].Key) + len(r.Headers[i].Value))
	}
	price = min(price, b.size)
	b.mu.Lock()
	b.produced = true
	b.mu.Unlock()
	if !b.room.TryAcquire(price) {
		err := b.while(ctx, func(ctx context.Context) error { return b.room.Acquire(ctx, price) })
		if err != nil {
			b.done(r, fmt.Errorf("wait for room: %w", err))
			return
		}
	}
	r.Context = b.life
	to(b.life, r, func(r *kgo.Record, err error) {
		b.room.Release(price)
		b.done(r, err)
	})
}

// while waits as long as the broker goes on settling records.
func (b *outbox) while(ctx context.Context, wait func(context.Context) error) error {
	for {
		before := b.progress()
		turn, cancel := context.WithTimeout(ctx, b.stall)
		err := wait(turn)
		cancel()
		if err == nil || ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded) {
			return err
		}
		if b.progress() == before {
			return fmt.Errorf("the broker acknowledged nothing for %s: %w", b.stall, err)
		}
	}
}

func (b *outbox) progress() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.settled
}

func (b *outbox) done(r *kgo.Record, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.settled++
	if err == nil {
		b.acked++
		return
	}
	if b.failed == nil {
		b.failed = fmt.Errorf("produce to %s/%d: %w", r.Topic, r.Partition, classify(err))
	}
}

// state says whether anything was produced since the last reset, and the first failure.
func (b *outbox) state() (produced bool, failed error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.produced, b.failed
}

func (b *outbox) reset() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.produced, b.failed = false, nil
}

func (b *outbox) acknowledged() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.acked
}
