package blobtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/tidemark-io/tidemark/lake/blob"
)

// ErrInjected is wrapped by every error that Faulty makes up.
var ErrInjected = errors.New("injected fault")

// Mode says what an injected fault leaves behind.
type Mode uint8

const (
	// Before fails the call without doing it.
	Before Mode = iota
	// After does the call and then fails: the answer is lost.
	After
)

// Faulty wraps a bucket, counts its calls (from 1, reads included) and fails
// those it was told to. It is safe for concurrent use.
type Faulty struct {
	inner blob.Bucket

	mu    sync.Mutex
	calls int
	trace []string
	fail  map[int]Mode
	crash int // from this call on everything fails; 0 never
}

var _ blob.Bucket = (*Faulty)(nil)

// NewFaulty wraps a bucket; without further calls it injects nothing.
func NewFaulty(inner blob.Bucket) *Faulty {
	return &Faulty{inner: inner, fail: map[int]Mode{}}
}

// FailAt fails the n-th call, and only that one.
func (f *Faulty) FailAt(n int, m Mode) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fail[n] = m
}

// CrashAt fails the n-th call in the given mode and every later one Before, as
// a process that died there would have it.
func (f *Faulty) CrashAt(n int, m Mode) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fail[n] = m
	f.crash = n + 1
}

// Calls is the number of calls so far.
func (f *Faulty) Calls() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls
}

// Trace is the list of calls so far, "put-if-absent a/b" and so on.
func (f *Faulty) Trace() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.trace)
}

// around runs one call through the plan.
func (f *Faulty) around(op, key string, call func() error) error {
	f.mu.Lock()
	f.calls++
	n := f.calls
	f.trace = append(f.trace, strings.TrimSpace(op+" "+key))
	mode, failing := f.fail[n]
	crashed := f.crash > 0 && n >= f.crash
	f.mu.Unlock()
	injected := fmt.Errorf("%w at call %d: %s %s", ErrInjected, n, op, key)
	if crashed || failing && mode == Before {
		return injected
	}
	if err := call(); err != nil || !failing {
		return err
	}
	return injected
}

// Put implements blob.Bucket.
func (f *Faulty) Put(ctx context.Context, key string, pieces ...[]byte) error {
	return f.around("put", key, func() error { return f.inner.Put(ctx, key, pieces...) })
}

// PutIfAbsent implements blob.Bucket.
func (f *Faulty) PutIfAbsent(ctx context.Context, key string, pieces ...[]byte) error {
	return f.around("put-if-absent", key, func() error { return f.inner.PutIfAbsent(ctx, key, pieces...) })
}

// Get implements blob.Bucket.
func (f *Faulty) Get(ctx context.Context, key string) (data []byte, err error) {
	err = f.around("get", key, func() (err error) {
		data, err = f.inner.Get(ctx, key)
		return err
	})
	if err != nil {
		return nil, err
	}
	return data, nil
}

// GetRange implements blob.Bucket.
func (f *Faulty) GetRange(ctx context.Context, key string, off, n int64) (data []byte, err error) {
	err = f.around("get-range", key, func() (err error) {
		data, err = f.inner.GetRange(ctx, key, off, n)
		return err
	})
	if err != nil {
		return nil, err
	}
	return data, nil
}

// List implements blob.Bucket.
func (f *Faulty) List(ctx context.Context, prefix string, fn func(blob.Object) error) error {
	return f.around("list", prefix, func() error { return f.inner.List(ctx, prefix, fn) })
}

// Delete implements blob.Bucket.
func (f *Faulty) Delete(ctx context.Context, key string) error {
	return f.around("delete", key, func() error { return f.inner.Delete(ctx, key) })
}
