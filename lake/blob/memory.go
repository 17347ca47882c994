package blob

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Memory is a bucket in memory, for tests and for pipelines that keep nothing.
// It is safe for concurrent use.
type Memory struct {
	mu      sync.RWMutex
	objects map[string][]byte
}

var _ Bucket = (*Memory)(nil)

// NewMemory returns an empty bucket.
func NewMemory() *Memory { return &Memory{objects: map[string][]byte{}} }

// Put implements Bucket.
func (m *Memory) Put(ctx context.Context, key string, pieces ...[]byte) error {
	if err := begin(ctx, key); err != nil {
		return fmt.Errorf("put: %w", err)
	}
	data := slices.Concat(pieces...)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.objects[key] = data
	return nil
}

// PutIfAbsent implements Bucket.
func (m *Memory) PutIfAbsent(ctx context.Context, key string, pieces ...[]byte) error {
	if err := begin(ctx, key); err != nil {
		return fmt.Errorf("put if absent: %w", err)
	}
	data := slices.Concat(pieces...)
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, taken := m.objects[key]; taken {
		return fmt.Errorf("put %s: %w", key, ErrExists)
	}
	m.objects[key] = data
	return nil
}

// Get implements Bucket.
func (m *Memory) Get(ctx context.Context, key string) ([]byte, error) {
	data, err := m.look(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", key, err)
	}
	return slices.Clone(data), nil
}

// GetRange implements Bucket.
func (m *Memory) GetRange(ctx context.Context, key string, off, n int64) ([]byte, error) {
	if off < 0 || n < 0 {
		return nil, fmt.Errorf("get %s: range of %d bytes at %d", key, n, off)
	}
	data, err := m.look(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", key, err)
	}
	data = data[min(off, int64(len(data))):]
	return slices.Clone(data[:min(n, int64(len(data)))]), nil
}

// look returns the stored bytes, which are never written again.
func (m *Memory) look(ctx context.Context, key string) ([]byte, error) {
	if err := begin(ctx, key); err != nil {
		return nil, err
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	data, ok := m.objects[key]
	if !ok {
		return nil, ErrNotFound
	}
	return data, nil
}

// List implements Bucket.
func (m *Memory) List(ctx context.Context, prefix string, fn func(Object) error) error {
	if err := validatePrefix(prefix); err != nil {
		return err
	}
	var found []Object
	m.mu.RLock()
	for key, data := range m.objects {
		if strings.HasPrefix(key, prefix) {
			found = append(found, Object{Key: key, Size: int64(len(data))})
		}
	}
	m.mu.RUnlock()
	slices.SortFunc(found, func(a, b Object) int { return strings.Compare(a.Key, b.Key) })
	for _, o := range found {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("list %q: %w", prefix, err)
		}
		if err := fn(o); err != nil {
			return err
		}
	}
	return nil
}

// Delete implements Bucket.
func (m *Memory) Delete(ctx context.Context, key string) error {
	if err := begin(ctx, key); err != nil {
		return fmt.Errorf("delete: %w", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.objects, key)
	return nil
}

// begin is the check that every operation on a key starts with.
func begin(ctx context.Context, key string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return ValidateKey(key)
}
