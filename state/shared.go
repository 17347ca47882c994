package state

import (
	"fmt"
	"log/slog"
	"sync"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// FS is the file system that stores live on. Packages that must not import
// Pebble pass one through under this name; state/statetest makes some.
type FS = vfs.FS

// SharedOptions are the limits that all stores of a process share.
type SharedOptions struct {
	// CacheBytes bounds the memory of all stores together: cached blocks, and
	// the memtables, whose arenas are taken out of the cache. 64 MiB.
	CacheBytes int64
	// MemTableBytes bounds the bytes that were applied and not yet flushed,
	// over all stores. Past it the store with most of them is flushed; past
	// twice it, Apply waits. Half of CacheBytes.
	MemTableBytes int64
	// OpenFilesMax bounds the tables held open, over all stores. 1,000.
	OpenFilesMax int
	// FS is the file system; the disk's.
	FS FS
	// Log gets what is worth knowing and no error of any call; nowhere.
	Log *slog.Logger
}

// EnsureDefaults sets what is zero to its default.
func (o *SharedOptions) EnsureDefaults() {
	if o.CacheBytes == 0 {
		o.CacheBytes = 64 << 20
	}
	if o.MemTableBytes == 0 {
		o.MemTableBytes = o.CacheBytes / 2
	}
	if o.OpenFilesMax == 0 {
		o.OpenFilesMax = 1000
	}
	if o.FS == nil {
		o.FS = vfs.Default
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
}

// Validate reports every fault at once.
func (o *SharedOptions) Validate() error {
	var errs []error
	if o.CacheBytes < cacheBytesMin {
		errs = append(errs, fmt.Errorf("cache of %d bytes: need at least %d", o.CacheBytes, cacheBytesMin))
	}
	if o.MemTableBytes < memTableBytesMin || o.MemTableBytes > o.CacheBytes {
		errs = append(errs, fmt.Errorf("memtables of %d bytes: need %d to %d (the cache)",
			o.MemTableBytes, memTableBytesMin, o.CacheBytes))
	}
	if o.OpenFilesMax < 10 {
		errs = append(errs, fmt.Errorf("%d open files: need at least 10", o.OpenFilesMax))
	}
	return join(errs...)
}

const (
	cacheBytesMin    = 1 << 20
	memTableBytesMin = 512 << 10
)

// Shared is what all stores of a process share: one block cache, one limit of
// open files, one memory budget. Safe for concurrent use.
type Shared struct {
	opts  SharedOptions
	cache *pebble.Cache
	files *pebble.FileCache

	doubts *doubts

	mu     sync.Mutex
	stores map[*Store]struct{} // open stores
	closed bool
}

// NewShared makes the shared part; Close it after the last store.
func NewShared(o SharedOptions) (*Shared, error) {
	o.EnsureDefaults()
	if err := o.Validate(); err != nil {
		return nil, fmt.Errorf("state options: %w", err)
	}
	return &Shared{
		opts:   o,
		cache:  pebble.NewCache(o.CacheBytes),
		files:  pebble.NewFileCache(fileCacheShards, o.OpenFilesMax),
		stores: make(map[*Store]struct{}),
		doubts: newDoubts(),
	}, nil
}

const fileCacheShards = 4

// FS returns the file system that stores live on.
func (sh *Shared) FS() FS { return sh.opts.FS }

// Close frees the cache. It is an error while a store is open.
func (sh *Shared) Close() error {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if sh.closed {
		return nil
	}
	if n := len(sh.stores); n > 0 {
		return fmt.Errorf("close shared state: %d stores are still open", n)
	}
	sh.closed = true
	sh.files.Unref()
	sh.cache.Unref()
	return nil
}
