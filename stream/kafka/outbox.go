package kafka

import (
	"context"
	"fmt"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sync/semaphore"
)

// What a producer holds at most, keys and values and a fixed price a record.
const (
	outboxBytes       = 32 << 20
	outboxRecordPrice = 128
)

// outbox is the way of records into the client. The client has limits of its own, but takes the context with
// which it waits for room also for the life of the record: a shutdown that cancels it would fail the records of the
// last commit. So room is waited for here, and the record lives as long as the client.
type outbox struct {
	life context.Context
	room *semaphore.Weighted

	mu       sync.Mutex
	produced bool  // something was produced since the last reset
	failed   error // the first failure since then
	acked    int64 // confirmed by the broker, ever
}

func newOutbox(life context.Context) *outbox {
	return &outbox{life: life, room: semaphore.NewWeighted(outboxBytes)}
}

func (b *outbox) put(ctx context.Context, to func(context.Context, *kgo.Record, func(*kgo.Record, error)), r *kgo.Record) {
	price := int64(outboxRecordPrice + len(r.Key) + len(r.Value))
	for i := range r.Headers {
		price += int64(len(r.Headers[i].Key) + len(r.Headers[i].Value))
	}
	price = min(price, outboxBytes)
	b.mu.Lock()
	b.produced = true
	b.mu.Unlock()
	if err := b.room.Acquire(ctx, price); err != nil {
		b.done(r, fmt.Errorf("wait for room: %w", err))
		return
	}
	r.Context = b.life
	to(b.life, r, func(r *kgo.Record, err error) {
		b.room.Release(price)
		b.done(r, err)
	})
}

func (b *outbox) done(r *kgo.Record, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
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
