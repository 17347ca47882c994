package stream

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/tidemark-io/tidemark/lake/blob"
)

// BucketError says that the bucket did not do what it was asked: it is away, slow, full, or refuses. It passes when the
// bucket is well again, however long that takes, so it ends no process: landing and checkpoints are tried again, and what
// can't go on without the bucket waits.
type BucketError struct {
	Op  string // what was asked, and of which object
	Err error
}

func (e *BucketError) Error() string { return fmt.Sprintf("bucket: %s: %v", e.Op, e.Err) }

func (e *BucketError) Unwrap() error { return e.Err }

// isBucket says whether an error is nobody's fault but the bucket's.
func isBucket(err error) bool {
	var bucket *BucketError
	return errors.As(err, &bucket)
}

// watched is a bucket whose failures are told from all others, and remembered for the status.
type watched struct {
	blob.Bucket
	now func() time.Time

	mu       sync.Mutex
	failures [2]failure // of reading, of writing
}

// failure is since when one kind of request has failed without a success in between.
type failure struct {
	since time.Time
	err   error
}

const (
	reading = 0
	writing = 1
)

var _ blob.Bucket = (*watched)(nil)

// told marks an error of the bucket's, and notes how it is.
func (w *watched) told(ctx context.Context, kind int, what, key string, err error) error {
	answered := err == nil || errors.Is(err, blob.ErrNotFound) || errors.Is(err, blob.ErrExists)
	if !answered && ctx.Err() != nil {
		return err // given up by the caller
	}
	if !answered {
		err = &BucketError{Op: what + " " + key, Err: err}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	f := &w.failures[kind]
	switch {
	case answered:
		*f = failure{}
	case f.since.IsZero():
		*f = failure{since: w.now(), err: err}
	default:
		f.err = err
	}
	return err
}

// failing says since when the bucket has been failing, and how; no error if it is well.
func (w *watched) failing() (time.Time, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	r, t := w.failures[reading], w.failures[writing]
	if r.err == nil || t.err != nil && t.since.Before(r.since) {
		return t.since, t.err
	}
	return r.since, r.err
}

// Put implements blob.Bucket.
func (w *watched) Put(ctx context.Context, key string, pieces ...[]byte) error {
	return w.told(ctx, writing, "put", key, w.Bucket.Put(ctx, key, pieces...))
}

// PutIfAbsent implements blob.Bucket.
func (w *watched) PutIfAbsent(ctx context.Context, key string, pieces ...[]byte) error {
	return w.told(ctx, writing, "put", key, w.Bucket.PutIfAbsent(ctx, key, pieces...))
}

// Get implements blob.Bucket.
func (w *watched) Get(ctx context.Context, key string) ([]byte, error) {
	data, err := w.Bucket.Get(ctx, key)
	return data, w.told(ctx, reading, "get", key, err)
}

// GetRange implements blob.Bucket.
func (w *watched) GetRange(ctx context.Context, key string, off, n int64) ([]byte, error) {
	data, err := w.Bucket.GetRange(ctx, key, off, n)
	return data, w.told(ctx, reading, "get", key, err)
}

// List implements blob.Bucket.
func (w *watched) List(ctx context.Context, prefix string, fn func(blob.Object) error) error {
	var theirs error
	err := w.Bucket.List(ctx, prefix, func(o blob.Object) error {
		theirs = fn(o)
		return theirs
	})
	if theirs != nil {
		return err
	}
	return w.told(ctx, reading, "list", prefix, err)
}

// Delete implements blob.Bucket.
func (w *watched) Delete(ctx context.Context, key string) error {
	return w.told(ctx, writing, "delete", key, w.Bucket.Delete(ctx, key))
}

// tolerate passes over what will be tried again once the bucket is well.
func (r *runner) tolerate(err error) error {
	if !isBucket(err) {
		return err
	}
	r.log.Warn("waiting for the bucket", "err", err)
	return nil
}
