package blob

import (
	"context"
	"errors"
)

// Dir is a bucket in a local directory.
type Dir struct{}

var _ Bucket = (*Dir)(nil)

var errNotYet = errors.New("not written yet")

// OpenDir opens the bucket in the directory path, which is created if needed.
func OpenDir(path string) (*Dir, error) { return nil, errNotYet }

// Close releases the directory.
func (d *Dir) Close() error { return errNotYet }

// Put implements Bucket.
func (d *Dir) Put(ctx context.Context, key string, pieces ...[]byte) error { return errNotYet }

// PutIfAbsent implements Bucket.
func (d *Dir) PutIfAbsent(ctx context.Context, key string, pieces ...[]byte) error { return errNotYet }

// Get implements Bucket.
func (d *Dir) Get(ctx context.Context, key string) ([]byte, error) { return nil, errNotYet }

// GetRange implements Bucket.
func (d *Dir) GetRange(ctx context.Context, key string, off, n int64) ([]byte, error) {
	return nil, errNotYet
}

// List implements Bucket.
func (d *Dir) List(ctx context.Context, prefix string, fn func(Object) error) error {
	return errNotYet
}

// Delete implements Bucket.
func (d *Dir) Delete(ctx context.Context, key string) error { return errNotYet }
