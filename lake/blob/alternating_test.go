package blob_test

import (
	"context"
	"sync/atomic"

	"github.com/tidemark-io/tidemark/lake/blob"
)

// alternating sends every call to the other one of two buckets.
type alternating struct {
	a, b blob.Bucket
	n    atomic.Int64
}

func (x *alternating) next() blob.Bucket {
	if x.n.Add(1)%2 == 0 {
		return x.a
	}
	return x.b
}

func (x *alternating) Put(ctx context.Context, key string, pieces ...[]byte) error {
	return x.next().Put(ctx, key, pieces...)
}

func (x *alternating) PutIfAbsent(ctx context.Context, key string, pieces ...[]byte) error {
	return x.next().PutIfAbsent(ctx, key, pieces...)
}

func (x *alternating) Get(ctx context.Context, key string) ([]byte, error) {
	return x.next().Get(ctx, key)
}

func (x *alternating) GetRange(ctx context.Context, key string, off, n int64) ([]byte, error) {
	return x.next().GetRange(ctx, key, off, n)
}

func (x *alternating) List(ctx context.Context, prefix string, fn func(blob.Object) error) error {
	return x.next().List(ctx, prefix, fn)
}

func (x *alternating) Delete(ctx context.Context, key string) error {
	return x.next().Delete(ctx, key)
}
