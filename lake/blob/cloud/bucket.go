package cloud

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync/atomic"

	gocloud "gocloud.dev/blob"

	"github.com/tidemark-io/tidemark/lake/blob"
)

const (
	// partBytes is what the clients of S3 and Azure cut an object into, and hold of it once or twice.
	partBytes = 8 << 20
	// wholeBytesMax is the largest object that goes to S3 in one request, as those with a condition always do.
	wholeBytesMax = 64 << 20
	// objectBytesMax bounds what a server can make us allocate.
	objectBytesMax = 5 << 30
)

// bucket does each operation by one request (a large put by some), and says what went wrong as a *fault.
type bucket struct {
	address
	o       Options
	store   *gocloud.Bucket
	reply   func(error) (reply, bool)                                              // what the server said, if it did
	putOne  func(ctx context.Context, key string, body *pieces, absent bool) error // replaces store's way of writing, if not nil
	drop    func(ctx context.Context, key string) error                            // replaces store's way of deleting, if not nil
	sorted  bool                                                                   // the server lists in byte order
	release func()                                                                 // closes the connections

	proven  atomic.Bool   // put-if-absent held
	proving chan struct{} // held by who finds out
}

var _ blob.Bucket = (*bucket)(nil)

// Close releases the connections.
func (b *bucket) Close() error {
	err := b.store.Close()
	b.release()
	if err != nil {
		return fmt.Errorf("close bucket %s: %w", b.address, err)
	}
	return nil
}

func joinClose(err error, c io.Closer) error { return errors.Join(err, c.Close()) }

// there asks whether the bucket exists and may be listed.
func (b *bucket) there(ctx context.Context) error {
	ctx, p := b.o.wait(ctx, 0)
	defer p.end()
	_, _, err := b.store.ListPage(ctx, gocloud.FirstPageToken, 1, &gocloud.ListOptions{Prefix: b.prefix})
	return b.blame(ctx, "open bucket", "", err)
}

// Put implements blob.Bucket.
func (b *bucket) Put(ctx context.Context, key string, data ...[]byte) error {
	if err := begin(ctx, key); err != nil {
		return fmt.Errorf("put: %w", err)
	}
	return b.put(ctx, key, data, false)
}

// PutIfAbsent implements blob.Bucket.
func (b *bucket) PutIfAbsent(ctx context.Context, key string, data ...[]byte) error {
	if err := begin(ctx, key); err != nil {
		return fmt.Errorf("put if absent: %w", err)
	}
	if err := b.prove(ctx); err != nil {
		return err
	}
	return b.put(ctx, key, data, true)
}

func (b *bucket) put(ctx context.Context, key string, data [][]byte, absent bool) error {
	body := newPieces(data)
	ctx, p := b.o.wait(ctx, body.size)
	defer p.end()
	return b.blame(ctx, "put", key, b.write(ctx, b.prefix+key, body, absent))
}

func (b *bucket) write(ctx context.Context, key string, body *pieces, absent bool) error {
	if b.putOne != nil && sameName(key) && (absent || body.size <= wholeBytesMax) {
		return b.putOne(ctx, key, body, absent)
	}
	return b.store.Upload(ctx, key, body, &gocloud.WriterOptions{
		IfNotExist: absent, ContentType: "application/octet-stream", DisableContentTypeDetection: true,
		BufferSize: partBytes, MaxConcurrency: 2,
	})
}

// sameName says that gocloud.dev names an object of S3 as its key is: it doesn't where the key looks like one of its escapes,
// or has a segment that ends with two dots.
func sameName(key string) bool {
	return !strings.Contains(key, "__0x") && !strings.Contains(key, "../")
}

// Get implements blob.Bucket.
func (b *bucket) Get(ctx context.Context, key string) ([]byte, error) {
	if err := begin(ctx, key); err != nil {
		return nil, fmt.Errorf("get: %w", err)
	}
	return b.read(ctx, key, 0, -1)
}

// GetRange implements blob.Bucket.
func (b *bucket) GetRange(ctx context.Context, key string, off, n int64) ([]byte, error) {
	if err := begin(ctx, key); err != nil {
		return nil, fmt.Errorf("get: %w", err)
	}
	if off < 0 || n < 0 {
		return nil, fmt.Errorf("get %s: range of %d bytes at %d", b.object(key), n, off)
	}
	// No byte at all can't be asked for: one is, and left.
	data, err := b.read(ctx, key, off, min(max(n, 1), objectBytesMax))
	var f *fault
	if errors.As(err, &f) && f.kind == outOfRange {
		return []byte{}, nil
	}
	if err != nil {
		return nil, err
	}
	return data[:min(n, int64(len(data)))], nil
}

// read reads n bytes at off, or fewer when the object ends before; all of them if n is negative.
func (b *bucket) read(ctx context.Context, key string, off, n int64) (data []byte, err error) {
	ctx, p := b.o.wait(ctx, 0)
	defer p.end()
	r, err := b.store.NewRangeReader(ctx, b.prefix+key, off, n, nil)
	if err != nil {
		return nil, b.blame(ctx, "get", key, err)
	}
	defer func() {
		if closed := r.Close(); err == nil && closed != nil {
			err = b.blame(ctx, "get", key, closed)
		}
	}()
	size := r.Size() - off
	if n >= 0 {
		size = min(n, size)
	}
	if size < 0 || size > objectBytesMax {
		return nil, fmt.Errorf("get %s: the server says that it has %d bytes, at most %d are read", b.object(key), size, int64(objectBytesMax))
	}
	p.allow(b.o.time(size))
	data = make([]byte, size)
	if _, err := io.ReadFull(r, data); err != nil {
		return nil, b.blame(ctx, "get", key, err)
	}
	return data, nil
}

// Delete implements blob.Bucket.
func (b *bucket) Delete(ctx context.Context, key string) error {
	if err := begin(ctx, key); err != nil {
		return fmt.Errorf("delete: %w", err)
	}
	ctx, p := b.o.wait(ctx, 0)
	defer p.end()
	drop := b.drop
	if drop == nil || !sameName(key) {
		drop = b.store.Delete
	}
	err := b.blame(ctx, "delete", key, drop(ctx, b.prefix+key))
	if errors.Is(err, blob.ErrNotFound) {
		return nil
	}
	return err
}

// begin is the check that every operation on a key starts with.
func begin(ctx context.Context, key string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return blob.ValidateKey(key)
}

// pieces reads several slices as one, without copying them together.
type pieces struct {
	data [][]byte
	size int64
	at   int64
}

func newPieces(data [][]byte) *pieces {
	p := &pieces{data: slices.DeleteFunc(slices.Clone(data), func(d []byte) bool { return len(d) == 0 })}
	for _, d := range p.data {
		p.size += int64(len(d))
	}
	return p
}

// Read implements io.Reader.
func (p *pieces) Read(into []byte) (int, error) {
	at := p.at
	for _, d := range p.data {
		if at < int64(len(d)) {
			n := copy(into, d[at:])
			p.at += int64(n)
			return n, nil
		}
		at -= int64(len(d))
	}
	return 0, io.EOF
}

// Seek implements io.Seeker.
func (p *pieces) Seek(off int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		off += p.at
	case io.SeekEnd:
		off += p.size
	}
	if off < 0 || off > p.size {
		return 0, fmt.Errorf("seek to %d of %d bytes", off, p.size)
	}
	p.at = off
	return off, nil
}
