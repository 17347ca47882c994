package statetest

import (
	"context"
	"fmt"

	"github.com/tidemark-io/tidemark/lake/blob"
)

// Bucket wraps a bucket. Before each call it calls Hook with the method's name
// and the key, and fails the call with what Hook returns.
type Bucket struct {
	blob.Bucket
	Hook func(method, key string) error
}

var _ blob.Bucket = (*Bucket)(nil)

func (b *Bucket) hook(method, key string) error {
	if b.Hook == nil {
		return nil
	}
	if err := b.Hook(method, key); err != nil {
		return fmt.Errorf("%s %s: %w", method, key, err)
	}
	return nil
}

// Put implements blob.Bucket.
func (b *Bucket) Put(ctx context.Context, key string, pieces ...[]byte) error {
	if err := b.hook("put", key); err != nil {
		return err
	}
	return b.Bucket.Put(ctx, key, pieces...)
}

// PutIfAbsent implements blob.Bucket.
func (b *Bucket) PutIfAbsent(ctx context.Context, key string, pieces ...[]byte) error {
	if err := b.hook("put-if-absent", key); err != nil {
		return err
	}
	return b.Bucket.PutIfAbsent(ctx, key, pieces...)
}

// Get implements blob.Bucket.
func (b *Bucket) Get(ctx context.Context, key string) ([]byte, error) {
	if err := b.hook("get", key); err != nil {
		return nil, err
	}
	return b.Bucket.Get(ctx, key)
}

// GetRange implements blob.Bucket.
func (b *Bucket) GetRange(ctx context.Context, key string, off, n int64) ([]byte, error) {
	if err := b.hook("get-range", key); err != nil {
		return nil, err
	}
	return b.Bucket.GetRange(ctx, key, off, n)
}

// List implements blob.Bucket.
func (b *Bucket) List(ctx context.Context, prefix string, fn func(blob.Object) error) error {
	if err := b.hook("list", prefix); err != nil {
		return err
	}
	return b.Bucket.List(ctx, prefix, fn)
}

// Delete implements blob.Bucket.
func (b *Bucket) Delete(ctx context.Context, key string) error {
	if err := b.hook("delete", key); err != nil {
		return err
	}
	return b.Bucket.Delete(ctx, key)
}
