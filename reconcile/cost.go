package reconcile

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/tidemark-io/tidemark/lake/blob"
)

// meter is a bucket that counts what is asked of it. It is safe for concurrent use as the bucket under it is.
type meter struct {
	blob.Bucket
	bytesRead, gets, puts, lists atomic.Int64
}

var _ blob.Bucket = (*meter)(nil)

func (m *meter) Put(ctx context.Context, key string, pieces ...[]byte) error {
	m.puts.Add(1)
	return m.Bucket.Put(ctx, key, pieces...)
}

func (m *meter) PutIfAbsent(ctx context.Context, key string, pieces ...[]byte) error {
	m.puts.Add(1)
	return m.Bucket.PutIfAbsent(ctx, key, pieces...)
}

func (m *meter) Get(ctx context.Context, key string) ([]byte, error) {
	m.gets.Add(1)
	b, err := m.Bucket.Get(ctx, key)
	m.bytesRead.Add(int64(len(b)))
	return b, err
}

func (m *meter) GetRange(ctx context.Context, key string, off, n int64) ([]byte, error) {
	m.gets.Add(1)
	b, err := m.Bucket.GetRange(ctx, key, off, n)
	m.bytesRead.Add(int64(len(b)))
	return b, err
}

func (m *meter) List(ctx context.Context, prefix string, fn func(blob.Object) error) error {
	m.lists.Add(1)
	return m.Bucket.List(ctx, prefix, fn)
}

// costMark is where the counters stood when something began.
type costMark struct {
	cpu  time.Duration
	cost Cost
}

func (r *Reconciler) mark() costMark {
	return costMark{cpu: r.opt.CPU(), cost: Cost{
		BytesRead: r.bucket.bytesRead.Load(), Gets: r.bucket.gets.Load(), Puts: r.bucket.puts.Load(), Lists: r.bucket.lists.Load(),
		Records: r.records,
	}}
}

// since is what was spent after m.
func (r *Reconciler) since(m costMark) Cost {
	now := r.mark()
	return Cost{
		CPUSeconds: (now.cpu - m.cpu).Seconds(),
		BytesRead:  now.cost.BytesRead - m.cost.BytesRead,
		Gets:       now.cost.Gets - m.cost.Gets,
		Puts:       now.cost.Puts - m.cost.Puts,
		Lists:      now.cost.Lists - m.cost.Lists,
		Records:    now.cost.Records - m.cost.Records,
	}
}
