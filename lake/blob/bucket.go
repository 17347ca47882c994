package blob

import (
	"context"
	"errors"
)

// ErrExists is returned by PutIfAbsent when the key is taken. The object that
// took it is complete and durable.
var ErrExists = errors.New("object exists already")

// ErrNotFound is returned by Get and GetRange when there is no such object.
var ErrNotFound = errors.New("object not found")

// Object is one line of a listing.
type Object struct {
	Key  string
	Size int64 // bytes
}

// Bucket is a flat name space of immutable or replaceable objects. All methods
// may be called concurrently, from any number of processes sharing the store.
//
// Keys are checked with ValidateKey; a key that fails is an error of every
// method, whatever the store would make of it. blobtest.Acceptance states the
// contract in code and every implementation passes it.
type Bucket interface {
	// Put writes the object, replacing any of that key. The object is the
	// concatenation of the pieces, so that a large one need not be copied
	// together first; the pieces may be reused when the call returns.
	Put(ctx context.Context, key string, pieces ...[]byte) error

	// PutIfAbsent writes the object unless the key is taken, which is
	// ErrExists. It is the only fence that the lake has.
	PutIfAbsent(ctx context.Context, key string, pieces ...[]byte) error

	// Get returns the whole object, in memory that is the caller's.
	Get(ctx context.Context, key string) ([]byte, error)

	// GetRange returns the bytes [off, off+n) of the object: fewer when it
	// ends before, none when it ends before off. Negative values are errors.
	GetRange(ctx context.Context, key string, off, n int64) ([]byte, error)

	// List calls fn for every object whose key begins with prefix, in the
	// lexicographic order of the keys' bytes. Prefix is text, not a directory:
	// "a/b" lists "a/bc". An error of fn ends the listing and is returned as
	// it is. Objects put or deleted meanwhile may or may not appear.
	List(ctx context.Context, prefix string, fn func(Object) error) error

	// Delete removes the object; an absent one is no error.
	Delete(ctx context.Context, key string) error
}
